"""The completion hook of OpenTelemetry's own GenAI utilities: what was said, for the record, and on no span.

``OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK=turnspan`` has an instrumentation that is built on them hand over messages
that it may not put on its spans. They wait here for the span's end, when the ``otel`` adapter reports the call.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, is_dataclass
from typing import Any

_WAITING_MOST = 1024
_said: OrderedDict[int, tuple[list[Any], list[Any]]] = OrderedDict()


class TurnspanHook:
    """A ``CompletionHook`` (opentelemetry-util-genai)."""

    def on_completion(
        self, *, inputs: Any = (), outputs: Any = (), system_instruction: Any = (), span: Any = None, **_more: Any
    ) -> None:
        """Keep what was said until the span ends."""
        if span is None:
            return
        system = (
            [{"role": "system", "parts": [_plain(part) for part in system_instruction]}] if system_instruction else []
        )
        asked = system + [_plain(message) for message in inputs or ()]
        _said[span.get_span_context().span_id] = asked, [_plain(message) for message in outputs or ()]
        while len(_said) > _WAITING_MOST:
            _said.popitem(last=False)


def said_in(span_id: int, *, keep: bool = False) -> tuple[list[Any], list[Any]] | None:
    """Return what was asked and answered in a span; once, unless it is kept."""
    return _said.get(span_id) if keep else _said.pop(span_id, None)


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
