"""``turnspan doctor``: is everything where it should be?"""

from __future__ import annotations

import sys

import click
from rich.table import Table
from rich.text import Text

from turnspan.cli import output
from turnspan.cli.checks import examine
from turnspan.cli.documents import DoctorDocument
from turnspan.cli.options import store_options
from turnspan.cli.probe import send_test_turn
from turnspan.recording.redaction import redact_secrets
from turnspan.settings import Settings

_STYLE = {"ok": "green", "note": "dim", "warn": "yellow", "fail": "red"}


@click.command()
@click.option("--otlp", metavar="URL", help="Send a test turn to this OTLP/HTTP receiver, and report what it accepted.")
@click.option("--spans", metavar="URL", help="Then query it from this URL of Jaeger or Tempo, as `verify` does.")
@store_options
def command(otlp: str | None, spans: str | None, home: str | None, store: str | None, as_json: bool) -> None:
    """Check home, store, exporters, adapters, settings, versions and clock. Exit code 1 when something fails."""
    settings = Settings.read(home=home, store=store)
    checks = [*examine(settings), *([send_test_turn(settings, otlp, spans)] if otlp else [])]
    if as_json:
        output.document(DoctorDocument(checks=checks))
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for check in checks:
            table.add_row(check.name, Text(check.state, style=_STYLE[check.state]), Text(redact_secrets(check.says)))
        output.show(table)
    sys.exit(1 if any(check.state == "fail" for check in checks) else 0)
