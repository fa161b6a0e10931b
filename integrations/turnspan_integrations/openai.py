"""The ``openai`` client: handwritten loops over chat completions and responses, and embeddings in a turn.

Methods of the client are wrapped; streams are listened to where the client keeps them, so their types stay. What a list
of messages means for sessions, turns and tool calls is said by :mod:`turnspan_integrations.loops`, what a request and an
answer say by :mod:`turnspan_integrations.openai_chat` and :mod:`turnspan_integrations.openai_responses`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan.events import Usage
from turnspan_integrations import embeddings, openai_chat, openai_responses
from turnspan_integrations.loops import Answer, Asking, Loops
from turnspan_integrations.openai_values import given, plain, provider_of
from turnspan_integrations.streams import listen
from turnspan_integrations.usage import openai_usage

REQUIRES = "openai>=1.66,<4"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "tool failures": "the program hands an error on as text, like any other result",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "embeddings outside of a turn": "nothing says which session they belong to",
    "answers read through `with_streaming_response`": "the program reads them by itself",
    "a task that was left before the model was asked again": "in a loop without tasks",
}
_PARSERS = (
    "openai.lib._chat_completion_resources:_parse_chat_completion",
    "openai.lib._response_resources:parse_response",
    "openai.resources.chat.completions.completions:_parse_chat_completion",  # before 2.48
    "openai.resources.responses.responses:parse_response",
)
"""What makes objects of an answer, where methods of the client find it."""


def install(emit: Emit) -> None:
    """Wrap the methods that ask a model, and those that fetch an answer that was made in the background."""
    loops = Loops(emit)
    refused: dict[int, Any] = {}  # answers that helpers of the client did not accept, by the exception that says so

    def parsed(call: Invocation) -> Generator[Any, Outcome, None]:
        outcome = yield None
        if outcome.error is not None:
            refused[id(outcome.error)] = call.kwargs.get("chat_completion") or call.kwargs.get("response")

    def chat(call: Invocation) -> Generator[Any, Outcome, None]:
        asked = given(call)
        asking = loops.ask(openai_chat.request(asked, provider_of(call.instance)))
        return _observed(emit, loops, asking, openai_chat.Reader(), refused)

    def responses(call: Invocation) -> Generator[Any, Outcome, None]:
        asked = given(call)
        asking = loops.ask(openai_responses.request(asked, provider_of(call.instance)))
        return _observed(emit, loops, asking, openai_responses.Reader(), refused)

    def fetched(call: Invocation) -> Generator[Any, Outcome, None]:
        asking = loops.waiting(str(call.argument(0, "response_id")))
        outcome = yield None
        if asking is not None and outcome.error is None and not outcome.cancelled:
            _take(emit, loops, asking, openai_responses.Reader(), outcome.result)

    def embeds(call: Invocation) -> Generator[Any, Outcome, None]:
        asked = given(call)
        about = embeddings.Asked(provider_of(call.instance), asked.get("model"), asked.get("input"))
        return embeddings.observed(emit, about, _embedded)

    hooks: list[tuple[str, Callable[[Invocation], Generator[Any, Outcome, None]]]] = []
    for kind in ("", "Async"):
        completions = f"openai.resources.chat.completions:{kind}Completions"
        model_responses = f"openai.resources.responses:{kind}Responses"
        hooks += [(f"{completions}.{method}", chat) for method in ("create", "parse")]
        hooks += [(f"{model_responses}.{method}", responses) for method in ("create", "parse")]
        hooks += [(f"{model_responses}.{method}", fetched) for method in ("retrieve", "cancel")]
        hooks.append((f"openai.resources.embeddings:{kind}Embeddings.create", embeds))
    hooks += [(target, parsed) for target in _PARSERS]
    for target, observer in hooks:
        emit.patch.wrap(target, observer)


def _embedded(result: Any) -> tuple[str | None, Usage | None]:
    said = plain(result.http_response.json() if type(result).__name__ == "LegacyAPIResponse" else result)
    return (said.get("model"), openai_usage(said.get("usage"))) if isinstance(said, dict) else (None, None)


_Reader = openai_chat.Reader | openai_responses.Reader


def _observed(
    emit: Emit, loops: Loops, asking: Asking | None, reader: _Reader, refused: dict[int, Any]
) -> Generator[Any, Outcome, None]:
    if asking is None:
        yield None
        return
    outcome = yield asking
    if outcome.error is not None or outcome.cancelled:
        answer = refused.pop(id(outcome.error), None)
        asking.failed(outcome, None if answer is None else reader.whole(answer))
    else:
        _take(emit, loops, asking, reader, outcome.result)


def _take(emit: Emit, loops: Loops, asking: Asking, reader: _Reader, result: Any) -> None:
    """Take a result: an answer, a stream of one, or one that is still being made."""
    if type(result).__name__ == "LegacyAPIResponse":  # with_raw_response: how it is parsed is the program's business
        streamed = asking.request.streamed  # then it is kept, and the program is given the same stream
        result = result.parse() if streamed else reader.parsed(result.http_response.json())
    if hasattr(result, "_iterator"):
        listen(emit, asking, result, reader)
    elif not hasattr(result, "model_dump"):
        asking.answered(Answer([], [], final=True))
    elif getattr(result, "status", None) in ("queued", "in_progress"):
        loops.waits(asking, result.id)
    else:
        asking.answered(reader.whole(result))
