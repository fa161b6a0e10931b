"""The play: one little piece that every runtime can put on, and what must be on record afterwards.

An adapter is proven by it: a :class:`Stage` says how its runtime runs a turn with a scripted model, and each scene is
played there. Whatever the runtime, the same normalised record, tree of spans and log must come out, but for what the
adapter declares that its runtime cannot tell (``CANNOT``, by the names in :data:`TELLS`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from turnspan.model.json_values import text_of
from turnspan.model.records import TurnRecord, turnspan_metadata
from turnspan.telemetry import semconv as sc

TELLS = {
    "agents": "the name of the agent",
    "sub-agents": "agents inside of a turn",
    "tool failures": "that a tool failed",
    "streams left early": "a stream that is left early",
    "cancelled tools": "a tool that runs when its turn is cancelled",
    "tokens": "tokens used",
    "sessions": "which session a turn belongs to",
}
"""What a record tells; an adapter's ``CANNOT`` maps some of these to the reason why it does not."""
TOKENS = (10, 2)
"""Input and output tokens that a scripted model says it used for each answer."""
MODEL = "scripted"


class Wanted(NamedTuple):
    """A tool call that the scripted model asks for."""

    name: str
    arguments: dict[str, Any]
    call_id: str


Step = str | Sequence[Wanted] | Exception
"""What the scripted model does when it is asked: says something, asks for tools, fails."""


class Begun:
    """Tells that the slow tool runs, across threads and loops."""

    def __init__(self) -> None:
        self.count = 0

    async def wait(self, count: int = 1, patience_s: float = 20) -> None:
        """Wait until it runs."""
        for _ in range(int(patience_s * 100)):
            if self.count >= count:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("the slow tool was never called")


begun = Begun()


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def shout(text: str) -> str:
    """Say it louder."""
    return text.upper()


def boom(why: str) -> str:
    """Fail."""
    raise ValueError(f"boom: {why}")


async def slow(seconds: int) -> str:
    """Take long."""
    begun.count += 1
    await asyncio.sleep(seconds)
    return "late"


TOOLS = (add, shout, boom, slow)


class Conversation:
    """A conversation of the play, with whatever a stage keeps of it."""

    def __init__(self, conversation_id: str) -> None:
        self.id = conversation_id
        self.state: dict[str, Any] = {}


class Stage(ABC):
    """One runtime, ready to play."""

    adapter: ClassVar[str]
    """The adapter's name."""
    agent: ClassVar[str] = "triage"
    a_failing_tool_fails_the_turn: ClassVar[bool] = False
    a_failing_model_says: ClassVar[str] = "no network"
    streams: ClassVar[bool] = True
    in_threads: ClassVar[bool] = True

    @abstractmethod
    async def turn(self, conversation: Conversation, prompt: str, script: list[Step]) -> str:
        """Run a turn to its end, with :data:`TOOLS` and a model that follows the script; return the answer."""

    def stream(self, conversation: Conversation, prompt: str, script: list[Step]) -> AsyncIterator[Any]:
        """Run a turn, streamed: an asynchronous generator of whatever the runtime gives."""
        raise NotImplementedError

    limits_tools: ClassVar[bool] = False

    async def limited(self, conversation: Conversation, prompt: str, script: list[Step]) -> str:
        """Run a turn whose tools may take 50 ms at most, where the runtime has such a limit."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027  most keep nothing open
        """Close what conversations have kept open."""

    async def sub_agent(self, conversation: Conversation, prompt: str) -> str:
        """Run a turn in which the agent ``triage`` has ``helper`` answer; return ``helped``."""
        raise NotImplementedError


# What is looked at -------------------------------------------------------------------------------------------------


def normalised(turn: TurnRecord, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return what any runtime can tell of a turn, without what this one cannot."""
    models = turnspan_metadata(turn.metadata).get("model_calls", [])
    used = [(m.get("usage", {}).get("input_tokens"), m.get("usage", {}).get("output_tokens")) for m in models]
    found: dict[str, Any] = {
        "prompt": text_of(turn.prompt),
        "response": text_of(turn.response_content),
        "status": turn.status,
        "tools": sorted(
            (c.tool_name, sorted(c.arguments.items()), text_of(c.result), c.status) for c in turn.tool_calls
        ),
        "asked": len(models),
        "tokens": used,
        "agent": turn.agent_id,
    }
    without = set(without)
    if "agents" in without:
        del found["agent"]
    if "tokens" in without:
        del found["tokens"]
    return found


def tree(spans: Iterable[ReadableSpan]) -> list[Any]:
    """Return the GenAI spans as a forest of ``(operation and tool, children)``, in order of their starts."""
    known = {span.context.span_id: span for span in spans if span.context is not None}
    ours = [span for span in known.values() if sc.GEN_AI_OPERATION_NAME in (span.attributes or {})]

    def above(span: ReadableSpan | None) -> ReadableSpan | None:
        while span is not None:
            span = known.get(span.parent.span_id) if span.parent is not None else None
            if span in ours:
                return span
        return None

    def below(parent: ReadableSpan | None) -> list[Any]:
        found = sorted((span for span in ours if above(span) is parent), key=lambda span: span.start_time or 0)
        return [(_label(span), below(span)) for span in found]

    return below(None)


def _label(span: ReadableSpan) -> str:
    attributes = span.attributes or {}
    operation, tool = str(attributes[sc.GEN_AI_OPERATION_NAME]), str(attributes.get(sc.GEN_AI_TOOL_NAME))
    return f"{operation} {tool}" if operation == "execute_tool" else operation


def kinds(log: Iterable[dict[str, Any]]) -> Counter[str]:
    """Return how many log lines there are of each kind of event."""
    return Counter(line["event"] for line in log)


async def left_early(stream: AsyncIterator[Any]) -> None:
    """Take one item of a stream and leave."""
    async for _ in stream:
        break
    with suppress(Exception, GeneratorExit):  # some runtimes do not survive it well, with turnspan or without
        await stream.aclose()  # type: ignore[attr-defined]
