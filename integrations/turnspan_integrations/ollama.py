"""The ``ollama`` client: handwritten loops over chats, and answers to single prompts.

Methods of the client are wrapped, and the functions of the package, which are methods of a client of its own. What a list
of messages means for sessions, turns and tool calls is reported by :mod:`turnspan_integrations.loops`. Calls of tools have
no ids here: a result is of the oldest call of its tool, or where it names none, of the oldest call.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from turnspan.adapter import Emit, Invocation, Outcome
from turnspan.events import Usage
from turnspan_integrations import embeddings
from turnspan_integrations.loops import Answer, Kind, Loops, Message, Request, Said
from turnspan_integrations.streams import observed

REQUIRES = "ollama>=0.4,<0.7"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "tool failures": "the program hands an error on as text, like any other result",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "embeddings outside of a turn": "nothing says which session they belong to; the old `embeddings` says no tokens",
    "a task that was left before the model was asked again": "in a loop without tasks",
}
_ROLES: dict[str, Kind] = {"system": "system", "user": "user", "assistant": "assistant"}


def install(emit: Emit) -> None:
    """Wrap what asks a model."""
    loops = Loops(emit)

    def chat(call: Invocation) -> Generator[Any, Outcome, None]:
        messages = call.argument(1, "messages") or []
        return observed(loops.ask(_request(call, _messages(messages), id(messages))), Reader())

    def generate(call: Invocation) -> Generator[Any, Outcome, None]:
        prompt, system = call.argument(1, "prompt") or "", call.kwargs.get("system")
        asked = [{"role": "system", "content": system}] if system else []
        return observed(loops.ask(_request(call, _messages([*asked, {"role": "user", "content": prompt}]))), Reader())

    def embed(call: Invocation) -> Generator[Any, Outcome, None]:
        asked = embeddings.Asked("ollama", call.argument(0, "model"), call.argument(1, "input"))
        return embeddings.observed(emit, asked, _embedded)

    for owner in ("ollama._client:Client.", "ollama._client:AsyncClient.", "ollama:"):
        emit.patch.wrap(f"{owner}chat", chat)
        emit.patch.wrap(f"{owner}generate", generate)
        emit.patch.wrap(f"{owner}embed", embed)


def _embedded(result: Any) -> tuple[str | None, Usage | None]:
    said = _plain(result)
    count = said.get("prompt_eval_count")
    return said.get("model"), None if count is None else Usage(input_tokens=count)


def _request(call: Invocation, messages: list[Message], list_id: int = 0) -> Request:
    return Request(
        "ollama", call.argument(0, "model"), messages, streamed=bool(call.kwargs.get("stream")), list_id=list_id
    )


def _messages(given: Any) -> list[Message]:
    """Return what is said, results under the names of the calls that they are of."""
    waiting: list[str] = []
    found: list[Message] = []
    for one in given:
        data = _plain(one)
        if data.get("role") == "tool":
            name = data.get("tool_name") or data.get("name") or (waiting[0] if waiting else None)
            if name in waiting:
                waiting.remove(name)
            found.append(Message(data, [Said("result", data.get("content"), None, name)]))
            continue
        said = _said(data)
        waiting += [str(call.name) for call in said if call.kind == "call"]
        found.append(Message(data, said))
    return found


def _said(data: dict[str, Any]) -> list[Said]:
    kind, content = _ROLES.get(str(data.get("role")), "user"), data.get("content")
    said = [Said(kind, content)] if content or kind != "assistant" else []
    calls = [_plain(call).get("function") or {} for call in data.get("tool_calls") or []]
    return said + [Said("call", None, None, call.get("name"), call.get("arguments")) for call in map(_plain, calls)]


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value


class Reader:
    """Reads an answer, whole or in chunks: each chunk is an answer that goes on."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {"role": "assistant", "content": ""}
        self._last: dict[str, Any] = {}

    def whole(self, result: Any) -> Answer:
        """Return what an answer says."""
        self.take(result)
        return self.answer()

    def take(self, chunk: Any) -> None:
        """Take a chunk; that of a single prompt has the text beside it, without a message."""
        self._last = data = _plain(chunk)
        said = data.get("message") or {"content": data.get("response"), "thinking": data.get("thinking")}
        self._message["content"] += said.get("content") or ""
        if thought := said.get("thinking"):
            self._message["thinking"] = self._message.get("thinking", "") + thought
        if calls := said.get("tool_calls"):
            self._message["tool_calls"] = [*self._message.get("tool_calls", []), *calls]

    def is_whole(self) -> bool:
        """Return whether the model has ended its answer."""
        return bool(self._last.get("done"))

    def answer(self) -> Answer:
        """Return what came until now; the last chunk says what it took."""
        said, last = _said(self._message), self._last
        given, made = last.get("prompt_eval_count"), last.get("eval_count")
        return Answer(
            [{name: value for name, value in self._message.items() if value}],
            said,
            final=not any(one.kind == "call" for one in said),
            model=last.get("model"),
            usage=None if given is None and made is None else Usage(input_tokens=given, output_tokens=made),
            finish_reasons=[reason] if (reason := last.get("done_reason")) else [],
        )
