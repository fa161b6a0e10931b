"""``turnspan doctor``: is everything where it should be?"""

from __future__ import annotations

import logging
import os
import platform
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import click
from rich.table import Table

from turnspan._version import __version__
from turnspan.cli.common import reads, when
from turnspan.cli.output import console, escape, print_json
from turnspan.errors import TurnspanError
from turnspan.events import ToolCallEnded, ToolCallStarted, TurnEnded, TurnStarted
from turnspan.instrumentation.registry import GROUP, name_of, requirement_of, unusable
from turnspan.journal.hash_chain import SpanIds
from turnspan.model.ids import new_id
from turnspan.model.records import turnspan_metadata
from turnspan.otel_sdk.rehydration import Told, send, spans_again
from turnspan.reading.deep_links import TRACES, Links
from turnspan.reading.find import summaries
from turnspan.reading.span_sources import span_source
from turnspan.recording.redaction import hidden
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.stores.base import SessionFilter

_STYLE = {"ok": "green", "note": "dim", "warn": "yellow", "fail": "red"}


_PATIENCE_S = 10.0


class Check(NamedTuple):
    """One thing looked at, how it is (ok, note, warn, fail), and what to do."""

    name: str
    state: str
    says: str


@click.command()
@click.option("--otlp", help="Send a test turn to this OTLP/HTTP receiver, and say what was taken.")
@click.option("--spans", help="Then look for it here: the URL of Jaeger or Tempo, as for `verify`.")
@reads
def command(otlp: str | None, spans: str | None, home: str | None, store: str | None, as_json: bool) -> None:
    """Check home, store, exporters, adapters, versions and clock. Exit code 1 when something fails."""
    settings = Settings.read(home=home, store=store)
    checks = [*examined(settings), *([_test_turn(settings, otlp, spans)] if otlp else [])]
    if as_json:
        print_json([check._asdict() for check in checks])
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for check in checks:
            table.add_row(check.name, f"[{_STYLE[check.state]}]{check.state}[/]", escape(hidden(check.says)))
        console().print(table)
    sys.exit(1 if any(check.state == "fail" for check in checks) else 0)


def examined(settings: Settings) -> Iterator[Check]:
    """Yield what was found."""
    yield Check(
        "turnspan",
        "ok",
        f"{__version__}, Python {platform.python_version()}, opentelemetry-sdk {version('opentelemetry-sdk')}",
    )
    yield _home(settings.home)
    yield _store(settings.store_url)
    yield _journal(settings.journal_path)
    yield from _exporters(settings)
    yield from _delivery(settings)
    yield _content(settings)
    for entry in sorted(entry_points(group=GROUP), key=name_of):
        reason = unusable(requirement := requirement_of(entry))
        yield Check(f"adapter {name_of(entry)}", "note" if reason else "ok", reason or requirement)
    yield _clock()


def _home(home: Path) -> Check:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Check(
            "home",
            "fail",
            f"{home.absolute()} cannot be written ({error.strerror}): set TURNSPAN_HOME to another folder",
        )
    if home.stat().st_mode & 0o077:
        return Check("home", "warn", f"{home.absolute()} can be read by others: chmod 700 {home.absolute()}")
    return Check("home", "ok", str(home.absolute()))


def _store(url: str) -> Check:
    try:
        opened = open_store(url)
        newest = summaries(opened, SessionFilter(limit=1))
    except Exception as error:
        return Check("store", "fail", str(error))
    return Check(
        "store", "ok", f"{url}: last used {when(newest[0].updated_at)}" if newest else f"{url}: no sessions yet"
    )


def _test_turn(settings: Settings, otlp: str, where: str | None) -> Check:
    """Send the spans of a turn with a tool call, and look for them."""
    trace_id, turn, call = new_id(), new_id()[16:], new_id()[16:]
    ids: dict[str, Any] = {"session_id": "turnspan-doctor", "turn_id": new_id(), "agent_id": "doctor"}
    events: list[tuple[Any, SpanIds]] = [
        (TurnStarted(**ids, prompt="Is anybody there?"), SpanIds(trace_id, turn, 1)),
        (ToolCallStarted(**ids, call_id="test", tool_name="knock"), SpanIds(trace_id, call, 1, turn)),
        (ToolCallEnded(**ids, call_id="test", result="Somebody is."), SpanIds(trace_id, call, 1, turn)),
        (TurnEnded(**ids, response_content="Yes."), SpanIds(trace_id, turn, 1)),
    ]
    said = _Said()
    logging.getLogger("opentelemetry").addHandler(said)
    try:
        from turnspan.otel_sdk.setup import span_exporter

        exporter = span_exporter(otlp)
        sent = send(spans_again([Told("doctor", event, span) for event, span in events]), exporter)
        exporter.shutdown()
    except TurnspanError as error:
        return Check("test turn", "fail", f"{otlp} did not take it: {said.first or error}")
    finally:
        logging.getLogger("opentelemetry").removeHandler(said)
    says = f"{otlp} took {sent} spans of trace {trace_id}"
    if where is not None:
        try:
            arrived = _arrived(where, trace_id, sent)
        except TurnspanError as error:
            return Check("test turn", "fail", f"{says}; {error}")
        if arrived < sent:
            return Check("test turn", "fail", f"{says}; {arrived} of them are in {where} after {_PATIENCE_S:g} s")
        says += f"; all of them are in {where}"
    link = Links("TURNSPAN_TRACE_URL", settings.trace_url, TRACES).to(
        trace_id=trace_id,
        span_id=turn,
        audit_event_id=events[0][0].event_id,
        session_id=ids["session_id"],
        turn_id=ids["turn_id"],
    )
    return Check("test turn", "ok", says if link is None else f"{says}: {link}")


