"""Runtime drivers: how a runtime runs a turn with a scripted model, and what is looked at afterwards.

:class:`turnspan.testing.AdapterConformance` plays the same cases through any driver. Whatever the runtime, the same
normalized record, span tree and log must come out, but for what the adapter declares that it cannot observe (``CANNOT``,
where it uses the names in :data:`LIMITS`).
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from turnspan.model.json_values import text_of
from turnspan.model.records import TurnRecord, turnspan_metadata
from turnspan.telemetry import semconv as sc

LIMITS = {
    "agents": "the name of the agent",
    "sub-agents": "agents inside of a turn",
    "tool failures": "that a tool failed",
    "streams left early": "a stream that is left early",
    "cancelled tools": "a tool that runs when its turn is cancelled",
    "tokens": "tokens used",
    "sessions": "which session a turn belongs to",
}
"""What an adapter may declare that it cannot observe, with the reason, so that the cases do not look for it."""
TOKENS = (10, 2)
"""Input and output tokens that a scripted model says it used for each answer."""
MODEL = "scripted"


class ScriptedToolCall(NamedTuple):
    """A tool call that the scripted model asks for."""

    name: str
    arguments: dict[str, Any]
    call_id: str


Step = str | Sequence[ScriptedToolCall] | Exception
"""What the scripted model does when it is asked: says something, asks for tools, fails."""


class StartSignal:
    """Says that the slow tool runs, across threads and loops."""

    def __init__(self) -> None:
        self.count = 0

    async def wait(self, count: int = 1, patience_s: float = 20) -> None:
        """Wait until it runs."""
        for _ in range(int(patience_s * 100)):
            if self.count >= count:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError("the slow tool was never called")


slow_tool_started = StartSignal()


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
    slow_tool_started.count += 1
    await asyncio.sleep(seconds)
    return "late"


TOOLS = (add, shout, boom, slow)


class Conversation:
    """A conversation, with whatever a driver keeps of it."""

    def __init__(self, conversation_id: str) -> None:
        self.id = conversation_id
        self.state: dict[str, Any] = {}


class RuntimeDriver(ABC):
    """One runtime, ready to run turns with :data:`TOOLS` and a model that follows a script."""

    adapter: ClassVar[str]
    """The adapter's name."""
    agent: ClassVar[str] = "triage"
    """The name of the agent that takes the turns."""
    a_failing_tool_fails_the_turn: ClassVar[bool] = False
    a_failing_model_says: ClassVar[str] = "no network"
    """What the program sees of a model's ``ConnectionError("no network")``."""
    streams: ClassVar[bool] = True
    in_threads: ClassVar[bool] = True
    limits_tools: ClassVar[bool] = False
    """Whether the runtime limits the time that a tool may take."""
    cannot: ClassVar[dict[str, str]] = {}
    """What cannot be observed when the runtime is used this way, beside what the adapter never can."""
    own_spans: ClassVar[tuple[str, ...]] = ()
    """The instrumentation scopes of spans that the runtime starts because the adapter has it do so."""
    spans_beside: ClassVar[tuple[str, ...]] = ()
    """What its runtime starts spans of besides, as :func:`span_tree` names them: a frame around an agent, a sum of calls."""
    callbacks: Sequence[str] = ()
    """What the program's own callbacks saw, in order, where the runtime has such: the driver fills it in."""

    @abstractmethod
    async def turn(self, conversation: Conversation, prompt: str, script: list[Step]) -> str:
        """Run a turn to its end, and return the answer."""

    def stream(self, conversation: Conversation, prompt: str, script: list[Step]) -> AsyncIterator[Any]:
        """Run a turn, streamed: an asynchronous generator of whatever the runtime gives."""
        raise NotImplementedError

    async def limited(self, conversation: Conversation, prompt: str, script: list[Step]) -> str:
        """Run a turn whose tools may take 50 ms at most."""
        raise NotImplementedError

    async def sub_agent(self, conversation: Conversation, prompt: str) -> str:
        """Run a turn in which the agent ``triage`` has ``helper`` answer ``helped``; return ``done``."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027  most keep nothing open
        """Close what conversations have kept open."""


# What is looked at -------------------------------------------------------------------------------------------------


def normalized(turn: TurnRecord, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return what any runtime can report of a turn, without what this one cannot."""
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


_OPERATIONS = ("invoke_agent", "invoke_workflow", "chat", "text_completion", "generate_content", "execute_tool")
"""Runtimes have operations of their own besides, such as a round of a loop."""


def span_tree(spans: Iterable[ReadableSpan], without: Iterable[str] = ()) -> list[Any]:
    """Return the GenAI spans as a forest of ``(operation and tool, children)``, in order of their starts.

    Args:
        spans: Those that have ended.
        without: What is left out of it: its children are those of what is around it.

    """
    known = {span.context.span_id: span for span in spans if span.context is not None}
    ours = [
        span
        for span in known.values()
        if (span.attributes or {}).get(sc.GEN_AI_OPERATION_NAME) in _OPERATIONS
        and span.kind is not SpanKind.SERVER  # an MCP server's own
        and _label(span) not in without
    ]

    def parent_of(span: ReadableSpan | None) -> ReadableSpan | None:
        while span is not None:
            span = known.get(span.parent.span_id) if span.parent is not None else None
            if span in ours:
                return span
        return None

    def children_of(parent: ReadableSpan | None) -> list[Any]:
        found = sorted((span for span in ours if parent_of(span) is parent), key=lambda span: span.start_time or 0)
        return [(_label(span), children_of(span)) for span in found]

    return children_of(None)


def _label(span: ReadableSpan) -> str:
    attributes = span.attributes or {}
    operation, tool = str(attributes[sc.GEN_AI_OPERATION_NAME]), str(attributes.get(sc.GEN_AI_TOOL_NAME))
    if operation == "generate_content":  # what the conventions also call it, for models that make more than text
        operation = "chat"
    return f"{operation} {tool}" if operation == "execute_tool" else operation


def events_by_kind(log: Iterable[dict[str, Any]]) -> Counter[str]:
    """Return how many log lines there are of each kind of event."""
    return Counter(line["event"] for line in log)


async def leave_early(stream: AsyncIterator[Any]) -> None:
    """Take one item of a stream and leave."""
    async for _ in stream:
        break
    with suppress(Exception, GeneratorExit):  # some runtimes do not survive it well, with turnspan or without
        await stream.aclose()  # type: ignore[attr-defined]
