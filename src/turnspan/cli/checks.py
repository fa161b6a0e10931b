"""What ``turnspan doctor`` looks at: home, store, journal, exporters, what was delivered, adapters, settings, clock.

Looking changes nothing but for a file that is written into home and removed at once.
"""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from turnspan._version import __version__
from turnspan.cli.documents import CheckResult
from turnspan.cli.formatting import format_time
from turnspan.errors import NothingRecordedError
from turnspan.instrumentation.registry import GROUP, AdapterState, name_of
from turnspan.journal.dead import waiting_journals
from turnspan.model.display import counted
from turnspan.model.records import turnspan_metadata
from turnspan.reading.http import post
from turnspan.reading.pages import summaries
from turnspan.reading.reader import Reader, waiting_says
from turnspan.settings import Settings, unknown_variables, without_password
from turnspan.stores.base import SessionFilter


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Yield what was found."""
    yield _check(
        "turnspan",
        "ok",
        f"{__version__}, Python {platform.python_version()}, opentelemetry-sdk {version('opentelemetry-sdk')}",
    )
    yield _home(settings.home)
    yield _store(settings)
    yield _journal(settings.journal_path)
    yield from _exporters(settings)
    yield from _delivery(settings)
    yield _content(settings)
    yield from _variables()
    for entry in sorted(entry_points(group=GROUP), key=name_of):
        yield _adapter(AdapterState.of(entry))
    yield _clock()


def _adapter(adapter: AdapterState) -> CheckResult:
    state, says = "ok", f"{adapter.runtime} {adapter.version} is installed; tested with {adapter.requires}"
    if adapter.broken is not None:
        state, says = "fail", adapter.broken
    elif adapter.missing is not None:
        state, says = "note", adapter.missing
    elif adapter.untested is not None:
        state, says = "warn", f"{adapter.untested}: it is watched all the same, and may miss events"
    return _check(f"adapter {adapter.name}", state, says)


def _check(name: str, state: str, says: str) -> CheckResult:
    return CheckResult(name=name, state=state, says=says)


def _home(home: Path) -> CheckResult:
    folder = home.absolute()
    if not home.exists():
        return _check("home", "ok", f"{folder} does not exist yet: the first recorded program creates it")
    try:
        probe = home / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        fix = "set TURNSPAN_HOME to another folder"
        return _check("home", "fail", f"{folder} cannot be written ({error.strerror}): {fix}")
    if home.stat().st_mode & 0o077:
        return _check("home", "warn", f"{folder} can be read by others: chmod 700 {folder}")
    return _check("home", "ok", str(folder))


def _store(settings: Settings) -> CheckResult:
    url = without_password(settings.store_url)
    try:
        newest = summaries(Reader.open(settings).store, SessionFilter(limit=1))
    except NothingRecordedError:
        return _check("store", "ok", f"{url} does not exist yet: the first recorded program creates it")
    except Exception as error:
        return _check("store", "fail", str(error))
    used = f"last used {format_time(newest[0].updated_at)}" if newest else "no sessions yet"
    return _check("store", "ok", f"{url}: {used}")


def _journal(directory: Path) -> CheckResult:
    if waiting := waiting_journals(directory):
        return _check("journal", "warn", waiting_says(waiting))
    running = sum(1 for _ in directory.glob("*.lock")) if directory.is_dir() else 0
    return _check(
        "journal",
        "ok",
        f"nothing pending; {counted(running, 'process')} recording" if running else "nothing pending",
    )


def _variables() -> Iterator[CheckResult]:
    for name, meant in unknown_variables(os.environ).items():
        hint = f": did you mean {meant}?" if meant else ""
        yield _check("environment", "warn", f"unknown environment variable {name}{hint}")


def _exporters(settings: Settings) -> Iterator[CheckResult]:
    endpoints = {signal: settings.endpoint(signal) for signal in ("traces", "logs", "metrics")}
    sent = [signal for signal, endpoint in endpoints.items() if endpoint]
    if not sent:
        yield _check("otlp", "note", f"no endpoint: nothing is sent, spans are kept in {settings.spans_path}")
    elif not _has("opentelemetry.exporter.otlp.proto.http"):
        yield _check("otlp", "fail", "the OTLP/HTTP exporter is missing: pip install 'turnspan[otlp]'")
    elif endpoint := endpoints["traces"]:
        yield _endpoint(endpoint)
    else:
        says = f"only {' and '.join(sent)} are sent; spans are kept in {settings.spans_path}"
        yield _check("otlp", "note", says)
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    if protocol == "grpc" and sent:
        yield _check(
            "otlp protocol",
            "note",
            "turnspan run sends OTLP over HTTP; OTEL_EXPORTER_OTLP_PROTOCOL=grpc applies to other instrumentations only",
        )


def _delivery(settings: Settings) -> Iterator[CheckResult]:
    """Say what became of the spans of the processes that ended last."""
    try:
        store = Reader.open(settings).store
        newest = [store.load_session(one.session_id) for one in summaries(store, SessionFilter(limit=20))]
    except Exception:  # said of the store
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
        says = f"{counted(len(seals), 'process')}: {counted(counts['ended'], 'span')} ended, {counts['exported']} exported, {counts['failed']} failed, "
        says += f"{counts['dropped'] + counts['queued']} dropped"
        hint = "; `turnspan rehydrate --since 1d` sends them again" if lost else ""
        yield _check(f"delivery {exporter}", "warn" if lost else "ok", says + hint)


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is not there either
        return False


def _endpoint(url: str) -> CheckResult:
    if urlsplit(url).scheme not in ("http", "https"):
        return _check("otlp", "fail", f"{url} is not an HTTP URL; write http://host:4318")
    started = time.perf_counter()
    problem = post(url, b"", {"Content-Type": "application/x-protobuf"}, timeout_s=3)
    if isinstance(problem, int):
        says = f"{url} answers {problem} to an empty trace request: is it an OTLP/HTTP receiver (port 4318)?"
        return _check("otlp", "fail", says)
    if problem is not None:
        return _check(
            "otlp", "fail", f"{url} cannot be reached ({problem}); records stay in the store, queued spans are lost"
        )
    return _check("otlp", "ok", f"{url} answers in {(time.perf_counter() - started) * 1000:.0f} ms")


def _content(settings: Settings) -> CheckResult:
    telemetry = "with content" if settings.span_content else "without content"
    return _check("content", "note", f"record: {settings.capture_content}; telemetry: {telemetry}")


def _clock() -> CheckResult:
    if not 2024 <= time.gmtime().tm_year <= 2100:
        return _check("clock", "fail", f"the clock says {time.asctime()}: ids and times would be wrong")
    before = time.time_ns()
    time.sleep(0.01)
    if time.time_ns() <= before:
        return _check("clock", "warn", "the clock just went backwards; ids stay in order, times may not")
    return _check("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S %Z"))
