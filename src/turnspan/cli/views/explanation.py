"""Why a step was taken."""

from __future__ import annotations

import re

from rich.text import Text
from rich.tree import Tree

from turnspan.analysis.leaves import path_text
from turnspan.analysis.provenance import Explanation, How, Quote, QuoteSource
from turnspan.analysis.steps import StepRef
from turnspan.cli.formatting import STATUS_STYLE, Display, format_status
from turnspan.model.json_values import folded

_VALUE = 200
_SAYS: dict[How, str] = {
    "call id": "its answer names the call",
    "name and arguments": "its answer asks for the same call",
    "name": "its answer asks for a call of that name",
    "order": "no answer names the call; this is the last model call before it",
}


def explanation_view(found: Explanation, how: Display) -> Tree:
    """Return an explanation as a tree: the step, who asked for it, and each value with where it was said before."""
    tree = Tree(_step(found.step, how, ids=True))
    tree.add(Text(f"session {found.session_id}  turn {found.step.turn} {found.step.turn_id}", style="dim"))
    if len(found.inside) > 1:
        tree.add(Text("inside " + " > ".join(f"{one.kind} {one.name}" for one in found.inside[1:]), style="dim"))
    if found.asked_by is not None:
        asked = tree.add(Text.assemble("asked for by ", _step(found.asked_by.step, how, ids=True)))
        asked.add(Text(_SAYS[found.asked_by.how], style="dim"))
    for value in found.values:
        branch = tree.add(Text.assemble((value.where, "bold"), " = ", how.content(value.value, _VALUE)))
        if not value.quotes:
            branch.add(Text("nothing before has it word for word", style="dim"))
        for quote in value.quotes:
            _add_quote(branch, quote, how, whole=len(value.quotes) == 1 and quote.text == str(value.value))
    if not found.values:
        tree.add(Text("nothing that it was given is on record", style="dim"))
    return tree


def _add_quote(branch: Tree, quote: Quote, how: Display, *, whole: bool) -> None:
    if not whole:
        branch = branch.add(Text(f"«{how.content(quote.text, _VALUE)}»"))
    for number, source in enumerate(quote.sources):
        place = "first in" if number == 0 else "then in"
        if number == 1 and quote.texts > len(quote.sources):
            branch.add(Text(f"... in {quote.texts - len(quote.sources)} more", style="dim"))
        line = Text.assemble((f"{place} the {_part(source)} of ", "dim"), _step(source.step, how))
        branch.add(line).add(_excerpt(quote, source, how))
    if quote.short:
        branch.add(Text("it is short: that may be chance", style="yellow"))


def _part(source: QuoteSource) -> str:
    return source.part if not source.path else f"{source.part} ({path_text(source.path)})"


def _excerpt(quote: Quote, source: QuoteSource, how: Display) -> Text:
    """Return the text around a quote on one line, the quote marked; unmarked where something in it is a secret."""
    whole = f"{source.before}{quote.text}{source.after}"
    if (shown := how.content(whole, len(whole))) != folded(whole, len(whole)):
        return Text(shown)
    before, after = (re.sub(r"\s+", " ", part) for part in (source.before, source.after))
    return Text.assemble(before, (f"«{folded(quote.text, _VALUE)}»", "bold"), after)


def _step(ref: StepRef, how: Display, *, ids: bool = False) -> Text:
    line = Text.assemble(ref.kind, " ", (ref.name, "bold"))
    if ids:
        line.append("  ").append(format_status(ref.status), style=STATUS_STYLE.get(ref.status, ""))
    line.append(f"  {how.time(ref.started_at, precise=True)}", style="dim")
    for name, value in (("call", ref.call_id if ids else None), ("span", ref.span_id if ids else None)):
        if value:
            line.append(f"  {name} {value}", style="dim")
    if ref.audit_event_ids:
        line.append(f"  event {ref.audit_event_ids[0]}", style="dim")
    return line
