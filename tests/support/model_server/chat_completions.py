"""OpenAI's chat completions, and what servers that are compatible with it do."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from support.model_server import openai_errors
from support.model_server.script import (
    Answer,
    Background,
    Disconnect,
    HttpError,
    StreamError,
    ToolCall,
    Usage,
    as_step,
    pieces,
)
from support.model_server.wire import Cut, Reply, Request, sse, streamed, whole

FILTERED = {"hate": {"filtered": False, "severity": "safe"}}


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol; Azure has the deployment in the path."""
    return request.method == "POST" and request.path.partition("?")[0].endswith(
        ("/chat/completions", "/agents/completions")
    )


no_more = openai_errors.no_more


def reply(conversation: Any, request: Request) -> Reply:
    """Return the next answer."""
    step, number = conversation.next()
    step = as_step(step, request)
    match step:
        case Reply():
            return step
        case HttpError():
            return openai_errors.http_error(step)
        case Disconnect():
            return openai_errors.closed(step)
        case Background():
            step = step.answer
    asked = request.json
    if (request.header("user-agent") or "").startswith("mistral-client"):  # as Mistral streams
        step = replace(step, shape=replace(step.shape, usage="finish", tool_index="whole"))
    base = {
        "id": f"chatcmpl-{number}",
        "created": 1_700_000_000,
        "model": step.model or asked.get("model") or asked["agent_id"],
        **step.more,
    }
    headers = {"x-request-id": f"req_{number}", **step.headers}
    if not asked.get("stream"):
        if isinstance(step.breaks, StreamError):
            return openai_errors.http_error(HttpError(500, step.breaks.message, step.breaks.type, step.breaks.code))
        cut = Cut(step.breaks.reset) if step.breaks else None
        return whole(_completion(step, base), headers=headers, delay_s=step.delay_s, cut=cut)
    return streamed(list(_frames(step, base, asked)), headers, delay_s=step.delay_s)


def _completion(answer: Answer, base: dict[str, Any]) -> dict[str, Any]:
    choices = [_choice(one, n) for n, one in enumerate((answer, *answer.alternatives))]
    body = {**base, "object": "chat.completion", "choices": choices}
    if answer.usage is not None and answer.shape.usage != "never":
        body["usage"] = usage(answer.usage)
    if answer.shape.azure:
        body["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": FILTERED}]
    return body


def _choice(answer: Answer, index: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    if answer.thinking is not None:
        message["reasoning_content"] = answer.thinking  # DeepSeek, vLLM and others
    if answer.hosted:
        message["annotations"] = [_citation(tool.result) for tool in answer.hosted]
    calls = [call for call in answer.tool_calls if not call.legacy]
    if calls:
        message["tool_calls"] = [_call(call) for call in calls]
    if legacy := [call for call in answer.tool_calls if call.legacy]:
        message["function_call"] = _call(legacy[0])["function"]
    choice = {"index": index, "message": message, "finish_reason": finish_reason(answer), "logprobs": None}
    return {**choice, "content_filter_results": FILTERED} if answer.shape.azure else choice


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
    return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _citation(result: Any) -> dict[str, Any]:
    cited = {"url": "https://example.com", "title": str(result), "start_index": 0, "end_index": 0}
    return {"type": "url_citation", "url_citation": cited}


def finish_reason(answer: Answer) -> str:
    """Return how an answer ends."""
    if answer.finish is not None or not answer.tool_calls:
        return answer.finish or "stop"
    return "function_call" if answer.tool_calls[0].legacy else "tool_calls"


def usage(used: Usage) -> dict[str, Any]:
    """Return tokens as this protocol says them."""
    body: dict[str, Any] = {
        "prompt_tokens": used.input_tokens,
        "completion_tokens": used.output_tokens,
        "total_tokens": used.input_tokens + used.output_tokens,
    }
    details = {
        "prompt_tokens_details": {
            "cached_tokens": used.cached_tokens,
            "cache_write_tokens": used.cache_write_tokens,
            "audio_tokens": used.audio_input_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": used.reasoning_tokens,
            "audio_tokens": used.audio_output_tokens,
        },
    }
    for name, values in details.items():
        if known := {key: value for key, value in values.items() if value is not None}:
            body[name] = known
    return body


def _frames(answer: Answer, base: dict[str, Any], asked: dict[str, Any]) -> Iterator[Any]:
    shape = answer.shape
    base = {**base, "object": "chat.completion.chunk"}
    wants_usage = (asked.get("stream_options") or {}).get("include_usage")
    used = usage(answer.usage) if answer.usage is not None else None
    if wants_usage:
        base["usage"] = None  # the protocol: null in every chunk but the last
    if shape.usage == "each":
        base["usage"] = used
    if shape.azure:
        filtered = [{"prompt_index": 0, "content_filter_results": FILTERED}]
        yield sse({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": filtered})
    answers = (answer, *answer.alternatives)
    for deltas in itertools.zip_longest(*(_deltas(one) for one in answers)):
        for index, delta in enumerate(deltas):
            if delta is not None:
                yield sse({**base, "choices": [{"index": index, "delta": delta, "finish_reason": None}]})
        if shape.keep_alive:
            yield b": keep-alive\n\n"
    if answer.held_by is not None:
        yield answer.held_by
    match answer.breaks:
        case Disconnect(reset=reset):
            yield Cut(reset)
        case StreamError():
            yield sse({"error": openai_errors.error_object(answer.breaks)})
            return
    for index, one in enumerate(answers if shape.finish else ()):
        last = {**base, "usage": used} if shape.usage == "finish" else base
        choice = {"index": index, "delta": None if shape.azure else {}, "finish_reason": finish_reason(one)}
        yield sse({**last, "choices": [choice]})
    if shape.azure:
        offsets = {"check_offset": 0, "start_offset": 0, "end_offset": 0}
        choice = {"index": 0, "content_filter_results": FILTERED, "content_filter_offsets": offsets}
        empty = {"id": "", "object": "", "created": 0, "model": ""}
        yield sse({**empty, "choices": [{**choice, "finish_reason": None}]})
    if used is not None and (shape.usage == "always" or (shape.usage == "as asked" and wants_usage)):
        yield sse({**base, "choices": [], "usage": used})
    if shape.done:
        yield sse("[DONE]")


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    role: dict[str, Any] = {"role": "assistant", "content": None if answer.tool_calls else ""}
    yield role
    yield from ({"reasoning_content": piece} for piece in pieces(answer.thinking or ""))
    yield from ({"refusal": piece} for piece in pieces(answer.refusal or ""))
    yield from ({"content": piece} for piece in pieces(answer.text or ""))
    for number, call in enumerate(answer.tool_calls):
        whole_call = _call(call)
        function = whole_call["function"]
        if call.legacy:
            yield {"function_call": {"name": call.name, "arguments": ""}}
            yield from ({"function_call": {"arguments": half}} for half in halves(function["arguments"]))
            continue
        at = {"own": {"index": number}, "whole": {"index": number}, "same": {"index": 0}, "none": {}}[
            answer.shape.tool_index
        ]
        if answer.shape.tool_index != "own":  # such servers send a call in one piece
            yield {"tool_calls": [{**at, **whole_call}]}
            continue
        yield {"tool_calls": [{**at, **whole_call, "function": {**function, "arguments": ""}}]}
        yield from ({"tool_calls": [{**at, "function": {"arguments": h}}]} for h in halves(function["arguments"]))


def halves(text: str) -> list[str]:
    """Return a text in two pieces, cut anywhere."""
    return [half for half in (text[: len(text) // 2], text[len(text) // 2 :]) if half]
