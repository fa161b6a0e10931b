"""Amazon Bedrock through ``boto3``: handwritten loops over Converse, and single calls of InvokeModel.

Calls of any AWS client go through one function, which is wrapped; streams are read where botocore parses their events.
What a list of messages means for sessions, turns and tool calls is reported by :mod:`turnspan_integrations.loops`.
InvokeModel takes and gives bytes in each model's own words: of these the tokens are recorded, which stand in headers,
and no content. It is over 200 lines because it reads two services, Converse and InvokeModel, whole and as streams.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from turnspan.adapter import Emit, Invocation, Outcome, StreamObserver
from turnspan.events import Usage
from turnspan_integrations import embeddings
from turnspan_integrations.loops import Answer, Asking, Loops, Message, Request, Said
from turnspan_integrations.streams import Reader, ended
from turnspan_integrations.usage import bedrock_usage

REQUIRES = "botocore>=1.35,<2"
CANNOT = {
    "agents": "a client knows none",
    "sub-agents": "a tool's own loop is a conversation of its own",
    "handoffs": "a client knows none",
    "how long a tool took": "to less than the time between two calls of the model",
    "what `invoke_model` is given and answers": "its bytes are each model's own; tokens and the model are on record",
    "aiobotocore": "it has a function of its own",
    "a task that was left before the model was asked again": "in a loop without tasks",
}
_PROVIDER = "aws.bedrock"
_STREAMS = {"ConverseStream": "stream", "InvokeModelWithResponseStream": "body"}
"""Operations whose answers are streams, and where in the answer these are."""


def install(emit: Emit) -> None:
    """Wrap the function that all calls go through, and the one that streams are iterated by."""
    loops = Loops(emit)
    streams: WeakKeyDictionary[Any, tuple[Asking, Reader]] = WeakKeyDictionary()

    def called(call: Invocation) -> Generator[Any, Outcome, None]:
        operation, given = str(call.argument(0, "operation_name")), call.argument(1, "api_params") or {}
        if call.instance.meta.service_model.service_name != "bedrock-runtime":
            return
        converses = operation in ("Converse", "ConverseStream")
        if not converses and operation not in ("InvokeModel", "InvokeModelWithResponseStream"):
            return
        if not converses and "embed" in str(given.get("modelId")):
            yield from embeddings.observed(emit, embeddings.Asked(_PROVIDER, given.get("modelId"), None), _embedded)
            return
        asking = loops.ask(_request(given, operation) if converses else _invocation(given, operation))
        if asking is None:
            return
        outcome = yield asking
        if outcome.status != "success":
            asking.failed(outcome)
        elif (name := _STREAMS.get(operation)) is not None:
            streams[outcome.result[name]] = asking, Converse() if converses else Invoked(outcome.result)
        else:
            asking.answered((Converse() if converses else Invoked(outcome.result)).whole(outcome.result))

    def iterated(call: Invocation) -> Generator[Any, Outcome, None]:
        asking, reader = streams.pop(call.instance, (None, None))
        if asking is None or reader is None:
            return

        def take(event: Any) -> None:
            asking.call.chunk()
            reader.take(event)

        outcome = yield StreamObserver(asking, take)
        ended(asking, reader, outcome)

    emit.patch.wrap("botocore.client:BaseClient._make_api_call", called)
    emit.patch.wrap("botocore.eventstream:EventStream.__iter__", iterated)


# Converse ------------------------------------------------------------------------------------------------------------


def _request(given: dict[str, Any], operation: str) -> Request:
    messages = given.get("messages") or []
    found = [_message(message) for message in messages]
    if system := given.get("system"):
        text = "".join(block.get("text", "") for block in system)
        found.insert(0, Message({"role": "system", "content": text}, [Said("system", text)]))
    forced = ((given.get("toolConfig") or {}).get("toolChoice") or {}).get("tool") or {}
    return Request(
        _PROVIDER,
        given.get("modelId"),
        found,
        streamed=operation in _STREAMS,
        list_id=id(messages),
        forced=forced.get("name"),
    )


def _message(message: dict[str, Any]) -> Message:
    role, blocks = message.get("role", "user"), message.get("content") or []
    said: list[Said] = []
    if texts := [block["text"] for block in blocks if block.get("text")]:
        said.append(Said("assistant" if role == "assistant" else "user", "".join(texts)))
    for block in blocks:
        if call := block.get("toolUse"):
            said.append(Said("call", None, call.get("toolUseId"), call.get("name"), call.get("input")))
        elif result := block.get("toolResult"):
            failed = result.get("status") == "error"
            said.append(Said("result", _result(result), result.get("toolUseId"), failed=failed))
    if role == "user" and not said:
        said.append(Said("user", [next(iter(block), "") for block in blocks]))  # an image, a document
    return Message({"role": role, "parts": [_part(block) for block in blocks]}, said)


def _part(block: dict[str, Any]) -> dict[str, Any]:
    """Return a block as the conventions have it."""
    if (text := block.get("text")) is not None:
        return {"type": "text", "content": text}
    if call := block.get("toolUse"):
        return {
            "type": "tool_call",
            "id": call.get("toolUseId"),
            "name": call.get("name"),
            "arguments": call.get("input"),
        }
    if result := block.get("toolResult"):
        return {"type": "tool_call_response", "id": result.get("toolUseId"), "response": _result(result)}
    if thought := block.get("reasoningContent"):
        return {"type": "reasoning", "content": (thought.get("reasoningText") or {}).get("text")}
    return {"type": "generic", "content": block}


def _result(result: dict[str, Any]) -> Any:
    parts = [part["json"] if "json" in part else part.get("text", part) for part in result.get("content") or []]
    return parts[0] if len(parts) == 1 else parts


class Converse:
    """Reads an answer of Converse, whole or as events."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, str] = {}
        self._stop: str | None = None
        self._used: dict[str, Any] | None = None
        self._tier: Any = None

    def whole(self, result: Any) -> Answer:
        """Return what an answer says."""
        self._blocks = dict(enumerate(result["output"]["message"]["content"]))
        self._stop, self._used, self._tier = result.get("stopReason"), result.get("usage"), result.get("serviceTier")
        return self.answer()

    def take(self, event: Any) -> None:
        """Take an event."""
        if started := event.get("contentBlockStart"):
            self._blocks[started["contentBlockIndex"]] = {
                "toolUse": dict((started.get("start") or {}).get("toolUse") or {})
            }
        elif delta := event.get("contentBlockDelta"):
            self._add(delta["contentBlockIndex"], delta["delta"])
        elif stopped := event.get("messageStop"):
            self._stop = stopped.get("stopReason")
        elif about := event.get("metadata"):
            self._used, self._tier = about.get("usage"), about.get("serviceTier")

    def _add(self, index: int, delta: dict[str, Any]) -> None:
        block = self._blocks.setdefault(index, {})
        if "text" in delta:
            block["text"] = block.get("text", "") + delta["text"]
        elif "toolUse" in delta:
            self._inputs[index] = self._inputs.get(index, "") + delta["toolUse"].get("input", "")
        elif text := (delta.get("reasoningContent") or {}).get("text"):
            thought = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
            thought["text"] += text

    def is_whole(self) -> bool:
        """Return whether the model said why it stopped; what was used comes behind that."""
        return self._stop is not None

    def answer(self) -> Answer:
        """Return what came until now."""
        for index, text in self._inputs.items():
            with suppress(ValueError):
                self._blocks[index]["toolUse"]["input"] = json.loads(text or "{}")
        blocks = [block for _, block in sorted(self._blocks.items())]
        plain, said = _message({"role": "assistant", "content": blocks})
        return Answer(
            [plain] if blocks else [],
            said,
            final=self._stop != "tool_use",
            usage=None if self._used is None else bedrock_usage(self._used, (self._tier or {}).get("type")),
            finish_reasons=[self._stop] if self._stop else [],
        )


