"""Why a step was taken: which model call asked for it, and where the values that it was given were said before.

By text alone: a value is followed to earlier results, prompts and messages that have it word for word (see ``quoting``).
That a text was there before does not prove that the model took it from there, and what it put in other words is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from turnspan.analysis.leaves import Path, leaves, path_text, same, text_of_leaf
from turnspan.analysis.messages import AskedCall, asked_calls, said
from turnspan.analysis.quoting import Match
from turnspan.analysis.sessions import Said, SteppedSession, SteppedSessions
from turnspan.analysis.steps import Step, StepRef, content_of
from turnspan.errors import IdNotFoundError
from turnspan.reading.reader import Reader

How = Literal["call id", "name and arguments", "name", "order"]
_MARGIN = 60
"""Characters of a source that stand around a quote."""
_GIVEN = {
    "turn": ("response",),
    "agent": ("response",),
    "model call": ("output",),
    "tool call": ("arguments",),
    "handoff": ("reason",),
    "note": ("data",),
}
"""What is explained of each kind of step: what it was given, or of what has an answer, that."""


@dataclass(slots=True, frozen=True)
class Asked:
    """The model call that asked for a step, and what says so.

    ``call id``: its answer names the call. ``name and arguments``, ``name``: its answer asks for such a call. ``order``: no
    answer names it, and this is the last model call before it.
    """

    step: StepRef
    how: How


@dataclass(slots=True, frozen=True, repr=False)
class QuoteSource:
    """Where a quote was said: the step, the part of it and the path inside, and the text around it."""

    step: StepRef
    part: str
    path: Path
    start: int
    end: int
    before: str
    after: str


@dataclass(slots=True, frozen=True, repr=False)
class Quote:
    """A part of a value that was said before: the first place that has it, then the last ones."""

    start: int
    end: int
    text: str
    short: bool
    """Whether it is so short that it may be there by chance."""
    texts: int
    """How many earlier texts have it."""
    sources: list[QuoteSource]


@dataclass(slots=True, frozen=True, repr=False)
class ExplainedValue:
    """A value that a step was given, and what of it was said before; without quotes nothing before has it."""

    part: str
    path: Path
    value: Any
    quotes: list[Quote] = field(default_factory=list)

    def __repr__(self) -> str:
        """Show where it is, never content: it may be printed by accident."""
        return f"ExplainedValue(where={self.where!r}, quotes={len(self.quotes)}, ...)"

    @property
    def where(self) -> str:
        """The whole way to it: ``arguments.amount``."""
        return path_text((self.part, *self.path))


@dataclass(slots=True, frozen=True, repr=False)
class Explanation:
    """Why a step was taken."""

    session_id: str
    step: StepRef
    inside: list[StepRef]
    """What it happened in: its turn first."""
    asked_by: Asked | None
    values: list[ExplainedValue]

    def __repr__(self) -> str:
        """Show which step it is, never content."""
        return f"Explanation(session_id={self.session_id!r}, step={self.step!r}, values={self.values!r}, ...)"


def explain(sessions: Reader | SteppedSessions, wanted: str, text: str | None = None) -> Explanation:
    """Explain the step that an id names: an audit event, span, call, response or turn, or the beginning of one.

    Args:
        sessions: What is read, or what keeps sessions between one question and the next.
        wanted: The id.
        text: Follow this text alone, through all that was said until the step had ended.

    Raises:
        IdNotFoundError: When nothing has the id, several steps have it, or it is a session's.

    """
    kept = sessions if isinstance(sessions, SteppedSessions) else SteppedSessions(sessions)
    hits = kept.reader.hits(wanted.strip())
    hit = hits[0]
    if hit.kind == "session":
        raise IdNotFoundError(f"{hit.id} is a session: name a step of it; `turnspan show {hit.id} --ids` lists them")
    session = kept.of(hit.session_id)
    turn_ids = {one.turn_id for one in hits if one.session_id == hit.session_id}
    whole = hit.kind in ("turn", "trace")
    found = [
        step for turn in session.turns if turn.ref.turn_id in turn_ids for step in _named(turn, hit.id, whole=whole)
    ]
    if len(found) > 1 or len({one.session_id for one in hits}) > 1:
        some = ", ".join(step.ref.audit_event_ids[0] for step in found[:5] if step.ref.audit_event_ids)
        raise IdNotFoundError(f"Several steps have the id {hit.id}: name one by its event ({some})")
    if not found:
        raise IdNotFoundError(f"{hit.id} names no step of session {hit.session_id} that could be explained")
    return explain_step(session, found[0], text)


def _named(turn: Step, id_: str, *, whole: bool) -> list[Step]:
    """Return the steps of a turn that an id names; an event of something inside of the turn is not the turn's."""
    if whole:
        return [turn]
    own = [step for step in turn.walk() if _has(step, id_)]
    return [step for step in own if step is not turn] or own


