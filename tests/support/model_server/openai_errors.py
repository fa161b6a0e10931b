"""How OpenAI's protocols say no."""

from support.model_server.script import Disconnect, HttpError, StreamError
from support.model_server.wire import Cut, Reply, whole

TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error",
         429: "requests", 500: "server_error", 503: "server_error"}  # fmt: skip
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def http_error(error: HttpError) -> Reply:
    """Return an error's reply."""
    body = {
        "message": error.message,
        "type": error.type or TYPES.get(error.status, "server_error"),
        "param": error.param,
        "code": error.code or CODES.get(error.status),
        **error.more,
    }
    return whole({"error": body}, status=error.status, headers=retry_headers(error))


def no_more(message: str) -> Reply:
    """Return the reply to more requests than the script has answers for: one that no client tries again."""
    return http_error(HttpError(400, message, code="script_over"))


def retry_headers(error: HttpError) -> dict[str, str]:
    """Return when the client may try again; clients look at ``retry-after-ms`` first, so tests need not wait."""
    headers = {"x-request-id": "req_error"}
    if error.retry_after_s is not None:
        headers |= {"retry-after": str(error.retry_after_s), "retry-after-ms": str(error.retry_after_s * 1000)}
    return headers


def error_object(error: StreamError) -> dict[str, object]:
    """Return the error of an event in a stream."""
    return {"message": error.message, "type": error.type, "param": None, "code": error.code}


def closed(step: Disconnect) -> Reply:
    """Return a reply that is none: the connection closes."""
    return Reply(0, cut=Cut(step.reset))
