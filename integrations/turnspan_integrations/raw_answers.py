"""The answer of a provider's client, where a runtime keeps it beside what it made of it: an object, or plain data."""

from __future__ import annotations

from typing import Any, NamedTuple

from turnspan.events import Usage
from turnspan_integrations.usage import anthropic_usage, openai_usage


class RawAnswer(NamedTuple):
    """What an answer says beside what the model says, or a chunk of one."""

    model: str | None = None
    response_id: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None

    def after(self, before: RawAnswer) -> RawAnswer:
        """Return this with what an earlier chunk said that this one does not."""
        return RawAnswer(
            self.model or before.model,
            self.response_id or before.response_id,
            self.finish_reason or before.finish_reason,
            self.usage or before.usage,
        )


def raw_answer(raw: Any, provider: str | None = None, used: Any = None) -> RawAnswer:
    """Return what a raw answer says; ``used`` is what the runtime says was used, where the answer does not."""
    choices = of(raw, "choices")
    first = choices[0] if choices else raw
    finish = of(first, "finish_reason") or of(first, "stop_reason")
    reads = anthropic_usage if provider == "anthropic" else openai_usage
    model, response_id = of(raw, "model"), of(raw, "id")
    return RawAnswer(
        str(model) if model else None,
        str(response_id) if response_id else None,
        str(finish) if finish else None,
        reads(of(raw, "usage")) or openai_usage(used),
    )


def of(value: Any, name: str) -> Any:
    """Return a field of an object, or of plain data."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
