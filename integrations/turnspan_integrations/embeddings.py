"""Embeddings that are asked for in a turn: model calls that say so, with the texts and without the vectors.

Outside of a turn nothing is recorded: building an index is no conversation. A call of another client below this one, which
asks in its name, adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from turnspan.adapter import Emit, Outcome
from turnspan.events import Usage

_SAYS_SO = {
    "gen_ai.operation.name": "embeddings",
    "openinference.span.kind": "EMBEDDING",
    "llm.request.type": "embedding",
}
"""What the span of another instrumentation says."""


class Asked(NamedTuple):
    """Who is asked, and for what: a text, or a list of which all may be texts."""

    provider: str
    model: str | None
    given: Any


def observed(
    emit: Emit, asked: Asked, read: Callable[[Any], tuple[str | None, Usage | None]]
) -> Generator[Any, Outcome, None]:
    """Report a call; ``read`` says of its result which model answered, and what it used."""
    run, here = emit.current_run(), emit.current()
    if run is None or (here is not None and here.call_id in emit.open_model_calls()):
        yield None
        return
    texts = [asked.given] if isinstance(asked.given, str) else asked.given if isinstance(asked.given, list) else []
    readable = bool(texts) and all(isinstance(text, str) for text in texts)  # tokens are not; an iterator stays unread
    call = run.model_started(
        provider=asked.provider,
        model=asked.model,
        messages=[{"role": "user", "content": text} for text in texts] if readable else None,
        history=0,
        operation="embeddings",
        span=_span_of_it(emit.spans.current()),
    )
    outcome = yield call
    model, usage = read(outcome.result) if outcome.status == "success" else (None, None)
    if usage is not None and not usage.output_tokens:
        usage = replace(usage, output_tokens=None)  # some say 0, and there can be none
    call.ended(outcome._replace(result=None), response_model=model, usage=usage)


def _span_of_it(span: Any) -> Any:
    """Return the current span if another instrumentation has started it for what is asked."""
    said: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    return span if any(said.get(name) == value for name, value in _SAYS_SO.items()) else None
