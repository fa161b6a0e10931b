"""``turnspan demo``: the real machinery on a bundled program, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.text import Text

from turnspan.cli import output
from turnspan.cli.documents import DemoDocument
from turnspan.cli.launching import BOOTSTRAP, with_bootstrap
from turnspan.cli.serving import serve_pages
from turnspan.cli.views.place import found_place, place_view
from turnspan.cli.views.report import report_view
from turnspan.cli.views.session import session_view
from turnspan.errors import TurnspanError
from turnspan.reading.reader import Reader
from turnspan.settings import Settings
from turnspan.verification import verify

_PROGRAM = BOOTSTRAP / "demo_program.py"


@click.command()
@click.option("--home", help="Folder for what the demo records (default: a temporary one).")
@click.option("--view", is_flag=True, help="Open the recorded session in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document, also for errors.")
def command(home: str | None, view: bool, as_json: bool) -> None:
    """Run a bundled two-agent program, follow one audit event id through record, trace and log, and prove that they agree."""
    kept = Path(home) if home else Path(tempfile.mkdtemp(prefix="turnspan-demo-"))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TURNSPAN_", "OTEL_"))}
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, str(_PROGRAM)],
        env={
            **with_bootstrap(clean),
            "TURNSPAN_HOME": str(kept),
            "TURNSPAN_EXIT_TIMEOUT": "300",
        },  # also on busy machines
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TurnspanError(f"The demo program failed:\n{done.stderr}")
    reader = Reader.open(Settings.read(home=kept))
    session = reader.session("last")
    failed = next(call for turn in session.turns for call in turn.tool_calls if call.status == "error")
    event_id = failed.metadata["turnspan"]["audit_event_ids"][-1]
    spans, lines = reader.span_source(), reader.line_source()
    place = found_place(reader, reader.find(event_id, spans, lines)[0])
    turns = reader.tree(session)
    unresolved = [
        wanted
        for turn in turns
        for node in turn.walk()
        for wanted in node.audit_event_ids
        for found in reader.find(wanted, spans, lines)
        if not (found.span and found.log)
    ]
    report = verify(settings=reader.settings, store=reader.store)
    if as_json:
        output.document(
            DemoDocument(
                home=str(kept), session=session.to_dict(), place=place, unresolved=unresolved, proven=report.proven
            )
        )
        return
    count = sum(len(turn.audit_event_ids) for turn in session.turns)
    sources = [None if source is None else source.name for source in (spans, lines)]
    output.show(
        _command("turnspan run demo_program.py"),
        done.stdout,
        _command("turnspan show last"),
        session_view(session, turns, turn_ids=[turn.turn_id for turn in session.turns]),
        "",
        _command(f"turnspan find {event_id}", "the end of the tool call that failed"),
        place_view(place, *sources),
        f"\n{count} audit events, each in the stored record, in the trace and in the log; {len(unresolved)} unresolved.\n",
        _command("turnspan verify", "nothing is missing, nothing was altered"),
        report_view(report),
        f"\nEverything is in {kept}: explore it with `turnspan sessions --home {kept}`.",
        paged=False,
    )
    if view:
        serve_pages(reader.settings, session.session_id, open_=True)


def _command(text: str, comment: str = "") -> Text:
    return Text.assemble((f"$ {text}", "bold"), (f"   # {comment}" if comment else "", "dim"))
