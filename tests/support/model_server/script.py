"""What a scripted model answers, in no provider's words; each protocol's file renders it.

A script is a list of steps, one for each request. A step is an :class:`Answer`, an :class:`HttpError`, a
:class:`Disconnect`, a :class:`Background` answer, a finished :class:`~support.model_server.wire.Reply`, or short for one:
a text, a list of tool calls, an exception (HTTP 400 with its words), or a function of the request that returns a step.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from support.model_server.wire import Reply


@dataclass(frozen=True)
class ToolCall:
    """A tool that the program is asked to run."""

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)
    """A string is sent as it is: for arguments that are not valid JSON, or that break off."""
    call_id: str = "call_1"
    legacy: bool = False
    """Chat completions: as ``function_call``, which has no id."""


@dataclass(frozen=True)
class HostedTool:
    """A tool that ran at the provider: the answer has its call and its result."""

    name: Literal["web_search", "file_search", "code_interpreter", "image_generation", "mcp"]
    arguments: dict[str, Any]
    result: Any = None
    call_id: str = "hosted_1"
    error: str | None = None
    function: str = "lookup"
    """What the tool of an MCP server is called there."""
    server: str = "docs"
    """The MCP server."""


@dataclass(frozen=True)
class Usage:
    """What an answer used. What is None is not mentioned, as providers do that do not know the field."""

    input_tokens: int = 10
    output_tokens: int = 2
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    web_search_requests: int | None = None


@dataclass(frozen=True)
class Shape:
    """How a stream differs from the textbook's; each is what some provider or compatible server does."""

    usage: Literal["as asked", "always", "each", "finish", "never", "start", "cumulative"] = "as asked"
    """``as asked``: where the protocol says. Chat completions: the last chunk although nobody asked (``always``), in
    every chunk (``each``), beside the finish reason (``finish``). Messages: nothing new at the end (``start``), or
    zeros at the start and everything at the end (``cumulative``)."""
    tool_index: Literal["own", "whole", "same", "none"] = "own"
    """Chat completions: parallel calls all at index 0, or without an index; ``whole``: each at its own, in one piece."""
    azure: bool = False
    """Chat completions: a chunk without choices first, choices without a delta, content filter results."""
    finish: bool = True
    """Whether the stream says how it ended."""
    done: bool = True
    """Chat completions: whether ``[DONE]`` is sent."""
    keep_alive: bool = False
    """Comments (OpenAI) or pings (Anthropic) between the events."""


@dataclass(frozen=True)
class Disconnect:
    """The connection closes. As a step: before anything is answered; in an answer: after what it says."""

    reset: bool = False
    """With a reset instead of a close."""


@dataclass(frozen=True)
class StreamError:
    """The provider's own error event, after what the answer says; an answer that is not streamed is HTTP 500."""

    message: str = "The server had an error while processing your request"
    type: str = "server_error"
    code: str | None = None


@dataclass(frozen=True)
class HttpError:
    """An answer with an HTTP status that says no."""

    status: int
    message: str = "the model is down"
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after_s: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """More members of the error, such as Azure's ``innererror``."""


@dataclass(frozen=True)
class Answer:
    """One answer of the model."""

    text: str | None = None
    tool_calls: Sequence[ToolCall] = ()
    hosted: Sequence[HostedTool] = ()
    thinking: str | None = None
    refusal: str | None = None
    items: Sequence[dict[str, Any]] = ()
    """Output items (responses) or content blocks (messages) in the provider's words, before the text."""
    usage: Usage | None = field(default_factory=Usage)
    finish: str | None = None
    """The finish or stop reason in the provider's words, where it does not follow from the rest."""
    status: Literal["completed", "failed", "incomplete", "cancelled"] = "completed"
    """Responses: the status; ``finish`` is the reason of an incomplete one."""
    error: StreamError | None = None
    """Responses: the error of a failed one."""
    alternatives: Sequence["Answer"] = ()
    """Chat completions: the other choices, when the request's ``n`` asks for more."""
    model: str | None = None
    """The model that says it answered; the one that was asked for, if None."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """More members of the body, and of each chunk."""
    headers: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    breaks: Disconnect | StreamError | None = None
    """What happens instead of an end."""
    held_by: threading.Event | None = None
    """The end is not sent before this is set: a stream stays open for as long as a test wants."""
    delay_s: float = 0


@dataclass(frozen=True)
class Background:
    """An answer of the responses API that is ready only after it has been asked for some times."""

    answer: Answer
    polls: int = 1
    """How often it is still ``in_progress``."""


Step = Answer | HttpError | Disconnect | Background | Reply | str | Sequence[Any] | Exception | Callable[..., Any]


def as_step(step: Step, request: Any = None) -> Answer | HttpError | Disconnect | Background | Reply:
    """Return a step in full."""
    if isinstance(step, Answer | HttpError | Disconnect | Background | Reply):
        return step
    if isinstance(step, str):
        return Answer(step)
    if isinstance(step, Exception):
        return HttpError(400, str(step))
    if callable(step):
        return as_step(step(request))
    return Answer(tool_calls=[c if isinstance(c, ToolCall) else ToolCall(*c) for c in step])


def pieces(text: str) -> list[str]:
    """Return text in the pieces that a model streams it in."""
    first, *more = text.split(" ")
    return [first, *(f" {piece}" for piece in more)] if text else []
