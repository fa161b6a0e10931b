"""Responses: what a request and an answer of the ``openai`` client say, items of every kind among them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from turnspan.adapter import Outcome
from turnspan_integrations.loops import Answer, Kind, Message, Request, Said
from turnspan_integrations.openai_values import forced_tool, plain, role_of, text_of
from turnspan_integrations.usage import openai_usage

_ASKED = {
    "function_call": "arguments",
    "custom_tool_call": "input",
    "computer_call": "action",
    "local_shell_call": "action",
    "shell_call": "action",
    "apply_patch_call": "operation",
}
"""Calls that the program makes, and where they have their arguments."""
_HOSTED = {
    "web_search_call": ("action", None),
    "file_search_call": ("queries", "results"),
    "code_interpreter_call": ("code", "outputs"),
    "image_generation_call": ("revised_prompt", None),
    "mcp_call": ("arguments", "output"),
}
"""Calls that were made at the provider, and where they have their arguments and their result."""


def request(asked: dict[str, Any], provider: str) -> Request:
    """Return what is asked."""
    content = asked.get("input", [])
    items = [{"role": "user", "content": content}] if isinstance(content, str) else content
    messages = [_item(item) for item in items] if isinstance(items, (list, tuple)) else []
    if (instructions := asked.get("instructions")) is not None:
        messages.insert(0, Message({"role": "system", "content": instructions}, [Said("system", instructions)]))
    conversation = asked.get("conversation")
    own = conversation.get("id") if isinstance(conversation, dict) else getattr(conversation, "id", conversation)
    return Request(
        provider,
        asked.get("model"),
        messages,
        streamed=bool(asked.get("stream")),
        own=own,
        previous=asked.get("previous_response_id"),
        list_id=id(content),
        forced=forced_tool(asked),
    )


def _item(item: Any) -> Message:
    data = plain(item)
    kind = data.get("type") or "message"
    if kind.endswith("_call_output"):  # a local shell's output has the id of its call as its own
        return Message(data, [Said("result", text_of(data.get("output")), data.get("call_id") or data.get("id"))])
    if kind in _ASKED:
        name = data.get("name") or kind.removesuffix("_call")
        return Message(data, [Said("call", None, data.get("call_id") or data.get("id"), name, data.get(_ASKED[kind]))])
    if kind in _HOSTED:
        return Message(data, [_hosted(kind, data)])
    if kind == "mcp_approval_request":
        return Message(data, [Said("approval", None, data.get("id"), data.get("name"), data.get("arguments"))])
    if kind == "mcp_approval_response":
        decided: Kind = "approved" if data.get("approve") else "denied"
        return Message(data, [Said(decided, data.get("reason"), data.get("approval_request_id"))])
    if kind != "message":
        return Message(data, [])  # reasoning, and lists of what a server offers
    return Message(data, [Said(role_of(data), text_of(data.get("content")))])


def _hosted(kind: str, data: dict[str, Any]) -> Said:
    asked, answered = _HOSTED[kind]
    given, result = data.get(asked), data.get(answered) if answered else None
    if kind == "web_search_call" and isinstance(given, dict):
        given = dict(given)
        result = given.pop("sources", None)
    arguments = given if isinstance(given, dict) or kind == "mcp_call" else {} if given is None else {asked: given}
    if error := data.get("error"):
        result = error
    elif result is None:
        result = {"status": data.get("status")}
    name, failed = data.get("name") or kind.removesuffix("_call"), bool(error) or data.get("status") == "failed"
    return Said("hosted", result, data.get("id"), name, arguments, failed=failed)


def said_in(output: Iterable[Any]) -> list[Said]:
    """Return what the items of an answer say."""
    return _ran_at_the_provider([one for item in output for one in _item(item).said])


def _ran_at_the_provider(said: list[Said]) -> list[Said]:
    """Return what an answer says; a call whose result is in it as well has been made where the model runs."""
    results = {one.call_id: one for one in said if one.kind == "result"}
    return [
        one._replace(kind="hosted", text=results[one.call_id].text)
        if one.kind == "call" and one.call_id in results
        else one
        for one in said
        if one.kind != "result"
    ]


class Reader:
    """Reads a response, whole or as events."""

    def __init__(self) -> None:
        self._whole: Any = None
        self._begun: Any = None
        self._text = ""
        self._failure: Outcome | None = None

    def parsed(self, data: Any) -> Any:
        """Return the answer of a raw response."""
        from openai.types.responses import Response

        return Response.construct(**data)

    def whole(self, result: Any) -> Answer:
        """Return what a response says."""
        items = [_item(item) for item in result.output or []]
        said = _ran_at_the_provider([one for item in items for one in item.said])
        goes_on = any(one.kind in ("call", "approval") for one in said)
        why = getattr(result.incomplete_details, "reason", None) or ("tool_calls" if goes_on else "stop")
        return Answer(
            [{"role": "assistant", **item.plain} if "content" in item.plain else item.plain for item in items],
            said,
            final=not goes_on,
            model=result.model,
            response_id=result.id,
            usage=openai_usage(result.usage, getattr(result, "service_tier", None)),
            finish_reasons=[why],
            outcome=_outcome_of(result),
        )

    def take(self, event: Any) -> None:
        """Take an event of a stream."""
        if event.type in ("response.completed", "response.incomplete", "response.failed", "response.cancelled"):
            self._whole = event.response
        elif event.type == "response.created":
            self._begun = event.response
        elif event.type in ("response.output_text.delta", "response.refusal.delta"):
            self._text += event.delta
        elif event.type == "error":
            self._failure = Outcome.failed(event.message, event.code)

    def is_whole(self) -> bool:
        """Return whether the provider said how the response ended."""
        return self._whole is not None or self._failure is not None

    def answer(self) -> Answer:
        """Return the whole response, or what was streamed until now."""
        if self._whole is not None:
            return self.whole(self._whole)
        said = [Said("assistant", self._text)] if self._text else []
        return Answer(
            [{"role": "assistant", "content": self._text}] if self._text else [],
            said,
            final=True,
            model=getattr(self._begun, "model", None),
            response_id=getattr(self._begun, "id", None),
            outcome=self._failure or Outcome(),
        )


def _outcome_of(result: Any) -> Outcome:
    status = getattr(result, "status", None)
    if status == "failed":
        error = result.error
        return Outcome.failed(getattr(error, "message", None) or "failed", getattr(error, "code", None))
    return Outcome(error="cancelled at the provider", cancelled=True) if status == "cancelled" else Outcome()
