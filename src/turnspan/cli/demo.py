"""``turnspan demo``: the real machinery on a bundled program, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from turnspan.cli.common import open_reading
from turnspan.cli.find import as_table, find
from turnspan.cli.output import console, print_json
from turnspan.cli.run import BOOTSTRAP
from turnspan.cli.show import as_tree, load
from turnspan.cli.verify import show_report
from turnspan.errors import TurnspanError
from turnspan.reading.timeline import tree_of
from turnspan.verification import verify

_PROGRAM = Path(__file__).parents[1] / "instrumentation" / "bootstrap" / "demo_program.py"


@click.command()
@click.option("--home", help="Where to keep what the demo records; a temporary folder when not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(home: str | None, as_json: bool) -> None:
    """Run a bundled two-agent program, follow one audit event id through record, trace and log, and prove that they agree."""
    kept = Path(home) if home else Path(tempfile.mkdtemp(prefix="turnspan-demo-"))
    python_path = os.pathsep.join(filter(None, [str(BOOTSTRAP), os.environ.get("PYTHONPATH", "")]))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TURNSPAN_", "OTEL_"))}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, str(_PROGRAM)],
        env={**clean, "PYTHONPATH": python_path, "TURNSPAN_HOME": str(kept)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TurnspanError(f"The demo program failed:\n{done.stderr}")
    reading = open_reading(str(kept), None)
    session = load(reading.store, "last")
    failed = next(call for turn in session.turns for call in turn.tool_calls if call.status == "error")
    event_id = failed.metadata["turnspan"]["audit_event_ids"][-1]
    (place,) = find(reading, event_id)
    missing = [
        wanted
        for turn in session.turns
        for item in tree_of(turn, []).walk()
        for wanted in item.audit_event_ids
        for found in find(reading, wanted)
        if not (found.span and found.log)
    ]
    report = verify(settings=reading.settings, store=reading.store)
    if as_json:
        print_json(
            {
                "home": str(kept),
                "session": session.to_dict(),
                "place": place.to_dict(),
                "unresolved": missing,
                "proven": report.proven,
            }
        )
        return
    out = console()
    out.print(f"[bold]$ turnspan run demo_program.py[/]\n{done.stdout}")
    out.print("[bold]$ turnspan show last[/]")
    out.print(as_tree(session))
    out.print(f"\n[bold]$ turnspan find {event_id}[/]   [dim]# the end of the tool call that failed[/]")
    out.print(as_table(place))
    count = sum(len(turn.audit_event_ids) for turn in session.turns)
    out.print(
        f"\n{count} audit events, each in the stored record, in the trace and in the log; {len(missing)} unresolved."
    )
    out.print("\n[bold]$ turnspan verify[/]   [dim]# nothing is missing, nothing was altered[/]")
    show_report(report)
    out.print(f"\nIt is all in {kept}: look around with `turnspan sessions --home {kept}`.", soft_wrap=True)
