"""The ``anthropic`` client: handwritten loops over messages, its tool runner's loop, and its streams.

Methods of the client are wrapped; streams are listened to where the client keeps them. Clients from 2.0 on start a
span for each call themselves: then it is that span which stands for the call. What a list of messages means for
sessions, turns and tool calls is reported by :mod:`turnspan_integrations.loops`. It is over 200 lines because plain
answers, streams and the beta client give the same message in three shapes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator
from typing import Any
from weakref import WeakKeyDictionary

from turnspan.adapter import SPAN_EXPECTED, Emit, Invocation, Outcome
from turnspan_integrations.loops import Answer, Asking, Loops, Message, Request, Said
from turnspan_integrations.providers import provider_at
from turnspan_integrations.streams import listen
from turnspan_integrations.usage import anthropic_usage

REQUIRES = "anthropic>=0.40,<3"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "answers read through `with_streaming_response` or an asynchronous raw response": "the program reads them by itself",
}
_CLOUDS = {"Bedrock": "aws.bedrock", "Vertex": "gcp.vertex_ai", "Foundry": "azure.ai.inference"}
_GOES_ON = ("tool_use", "pause_turn")


def install(emit: Emit) -> None:
    """Wrap the methods that ask a model, and the managers that ask one when they are entered."""
    loops = Loops(emit)
    managed: WeakKeyDictionary[Any, tuple[Request, Any]] = WeakKeyDictionary()

    def create(call: Invocation) -> Generator[Any, Outcome, None]:
        return _watched(emit, loops.ask(_request(call), _span_of(call.instance)))

    def stream(call: Invocation) -> Generator[Any, Outcome, None]:
        asked = _request(call)._replace(streamed=True)
        outcome = yield None
        managed[outcome.result] = asked, call.instance

    def entered(call: Invocation) -> Generator[Any, Outcome, None]:
        asked, instance = managed.pop(call.instance, (None, None))
        return _watched(emit, None if asked is None else loops.ask(asked, _span_of(instance)))

    for module in ("anthropic.resources.messages", "anthropic.resources.beta.messages"):
        for cls in ("Messages", "AsyncMessages"):
            for method in ("create", "parse"):
                emit.patch.wrap(f"{module}:{cls}.{method}", create)
            emit.patch.wrap(f"{module}:{cls}.stream", stream)
    for module, beta in (("anthropic.lib.streaming._messages", ""), ("anthropic.lib.streaming._beta_messages", "Beta")):
        emit.patch.wrap(f"{module}:{beta}MessageStreamManager.__enter__", entered)
        emit.patch.wrap(f"{module}:{beta}AsyncMessageStreamManager.__aenter__", entered)
    for kind in ("Sync", "Async"):  # a runner that has asked as often as it may runs the tools, and asks no more
        emit.patch.wrap(
            f"anthropic.lib.tools._beta_runner:Base{kind}ToolRunner.__run__", lambda call: _until_left(loops, call)
        )


def _watched(emit: Emit, asking: Asking | None) -> Generator[Any, Outcome, None]:
    if asking is None:
        yield None
        return
    outcome = yield asking
    if outcome.error is not None or outcome.cancelled:
        asking.failed(outcome)
        return
    result = outcome.result
    if type(result).__name__ in ("LegacyAPIResponse", "APIResponse"):  # raw: what it parses to is kept for the program
        result = result.parse()
    raw = getattr(result, "_raw_stream", result)
    if hasattr(raw, "_iterator"):
        listen(emit, asking, raw, _Chunks())
    elif hasattr(result, "content"):
        asking.answered(_answer(result, [_plain(block) for block in result.content], result.stop_reason, result.usage))
    else:
        asking.answered(Answer([], [], final=True))


def _until_left(loops: Loops, call: Invocation) -> Generator[Any, Outcome, None]:
    outcome = yield None
    messages = call.instance._params.get("messages", ())  # noqa: SLF001  the list that it adds results to
    loops.left([_message(message) for message in messages], outcome)


def _span_of(instance: Any) -> Any:
    """Return whether the client starts a span for the call itself: then it is the one that stands for it."""
    said = getattr(getattr(instance, "_client", None), "open_telemetry", None)
    starts = isinstance(said, dict) and bool((said.get("traces") or {}).get("enabled"))
    return SPAN_EXPECTED if starts else None


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True, warnings=False) if hasattr(value, "model_dump") else value


def _request(call: Invocation) -> Request:
    given = {k: v for k, v in call.kwargs.items() if v is not None and type(v).__name__ not in ("Omit", "NotGiven")}
    client = getattr(call.instance, "_client", None)
    cloud = next((name for word, name in _CLOUDS.items() if word in type(client).__name__), None)
    messages = given.get("messages")
    found = [_message(m) for m in messages] if isinstance(messages, (list, tuple)) else []
    if (system := given.get("system")) is not None:
        found.insert(0, Message({"role": "system", "content": system}, [Said("system", system)]))
    return Request(
        cloud or provider_at(getattr(client, "base_url", None), "anthropic"),
        given.get("model"),
        found,
        streamed=bool(given.get("stream")),
        list_id=id(messages),
        forced=choice.get("name") if isinstance(choice := given.get("tool_choice"), dict) else None,
    )


def _message(message: Any) -> Message:
    """Return a message: kept as the parts that the conventions know, said as the loop wants it."""
    plain = _plain(message)
    role, content = plain.get("role", "user"), plain.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else [_plain(b) for b in content or []]
    said: list[Said] = []
    results = {b.get("tool_use_id"): b for b in blocks if str(b.get("type")).endswith("_tool_result")}
    for block in blocks:
        kind = block.get("type")
        if kind == "tool_use":
            said.append(Said("call", None, block.get("id"), block.get("name"), block.get("input")))
        elif kind == "tool_result":
            failed = bool(block.get("is_error"))
            said.append(Said("result", _text(block.get("content")), block.get("tool_use_id"), failed=failed))
        elif kind in ("server_tool_use", "mcp_tool_use"):
            said.append(_hosted(block, results.get(block.get("id"))))
    texts = [block["text"] for block in blocks if block.get("type") == "text" and block.get("text")]
    if texts:
        said.insert(0, Said("assistant" if role == "assistant" else "user", "".join(texts)))
    elif role == "user" and not said:
        said.append(Said("user", blocks))  # an image, a document
    return Message({"role": role, "parts": [_part(block) for block in blocks]}, said)


def _hosted(block: dict[str, Any], result: dict[str, Any] | None) -> Said:
    """Return the call of a tool that ran at the provider; its result is a block of the same answer."""
    content = None if result is None else result.get("content")
    kind = content.get("type") if isinstance(content, dict) else None
    failed = bool(result and result.get("is_error")) or str(kind).endswith("_error")
    return Said("hosted", _text(content), block.get("id"), block.get("name"), block.get("input"), failed=failed)


def _part(block: dict[str, Any]) -> dict[str, Any]:
    kind = block.get("type")
    if kind == "text":
        return {"type": "text", "content": block.get("text")}
    if kind == "tool_use":
        return {"type": "tool_call", "id": block.get("id"), "name": block.get("name"), "arguments": block.get("input")}
    if kind == "tool_result":
        response = _text(block.get("content"))
        return {"type": "tool_call_response", "id": block.get("tool_use_id"), "response": response}
    if kind == "thinking":
        return {"type": "reasoning", "content": block.get("thinking")}
    return {"type": "generic", "content": block}


def _text(content: Any) -> Any:
    if isinstance(content, (list, tuple)):
        texts = [text for part in content if isinstance(text := (_plain(part) or {}).get("text"), str)]
        return "".join(texts) if texts else [_plain(part) for part in content]
    return content


def _output(blocks: list[Any]) -> list[Any]:
    return [_message({"role": "assistant", "content": blocks}).plain]


def _answer(message: Any, blocks: list[Any], stop_reason: str | None, used: Any) -> Answer:
    return Answer(
        _output(blocks),
        _message({"role": "assistant", "content": blocks}).said,
        final=stop_reason not in _GOES_ON,
        model=getattr(message, "model", None),
        response_id=getattr(message, "id", None),
        usage=anthropic_usage(used),
        finish_reasons=[stop_reason] if stop_reason else [],
    )


class _Chunks:
    """Puts a streamed message together."""

    def __init__(self) -> None:
        self.message: Any = None
        self.usage: Any = None
        self.stop_reason: str | None = None
        self._stopped = False
        self._blocks: dict[int, dict[str, Any]] = {}
        self._json: dict[int, str] = {}

    def take(self, event: Any) -> None:
        """Take an event of the stream."""
        kind = event.type
        if kind == "message_start":
            self.message, self.usage = event.message, event.message.usage
        elif kind == "content_block_start":
            self._blocks[event.index] = dict(_plain(event.content_block))
        elif kind == "content_block_delta":
            block, delta = self._blocks.setdefault(event.index, {"type": "text", "text": ""}), event.delta
            if delta.type == "input_json_delta":
                self._json[event.index] = self._json.get(event.index, "") + delta.partial_json
            elif delta.type in ("text_delta", "thinking_delta"):
                name = delta.type.removesuffix("_delta")
                block[name] = block.get(name, "") + getattr(delta, name)
        elif kind == "message_delta":
            self.stop_reason = event.delta.stop_reason
            if self.usage is not None and event.usage is not None:  # cumulative: what it says replaces, not adds
                self.usage = self.usage.model_copy(update=_plain(event.usage))
        elif kind == "message_stop":
            self._stopped = True

    def is_whole(self) -> bool:
        """Return whether the message came to its end."""
        return self._stopped

    def answer(self) -> Answer:
        """Return the message as far as it came."""
        return _answer(self.message, self._so_far(), self.stop_reason, self.usage)

    def _so_far(self) -> list[dict[str, Any]]:
        """Return the blocks that came."""
        for index, text in self._json.items():
            with contextlib.suppress(ValueError):
                self._blocks[index]["input"] = json.loads(text or "{}")
        return [block for _, block in sorted(self._blocks.items())]
