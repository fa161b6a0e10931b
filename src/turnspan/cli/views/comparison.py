"""In what two sessions or turns differ."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from turnspan.analysis.comparison import Change, ComparedStep, Comparison, Side, differing
from turnspan.analysis.leaves import Difference
from turnspan.analysis.steps import StepRef
from turnspan.cli.formatting import Display, format_status
from turnspan.model.display import counted

_VALUE = 120
_MARKS: dict[Change, tuple[str, str]] = {
    "same": (" ", ""),
    "changed": ("~", "yellow"),
    "inserted": ("+", "green"),
    "dropped": ("-", "red"),
    "retried": ("r", "magenta"),
    "reordered": (">", "cyan"),
}


def comparison_view(found: Comparison, how: Display, *, all_steps: bool) -> RenderableType:
    """Return a comparison as lines: what differs, inside of what, and a sum."""
    lines = [_side("A", found.a), _side("B", found.b)]
    for step in found.steps if all_steps else differing(found.steps):
        lines += _step(step, how)
    counts = ", ".join(f"{count} {change}" for change, count in found.counts.items() if change != "same")
    same = found.counts["same"]
    lines.append(Text(f"Nothing differs: {counted(same, 'step')}." if found.same else f"{counts}; {same} the same."))
    return Group(*lines)


def _side(name: str, side: Side) -> Text:
    what = f"  turn {side.turn_id}" if side.turn_id is not None else f"  {counted(side.turns, 'turn')}"
    return Text.assemble((name, "bold"), f"  session {side.session_id}{what}")


def _step(step: ComparedStep, how: Display) -> Iterator[Text]:
    mark, style = _MARKS[step.change]
    ref = step.b or step.a
    assert ref is not None
    margin = "  " * step.depth
    line = Text.assemble((f"{mark} ", style), margin, ref.kind, " ", (ref.name, "bold"))
    if step.change not in ("same", "changed"):
        line.append(f"  {step.change}", style=style)
        if step.change == "retried":
            line.append(
                f" in {'B' if step.a is None else 'A'}, where it failed: {format_status(ref.status)}", style=style
            )
    elif ref.kind == "turn" and step.a is not None and step.b is not None:
        line.append(f"  {step.a.turn} of A, {step.b.turn} of B", style="dim")
    if step.change == "reordered" and step.a is not None and step.b is not None:
        line.append(f": turn {step.a.turn} of A, turn {step.b.turn} of B", style="dim")
    yield line
    if how.ids:
        for name, one in (("A", step.a), ("B", step.b)):
            if one is not None:
                yield Text(f"  {margin}  {name} {_ids(one)}", style="dim")
    for difference in step.differences:
        yield _difference(difference, margin, how)


def _ids(ref: StepRef) -> str:
    known = [("call", ref.call_id), ("span", ref.span_id), ("events", " ".join(ref.audit_event_ids))]
    return "  ".join(f"{name} {value}" for name, value in known if value)


def _difference(found: Difference, margin: str, how: Display) -> Text:
    line = Text.assemble(f"    {margin}", (found.where, "bold"), ": ")
    if found.change != "added":
        line.append(how.content(found.a, _VALUE), style="red")
    line.append(
        " -> " if found.change == "changed" else f"  ({found.change})  " if found.change == "added" else "  (removed)"
    )
    if found.change != "removed":
        line.append(how.content(found.b, _VALUE), style="green")
    return line
