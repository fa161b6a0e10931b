"""``turnspan replay``: a session as a timeline."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

import click
from rich.table import Table

from turnspan.cli.common import STATUS_MARK, STATUS_STYLE, format_duration, open_reading, reads, short
from turnspan.cli.output import console, escape, print_json
from turnspan.cli.show import load
from turnspan.reading.timeline import Step, Total, steps_of, totals_of

_BY: dict[str, Literal["agent", "tool", "model"]] = {"agent": "agent", "tool": "tool", "model": "model"}


@click.command()
@click.argument("session")
@click.option(
    "--by", default="time", show_default=True, type=click.Choice(["time", *_BY]), help="In order of time, or totals."
)
@reads
def command(session: str, by: str, home: str | None, store: str | None, as_json: bool) -> None:
    """Replay SESSION (as for `show`): what happened when, by whom; or what each agent, tool or model did altogether."""
    reading = open_reading(home, store)
    steps = steps_of(load(reading.store, session))
    if as_json:
        print_json(
            [_as_json(step) for step in steps] if by == "time" else [asdict(t) for t in totals_of(steps, _BY[by])]
        )
    elif by == "time":
        console().print(as_table(steps))
    else:
        console().print(as_totals(totals_of(steps, _BY[by]), by))


def as_table(steps: list[Step]) -> Table:
    """Return a timeline for people."""
    table = Table(box=None, pad_edge=False, show_footer=True)
    turns = [step.item for step in steps if step.item.kind == "turn"]
    tools, models = ([s.item for s in steps if s.item.kind == f"{kind} call"] for kind in ("tool", "model"))
    spent = totals_of(steps, "model")
    tokens = f"{sum(one.input_tokens for one in spent)} in / {sum(one.output_tokens for one in spent)} out tokens"
    table.add_column("AT", justify="right")
    table.add_column("AGENT", no_wrap=True)
    table.add_column(
        "WHAT", footer=f"{len(turns)} turns, {len(models)} model calls, {len(tools)} tool calls, {tokens}", no_wrap=True
    )
    table.add_column("STATUS")
    table.add_column("TOOK", justify="right", footer=format_duration(sum(turn.duration_ms or 0 for turn in turns)))
    for step in steps:
        item = step.item
        style = STATUS_STYLE.get(item.status, "white")
        said = item.details.get("prompt") or item.details.get("arguments")
        what = f"{'  ' * step.depth}{item.kind} [bold]{escape(item.name)}[/]"
        table.add_row(
            f"{step.offset_ms / 1000:.3f} s",
            escape(step.agent),
            f"{what}  [dim]{escape(short(said, 50))}[/]" if said else what,
            f"[{style}]{escape(STATUS_MARK.get(item.status, item.status))}[/]",
            format_duration(item.duration_ms),
        )
    return table


def as_totals(totals: list[Total], by: str) -> Table:
    """Return totals for people."""
    table = Table(box=None, pad_edge=False)
    columns = (by.upper(), "TURNS" if by == "agent" else "CALLS", "FAILED", "TOOK", "TOKENS IN", "TOKENS OUT")
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for one in totals:
        table.add_row(
            escape(one.name),
            str(one.count),
            str(one.failed or "-"),
            format_duration(one.duration_ms),
            str(one.input_tokens or "-"),
            str(one.output_tokens or "-"),
        )
    return table


def _as_json(step: Step) -> dict[str, Any]:
    item = {name: value for name, value in asdict(step.item).items() if name != "inside"}
    return {"offset_ms": step.offset_ms, "agent": step.agent, "turn_id": step.turn_id, "depth": step.depth, **item}