# InvokeModel ---------------------------------------------------------------------------------------------------------


def _invocation(given: dict[str, Any], operation: str) -> Request:
    return Request(_PROVIDER, given.get("modelId"), [], streamed=operation in _STREAMS)


class Invoked:
    """Reads what Bedrock itself says of an answer of InvokeModel: in headers, or in the last event of a stream."""

    def __init__(self, result: Any) -> None:
        headers = (result.get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
        self._counts = {
            "inputTokens": _number(headers.get("x-amzn-bedrock-input-token-count")),
            "outputTokens": _number(headers.get("x-amzn-bedrock-output-token-count")),
            "cacheReadInputTokens": _number(headers.get("x-amzn-bedrock-cache-read-input-token-count")),
            "cacheWriteInputTokens": _number(headers.get("x-amzn-bedrock-cache-write-input-token-count")),
        }
        self._ended = False

    def whole(self, _result: Any) -> Answer:
        """Return what is known of an answer; its body is the program's to read."""
        return self.answer()

    def take(self, event: Any) -> None:
        """Take an event."""
        with suppress(ValueError, AttributeError):
            said = (
                json.loads((event.get("chunk") or {}).get("bytes") or b"{}").get("amazon-bedrock-invocationMetrics")
                or {}
            )
            if said:
                self._ended = True
                self._counts |= {
                    "inputTokens": said.get("inputTokenCount"),
                    "outputTokens": said.get("outputTokenCount"),
                    "cacheReadInputTokens": said.get("cacheReadInputTokenCount"),
                    "cacheWriteInputTokens": said.get("cacheWriteInputTokenCount"),
                }

    def is_whole(self) -> bool:
        """Return whether the last event came."""
        return self._ended

    def answer(self) -> Answer:
        """Return what is known."""
        known = any(count is not None for count in self._counts.values())
        return Answer([], [], final=True, usage=bedrock_usage(self._counts, None) if known else None)


def _embedded(result: Any) -> tuple[str | None, Usage | None]:
    used = Invoked(result).answer().usage
    return None, None if used is None else Usage(input_tokens=used.input_tokens)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
