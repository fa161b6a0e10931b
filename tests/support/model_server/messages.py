"""Anthropic's messages, and what servers that are compatible with it do."""

from collections.abc import Iterator
from typing import Any

from support.model_server.message_blocks import block_events, content
from support.model_server.openai_errors import closed, retry_headers
from support.model_server.script import Answer, Background, Disconnect, HttpError, StreamError, Usage, as_step
from support.model_server.wire import Cut, Reply, Request, sse, streamed, whole

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
         413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}  # fmt: skip


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol."""
    return request.method == "POST" and "/v1/messages" in request.path


def no_more(message: str) -> Reply:
    """Return the reply to more requests than the script has answers for: one that no client tries again."""
    return _http_error(HttpError(400, message))


def _http_error(error: HttpError) -> Reply:
    body = {"type": error.type or TYPES.get(error.status, "api_error"), "message": error.message, **error.more}
    more = {"request_id": "req_error"}
    return whole({"type": "error", "error": body, **more}, status=error.status, headers=retry_headers(error))


def reply(conversation: Any, request: Request) -> Reply:
    """Return the next answer, or how many tokens a request would have."""
    if request.path.partition("?")[0].endswith("/count_tokens"):
        return whole({"input_tokens": len(request.body)})
    step, number = conversation.next()
    step = as_step(step, request)
    match step:
        case Reply():
            return step
        case HttpError():
            return _http_error(step)
        case Disconnect():
            return closed(step)
        case Background():
            step = step.answer
    asked = request.json
    body = _message(step, asked, number)
    headers = {"request-id": f"req_{number}", **step.headers}
    if asked.get("stream"):
        return streamed(list(_frames(step, body)), headers, delay_s=step.delay_s)
    if isinstance(step.breaks, StreamError):
        return _http_error(HttpError(500, step.breaks.message, step.breaks.type))
    return whole(body, headers=headers, delay_s=step.delay_s, cut=Cut(step.breaks.reset) if step.breaks else None)


def _message(answer: Answer, asked: dict[str, Any], number: str) -> dict[str, Any]:
    return {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": answer.model or asked["model"],
        "content": content(answer), "stop_reason": stop_reason(answer), "stop_sequence": None,
        "stop_details": _refused(answer), "usage": usage(answer.usage or Usage(0, 0)), **answer.more,
    }  # fmt: skip


def stop_reason(answer: Answer) -> str:
    """Return how an answer ends."""
    if answer.finish is not None:
        return answer.finish
    if answer.refusal is not None:
        return "refusal"
    return "tool_use" if answer.tool_calls else "end_turn"


def _refused(answer: Answer) -> dict[str, Any] | None:
    if answer.refusal is None:
        return None
    return {"type": "refusal", "category": None, "explanation": answer.refusal}


def usage(used: Usage) -> dict[str, Any]:
    """Return tokens as this protocol says them: input tokens are those that no cache had."""
    body: dict[str, Any] = {"input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
    known = {
        "cache_read_input_tokens": used.cached_tokens,
        "cache_creation_input_tokens": used.cache_write_tokens,
    }
    body |= {key: value for key, value in known.items() if value is not None}
    if used.web_search_requests is not None:
        body["server_tool_use"] = {"web_search_requests": used.web_search_requests, "web_fetch_requests": 0}
    return body


def _usages(answer: Answer, whole_usage: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return what the start and the end of a stream say of tokens."""
    first, last = {**whole_usage, "output_tokens": 1}, {"output_tokens": whole_usage["output_tokens"]}
    first.pop("server_tool_use", None)
    match answer.shape.usage:
        case "cumulative":
            return {"input_tokens": 0, "output_tokens": 0}, whole_usage
        case "start":
            return whole_usage, None
        case "never":
            return {"input_tokens": 0, "output_tokens": 0}, None
        case "always":
            return first, whole_usage
    if "server_tool_use" in whole_usage:  # what a search has found is read, too: the end knows of more than the start
        return {**first, "input_tokens": whole_usage["input_tokens"] // 2}, whole_usage
    return first, last


def _frames(answer: Answer, body: dict[str, Any]) -> list[Any]:
    return [sse(e, name=e["type"]) if isinstance(e, dict) else e for e in _events(answer, body)]


def _events(answer: Answer, body: dict[str, Any]) -> Iterator[Any]:
    first, last = _usages(answer, body["usage"])
    begun = {**body, "content": [], "stop_reason": None, "stop_details": None, "usage": first}
    yield {"type": "message_start", "message": begun}
    closing: list[dict[str, Any]] = []
    for index, block in enumerate(body["content"]):
        yield from closing
        *events, stop = block_events(block, index)
        yield from events
        closing = [stop]
        if answer.shape.keep_alive:
            yield {"type": "ping"}
    if answer.held_by is not None:
        yield answer.held_by
    match answer.breaks:
        case Disconnect(reset=reset):
            yield Cut(reset)
        case StreamError():
            error = {"type": answer.breaks.type, "message": answer.breaks.message}
            yield {"type": "error", "error": error}
            return
    yield from closing
    if answer.shape.finish:
        delta = {"stop_reason": body["stop_reason"], "stop_sequence": None, "stop_details": body["stop_details"]}
        yield {"type": "message_delta", "delta": delta, "usage": last or {"output_tokens": first["output_tokens"]}}
        yield {"type": "message_stop"}
