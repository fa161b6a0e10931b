"""tinyagents: its agents, the models that they ask and the tools that they call."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome, StreamObserver
from turnspan.events import Usage

REQUIRES = "tinyagents>=1.0,<2"
CANNOT = {"finish reasons": "the runtime does not say them"}
_Watching = Generator[Any, Outcome, None]


def install(emit: Emit) -> None:
    """Wrap what an agent does: each of these is a function that the runtime calls once for what it says."""

    def runs(call: Invocation) -> _Watching:
        run = emit.begin(
            agent=call.instance.name, prompt=call.argument(0, "prompt"), session=call.argument(1, "thread")
        )
        outcome = yield run
        run.end(outcome, outcome.result)

    def streams(call: Invocation) -> _Watching:
        run = emit.begin(
            agent=call.instance.name, prompt=call.argument(0, "prompt"), session=call.argument(1, "thread")
        )
        words: list[str] = []
        outcome = yield StreamObserver(run, words.append)
        run.end(outcome, " ".join(words))

    def asks(call: Invocation) -> _Watching:
        run = emit.current_run()
        if run is None:  # somebody asks the model outside of a run
            yield None
            return
        asked = run.model_started(
            provider="tinyagents", model=call.instance.model.name, messages=call.argument(0, "messages")
        )
        outcome = yield asked
        answer = outcome.result
        if answer is None:
            asked.ended(outcome)
        else:
            used = Usage(input_tokens=answer.tokens[0], output_tokens=answer.tokens[1])
            asked.ended(outcome, [{"role": "assistant", "content": answer.text}], usage=used)

    def uses(call: Invocation) -> _Watching:
        run, wanted = emit.current_run(), call.argument(0, "call")
        if run is None:
            yield None
            return
        tool = run.tool_started(wanted.name, wanted.arguments, wanted.id)
        outcome = yield tool
        tool.ended(outcome)

    emit.patch.wrap("tinyagents:Agent.run", runs)
    emit.patch.wrap("tinyagents:Agent.stream", streams)
    emit.patch.wrap("tinyagents:Agent.ask", asks)
    emit.patch.wrap("tinyagents:Agent.use", uses)
