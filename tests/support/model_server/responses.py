"""OpenAI's responses: plain, streamed, in the background, retrieved and cancelled."""

from collections.abc import Iterator
from typing import Any

from support.model_server import openai_errors
from support.model_server.response_events import item_events
from support.model_server.response_items import output
from support.model_server.script import Answer, Background, Disconnect, HttpError, StreamError, Usage, as_step
from support.model_server.wire import Cut, Reply, Request, sse, streamed, whole

ENDINGS = {"completed": "response.completed", "failed": "response.failed", "incomplete": "response.incomplete"}


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol."""
    return "/responses" in request.path and request.method in ("POST", "GET", "DELETE")


no_more = openai_errors.no_more


def reply(conversation: Any, request: Request) -> Reply:
    """Return the next answer, or one that is already there."""
    ident, _, action = request.path.partition("?")[0].partition("/responses")[2].strip("/").partition("/")
    if ident:
        return _stored(conversation, request, ident, action)
    step, number = conversation.next()
    step = as_step(step, request)
    match step:
        case Reply():
            return step
        case HttpError():
            return openai_errors.http_error(step)
        case Disconnect():
            return openai_errors.closed(step)
    polls = 0
    if isinstance(step, Background):
        step, polls = step.answer, step.polls
    asked = request.json
    body = _body(step, asked, number)
    headers = {"x-request-id": f"req_{number}", **step.headers}
    if asked.get("background"):
        conversation.state[body["id"]] = [step, body, polls]
        queued = _unfinished(body, "queued")
        if not asked.get("stream"):
            return whole(queued, headers=headers, delay_s=step.delay_s)
    if asked.get("stream"):
        return streamed(list(_frames(step, body)), headers, delay_s=step.delay_s)
    if isinstance(step.breaks, StreamError):
        return openai_errors.http_error(HttpError(500, step.breaks.message, step.breaks.type, step.breaks.code))
    return whole(body, headers=headers, delay_s=step.delay_s, cut=Cut(step.breaks.reset) if step.breaks else None)


def _stored(conversation: Any, request: Request, ident: str, action: str) -> Reply:
    """Return an answer in the background: how far it is, streamed from where the client left it, or cancelled."""
    kept = conversation.state.get(ident)
    if kept is None:
        return openai_errors.http_error(HttpError(404, f"Response with id '{ident}' not found.", code="not_found"))
    answer, body, polls = kept
    if request.method == "DELETE":
        del conversation.state[ident]
        return whole({"id": ident, "object": "response", "deleted": True})
    if action == "cancel":
        kept[1:] = [{**_unfinished(body, "cancelled"), "output": []}, 0]
        return whole(kept[1])
    query = dict(pair.partition("=")[::2] for pair in request.path.partition("?")[2].split("&"))
    if query.get("stream") == "true":
        return streamed(list(_frames(answer, body))[int(query.get("starting_after", -1)) + 1 :])
    if polls:
        kept[2] -= 1
        return whole(_unfinished(body, "in_progress"))
    return whole(body)


def _body(answer: Answer, asked: dict[str, Any], number: str) -> dict[str, Any]:
    used = answer.usage if answer.shape.usage != "never" else None
    error = answer.error or StreamError("the model fell over")
    incomplete = answer.status == "incomplete"
    return {
        "id": f"resp_{number}", "object": "response", "created_at": 1_700_000_000, "model": answer.model or asked["model"],
        "status": answer.status,
        "error": {"code": error.type, "message": error.message} if answer.status == "failed" else None,
        "incomplete_details": {"reason": answer.finish or "max_output_tokens"} if incomplete else None,
        "output": output(answer, number), "usage": usage(used) if used else None,
        **{key: asked.get(key) for key in ("instructions", "previous_response_id", "background", "conversation")},
        "parallel_tool_calls": True, "tool_choice": asked.get("tool_choice", "auto"), "tools": asked.get("tools", []),
        "metadata": asked.get("metadata") or {}, "temperature": 1.0, "top_p": 1.0, "store": asked.get("store", True),
        **answer.more,
    }  # fmt: skip


def _unfinished(body: dict[str, Any], status: str) -> dict[str, Any]:
    return {**body, "status": status, "output": [], "usage": None, "error": None, "incomplete_details": None}


def usage(used: Usage) -> dict[str, Any]:
    """Return tokens as this protocol says them: the details are always there."""
    inputs = {"cached_tokens": used.cached_tokens or 0, "cache_write_tokens": used.cache_write_tokens or 0}
    return {
        "input_tokens": used.input_tokens, "input_tokens_details": inputs,
        "output_tokens": used.output_tokens, "output_tokens_details": {"reasoning_tokens": used.reasoning_tokens or 0},
        "total_tokens": used.input_tokens + used.output_tokens,
    }  # fmt: skip


def _frames(answer: Answer, body: dict[str, Any]) -> list[Any]:
    numbers = iter(range(10_000))
    frames = []
    for event in _events(answer, body):
        if isinstance(event, dict):
            event = sse({**event, "sequence_number": next(numbers)}, name=event["type"])
        frames.append(event)
    return frames


def _events(answer: Answer, body: dict[str, Any]) -> Iterator[Any]:
    begun = _unfinished(body, "in_progress")
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    closing: list[dict[str, Any]] = []
    for index, item in enumerate(body["output"]):
        yield from closing
        events = list(item_events(item, index))
        split = next(n for n in range(len(events), 0, -1) if not events[n - 1]["type"].endswith(".done"))
        yield from events[:split]
        closing = events[split:]
        if answer.shape.keep_alive:
            yield b": keep-alive\n\n"
    if answer.held_by is not None:
        yield answer.held_by
    match answer.breaks:
        case Disconnect(reset=reset):
            yield Cut(reset)
        case StreamError():
            error = openai_errors.error_object(answer.breaks)
            yield {**error, "type": "error", "code": answer.breaks.code or answer.breaks.type}
            return
    yield from closing
    if answer.shape.finish:
        yield {"type": ENDINGS[answer.status], "response": body}