def _arrived(where: str, trace_id: str, wanted: int) -> int:
    """Return how many spans of a trace are somewhere; backends take a moment."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        found = len({seen.span_id for seen in span_source(where).spans([trace_id], None)})
        if found >= wanted or time.monotonic() > end:
            return found
        time.sleep(0.3)


class _Said(logging.Handler):
    """Hears why an exporter fails: it tells its log only, and the cause comes first."""

    first = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


def _journal(directory: Path) -> Check:
    waiting = list(directory.glob("*.lock")) if directory.is_dir() else []
    size = sum(path.stat().st_size for path in directory.glob("*.journal")) if directory.is_dir() else 0
    if not waiting:
        return Check("journal", "ok", "nothing waits")
    return Check(
        "journal", "note", f"{len(waiting)} journals with {size} bytes: of running processes, or for `turnspan recover`"
    )


def _exporters(settings: Settings) -> Iterator[Check]:
    if not settings.otlp:
        yield Check("otlp", "note", f"no endpoint: nothing is sent, spans are kept in {settings.spans_path}")
    elif not _has("opentelemetry.exporter.otlp.proto.http"):
        yield Check("otlp", "fail", "the OTLP/HTTP exporter is missing: pip install 'turnspan[otlp]'")
    else:
        yield _endpoint(settings.otlp)
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    has_grpc = _has("opentelemetry.exporter.otlp.proto.grpc")
    if _has("opentelemetry.distro") and not has_grpc and protocol != "http/protobuf":
        yield Check(
            "opentelemetry-instrument",
            "warn",
            "it uses gRPC unless told otherwise, whose exporter is not installed: "
            "set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        )
    if protocol == "grpc" and settings.otlp:
        yield Check(
            "otlp protocol", "note", "turnspan run sends OTLP over HTTP; OTEL_EXPORTER_OTLP_PROTOCOL=grpc is for others"
        )


def _delivery(settings: Settings) -> Iterator[Check]:
    """Say what became of the spans of the processes that ended last."""
    try:
        found = open_store(settings.store_url)
        newest = [found.load_session(one.session_id) for one in summaries(found, SessionFilter(limit=20))]
    except Exception:  # told above
        return
    seals = {
        journal: seal
        for session in newest
        if session is not None
        for journal, seal in (turnspan_metadata(session.metadata).get("seals") or {}).items()
    }
    totals: dict[str, Counter[str]] = {}
    for seal in seals.values():
        for exporter, counts in (seal.get("spans") or {}).items():
            totals.setdefault(exporter, Counter()).update(counts)
    for exporter, counts in sorted(totals.items()):
        lost = sum(counts[name] for name in ("failed", "dropped", "queued"))
        says = f"{len(seals)} processes: {counts['ended']} spans ended, {counts['exported']} exported, {counts['failed']} failed, "
        says += f"{counts['dropped'] + counts['queued']} dropped"
        hint = "; `turnspan rehydrate --since 1d` sends them again" if lost else ""
        yield Check(f"delivery {exporter}", "warn" if lost else "ok", says + hint)


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is not there either
        return False


def _endpoint(url: str) -> Check:
    if urlsplit(url).scheme not in ("http", "https"):
        return Check("otlp", "fail", f"{url} is no HTTP URL; write http://host:4318")
    request = urllib.request.Request(f"{url.rstrip('/')}/v1/traces", b"", {"Content-Type": "application/x-protobuf"})  # noqa: S310
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=3):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        return Check(
            "otlp",
            "fail",
            f"{url} answers {error.code} to an empty trace request: is it an OTLP/HTTP receiver (port 4318)?",
        )
    except OSError as error:
        return Check(
            "otlp",
            "fail",
            f"{url} cannot be reached ({error}); what is recorded stays in the store, spans in the queue get lost",
        )
    return Check("otlp", "ok", f"{url} answers in {(time.perf_counter() - started) * 1000:.0f} ms")


def _content(settings: Settings) -> Check:
    telemetry = "with content" if settings.span_content else "without content"
    return Check("content", "note", f"record: {settings.capture_content}; telemetry: {telemetry}")


def _clock() -> Check:
    if not 2024 <= time.gmtime().tm_year <= 2100:
        return Check("clock", "fail", f"the clock says {time.asctime()}: ids and times would be wrong")
    before = time.time_ns()
    time.sleep(0.01)
    if time.time_ns() <= before:
        return Check("clock", "warn", "the clock went back just now; ids stay in order, times may not")
    return Check("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S %Z"))
