"""Gemini's own interface: contents are generated, whole or as events."""

from typing import Any

from support.model_server.openai_errors import closed
from support.model_server.script import Answer, Background, Disconnect, HttpError, Usage, as_step, pieces
from support.model_server.wire import Cut, Reply, Request, sse, streamed, whole

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}


def serves(request: Request) -> bool:
    """Return whether a request is for this protocol."""
    path = request.path.partition("?")[0]
    return request.method == "POST" and path.endswith((":generateContent", ":streamGenerateContent"))


def no_more(message: str) -> Reply:
    """Return the reply to more requests than the script has answers for."""
    return _http_error(HttpError(400, message))


def _http_error(error: HttpError) -> Reply:
    body = {"code": error.status, "message": error.message, "status": _STATUS.get(error.status, "UNKNOWN")}
    return whole({"error": body}, status=error.status)


def reply(conversation: Any, request: Request) -> Reply:
    """Return the next answer."""
    step, number = conversation.next()
    match step := as_step(step, request):
        case Reply():
            return step
        case HttpError():
            return _http_error(step)
        case Disconnect():
            return closed(step)
        case Background():
            step = step.answer
    path = request.path.partition("?")[0]
    model = step.model or path.rpartition("/")[2].partition(":")[0]
    base = {"modelVersion": model, "responseId": number, **step.more}
    if path.endswith(":generateContent"):
        cut = Cut(step.breaks.reset) if isinstance(step.breaks, Disconnect) else None
        return whole({**base, **_chunk(_parts(step), _ended(step))}, delay_s=step.delay_s, cut=cut)
    bodies = [{**base, **_chunk([part], {})} for part in _parts(step, in_pieces=True)]
    bodies = bodies or [{**base, **_chunk([], {})}]
    bodies[-1] = {**bodies[-1], **_chunk(bodies[-1]["candidates"][0]["content"]["parts"], _ended(step))}
    frames: list[Any] = [sse(body) for body in bodies]
    if isinstance(step.breaks, Disconnect):
        frames[-1] = Cut(step.breaks.reset)
    return streamed(frames, delay_s=step.delay_s)


def _chunk(parts: list[dict[str, Any]], ended: dict[str, Any]) -> dict[str, Any]:
    content = {"role": "model", "parts": parts}
    candidate = {"content": content, "index": 0, **{k: v for k, v in ended.items() if k == "finishReason"}}
    return {"candidates": [candidate], **{k: v for k, v in ended.items() if k != "finishReason"}}


def _ended(answer: Answer) -> dict[str, Any]:
    used = {} if answer.usage is None else {"usageMetadata": usage(answer.usage)}
    return {"finishReason": (answer.finish or "STOP").upper(), **used}


def _parts(answer: Answer, *, in_pieces: bool = False) -> list[dict[str, Any]]:
    def cut(text: str | None) -> list[str]:
        return pieces(text or "") if in_pieces else [text] if text else []

    calls = [{"functionCall": {"name": call.name, "args": call.arguments}} for call in answer.tool_calls]
    thoughts = [{"text": text, "thought": True} for text in cut(answer.thinking)]
    return [*thoughts, *({"text": text} for text in cut(answer.text)), *calls]


def usage(used: Usage) -> dict[str, Any]:
    """Return tokens as this protocol says them: thoughts are beside what was made."""
    thought = used.reasoning_tokens or 0
    counts = {"promptTokenCount": used.input_tokens, "candidatesTokenCount": used.output_tokens - thought,
              "totalTokenCount": used.input_tokens + used.output_tokens}  # fmt: skip
    more = {"cachedContentTokenCount": used.cached_tokens, "thoughtsTokenCount": used.reasoning_tokens}
    return {**counts, **{name: count for name, count in more.items() if count is not None}}