def _has(step: Step, id_: str) -> bool:
    ref = step.ref
    return id_ in (ref.call_id, ref.span_id, step.node.details.get("response_id"), *step.node.audit_event_ids)


def explain_step(session: SteppedSession, step: Step, text: str | None = None) -> Explanation:
    """Explain a step of a session that was taken apart."""
    asker, how = _asker(_root(step), step)
    values: list[tuple[str, Path, Any]] = list(_values(step)) if text is None else [("text", (), text)]
    aside = _aside(step, asker, how) if text is None else set()
    limit = step.started
    if text is not None:
        limit = (step.ended[0], step.ended[1] + 1)
    elif step.ref.kind in ("turn", "agent", "model call"):  # what they answered came at their end
        limit = step.ended
    inside: list[StepRef] = []
    parent = step.parent
    while parent is not None:
        inside.insert(0, parent.ref)
        parent = parent.parent
    asked = None if asker is None or how is None else Asked(asker.ref, how)
    return Explanation(session.session_id, step.ref, inside, asked, _explained(values, session.said, limit, aside))


def _root(step: Step) -> Step:
    return step if step.parent is None else _root(step.parent)


# Who asked ------------------------------------------------------------------------------------------------------------


def _asker(turn: Step, step: Step) -> tuple[Step | None, How | None]:
    """Return the model call that asked for a step, and what says so."""
    if step.ref.kind not in ("tool call", "handoff", "agent"):
        return None, None
    # a call may begin while the answer that asks for it still streams
    models = [one for one in turn.walk() if one.ref.kind == "model call" and one.started < step.started]
    models.sort(key=lambda one: one.started, reverse=True)
    asked = [(model, call) for model in models for call in asked_calls(model.node.recorded.get("output"))]
    if step.ref.kind == "tool call":
        for how in _HOWS:
            for model, call in asked:
                if _asks(call, step, how):
                    return model, how
    elif step.ref.kind == "handoff":
        target = _letters(step.ref.name.rpartition("->")[2])
        for model, call in asked:
            if target and _letters(call.name).endswith(target):
                return model, "name"
    ended = [one for one in models if one.ended < step.started]
    beside = [one for one in ended if one.parent is step.parent] or ended
    return (beside[0], "order") if beside else (None, None)


_HOWS: tuple[How, ...] = ("call id", "name and arguments", "name")


def _asks(call: AskedCall, step: Step, how: How) -> bool:
    if how == "call id":
        return call.call_id is not None and call.call_id == step.ref.call_id
    if call.name != step.ref.name or (call.call_id is not None and call.call_id == step.ref.call_id):
        return False
    return how == "name" or same(call.arguments, step.node.details.get("arguments"))


def _letters(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


# What was said before -------------------------------------------------------------------------------------------------


def _values(step: Step) -> Iterator[tuple[str, Path, Any]]:
    content = content_of(step.node)
    for part in _GIVEN[step.ref.kind]:
        value = content.get(part)
        for path, leaf in said(value) if part == "output" else leaves(value):
            if leaf is not None and leaf != "":
                yield part, path, leaf


def _aside(step: Step, asker: Step | None, how: How | None) -> set[Step]:
    """Return steps that say nothing about this one: itself, what has it as a part, and what was asked for with it."""
    found, parent = {step}, step.parent if step.ref.kind not in ("turn", "agent", "model call") else None
    if parent is not None and asker is not None and how != "order":
        ids = {call.call_id for call in asked_calls(asker.node.recorded.get("output"))} - {None}
        found |= {one for one in parent.children if one.ref.kind == "tool call" and one.ref.call_id in ids}
    return found


def _explained(
    values: list[tuple[str, Path, Any]], before: Said, limit: tuple[int, int], aside: set[Step]
) -> list[ExplainedValue]:
    texts = [text_of_leaf(value) or "" for _, _, value in values]
    matches = before.quotes(texts, limit, aside)
    return [
        ExplainedValue(part, path, value, [_quote(text, match, before) for match in found])
        for (part, path, value), text, found in zip(values, texts, matches, strict=True)
    ]


def _quote(text: str, match: Match, before: Said) -> Quote:
    sources = []
    for source in match.sources:
        whole, passage = before.texts[source.text], before.passages[source.text]
        sources.append(
            QuoteSource(
                passage.step.ref,
                passage.part,
                passage.path,
                source.start,
                source.end,
                whole[max(0, source.start - _MARGIN) : source.start],
                whole[source.end : source.end + _MARGIN],
            )
        )
    return Quote(match.start, match.end, text[match.start : match.end], match.short, match.count, sources)
