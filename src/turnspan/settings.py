"""Settings: one frozen object, made of arguments, then environment variables, then defaults.

Every setting, variable, default and path stands here and nowhere else.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, TypeVar

from turnspan.errors import SettingsError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

F = TypeVar("F", bound=Callable[..., Any])


def _setting(variable: str, default: Any, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"variable": variable, "choices": choices})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set, each with the environment variable that sets it."""

    home: Path = _setting("TURNSPAN_HOME", Path(".turnspan"))
    """Folder with journal, default store, log and spans."""
    store: str = _setting("TURNSPAN_STORE", "")
    """Store URL: ``sqlite:///path``, ``postgresql://user@host/database``, ``redis://host``, ``file:///path``, ``memory:``; SQLite in home when empty."""
    adapters: str = _setting("TURNSPAN_ADAPTERS", "all")
    """Which runtimes are instrumented: ``all``, or comma-separated names; ``-name`` excludes one."""
    session_id: str = _setting("TURNSPAN_SESSION_ID", "")
    """Session id for programs that have none of their own."""
    workspace_id: str = _setting("TURNSPAN_WORKSPACE_ID", "")
    """Workspace of new sessions."""
    capture_content: str = _setting("TURNSPAN_CAPTURE_CONTENT", "full", ("full", "redacted", "none"))
    """Content (prompts, answers, arguments, results) in the record: ``full``, its shape only (``redacted``), or ``none``."""
    redact: str = _setting("TURNSPAN_REDACT", "secrets,cards")
    """What is redacted from events before anything is written: ``secrets cards email``, ``module:function``, or ``none``."""
    content_limit: int = _setting("TURNSPAN_CONTENT_LIMIT", 0)
    """Characters of one text that are kept, with a digest of what is cut; 0 means no limit."""
    telemetry_content: str = _setting("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "no_content")
    """Content in telemetry, as OpenTelemetry defines it: ``no_content span_only event_only span_and_event``."""
    log: str = _setting("TURNSPAN_LOG", "file")
    """Where log lines go: ``file`` (in home), a path, ``stderr``, ``structlog`` (the application's own) or ``off``."""
    otlp: str = _setting("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    """Base URL of an OTLP/HTTP receiver; nothing is sent anywhere while it is empty."""
    otlp_traces: str = _setting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
    """Full URL that spans are sent to, in place of ``/v1/traces`` at the base URL; it alone suffices."""
    otlp_logs: str = _setting("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "")
    """Full URL that log records are sent to, likewise."""
    otlp_metrics: str = _setting("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "")
    """Full URL that metrics are sent to, likewise."""
    durability: str = _setting("TURNSPAN_DURABILITY", "process", ("process", "fsync"))
    """What a journal line survives: the death of the ``process``, or with ``fsync`` that of the machine."""
    journal_limit_mb: int = _setting("TURNSPAN_JOURNAL_LIMIT_MB", 1024)
    """MiB that a process's journal may hold while the store is away; beyond that events are dropped, and counted."""
    keep_journal: bool = _setting("TURNSPAN_KEEP_JOURNAL", default=False)
    """Keep journal segments that the store has confirmed; ``turnspan rebuild`` makes a store of them."""
    exit_timeout_s: int = _setting("TURNSPAN_EXIT_TIMEOUT", 5)
    """Seconds that the end of a process may take to store and send; what is left then waits in the journal."""
    signing_key: str = _setting("TURNSPAN_SIGNING_KEY", "")
    """File with the key that seals are signed with: 16 bytes or more (HMAC), or an Ed25519 private key in PEM."""
    resend: bool = _setting("TURNSPAN_RESEND", default=True)
    """Whether recovery sends the spans that a dead process may not have sent."""
    view_url: str = _setting("TURNSPAN_VIEW_URL", "")
    """Base URL of the session pages; a turn's span then carries ``turnspan.session.url``."""
    trace_url: str = _setting("TURNSPAN_TRACE_URL", "")
    """Links to traces: a template (``{trace_id} {span_id} {audit_event_id} {session_id} {turn_id}``), or ``jaeger tempo
    grafana phoenix``, with ``:https://host`` behind the name."""
    log_url: str = _setting("TURNSPAN_LOG_URL", "")
    """Links to log lines: a template, or ``grafana``."""
    semconv: str = _setting("TURNSPAN_SEMCONV", "util-1.3", ("util-1.3", "main"))
    """Names of attributes and metrics: those that instrumentations emit today, or the newest registry's."""
    strict: bool = _setting("TURNSPAN_STRICT", default=False)
    """Raise turnspan's own errors instead of reporting them once; for tests."""
    disabled: bool = _setting("TURNSPAN_DISABLED", default=False)
    """Turn turnspan off."""

    @classmethod
    def read(cls, **given: Any) -> Self:
        """Make settings of arguments (None: not given), then the environment, then defaults.

        Raises:
            SettingsError: When a value is none of the choices, or a name is no setting.

        """
        known = {f.name: f for f in fields(cls)}
        if unknown := set(given) - set(known):
            raise SettingsError(f"Unknown setting {', '.join(sorted(unknown))}; known are {', '.join(known)}")
        values: dict[str, Any] = {}
        for name, setting in known.items():
            value = given.get(name)
            variable = setting.metadata["variable"]
            if value is None:
                value = os.environ.get(variable) or None
            if value is not None:
                values[name] = _converted(variable, value, type(setting.default), setting.metadata["choices"])
        return cls(**values)

    def endpoint(self, signal: Literal["traces", "logs", "metrics"]) -> str:
        """Return the whole URL that a signal is sent to; empty where it is not sent."""
        own: str = getattr(self, f"otlp_{signal}")
        return own or (endpoint_at(self.otlp, signal) if self.otlp else "")

    # What is in home ---------------------------------------------------------------------------------------------

    @property
    def store_url(self) -> str:
        """The store's URL, the default one in home spelled out."""
        return self.store or f"sqlite:///{self.home.absolute() / 'sessions.db'}"

    @property
    def journal_path(self) -> Path:
        """The folder of journals, one chain of segments a process."""
        return self.home / "journal"

    @property
    def spans_path(self) -> Path:
        """The file that spans are kept in, one OTLP JSON object a line."""
        return self.home / "spans.jsonl"

    @property
    def spool_path(self) -> Path:
        """The file that keeps what `turnspan serve` received until it is on record."""
        return self.home / "received.db"

    @property
    def default_log_path(self) -> Path:
        """The file in home that log lines go to unless they are sent elsewhere."""
        return self.home / "turnspan.log.jsonl"

    @property
    def log_path(self) -> Path | None:
        """The file that log lines go to, if they go to a file."""
        if self.log in ("off", "stderr", "structlog"):
            return None
        return self.default_log_path if self.log == "file" else Path(self.log)

    def make_home(self) -> None:
        """Make the folder that everything is kept in, for its owner only.

        Version control leaves out a folder that is made here. One that exists is the user's own, and stays as it is.

        Raises:
            OSError: When it cannot be made.

        """
        self.home.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.home.mkdir(mode=0o700)
        except FileExistsError:
            if not self.home.is_dir():
                raise
            return
        with contextlib.suppress(OSError):  # recording goes on without it
            (self.home / ".gitignore").touch(mode=0o600)  # as private as the rest
            (self.home / ".gitignore").write_text("# recorded data is not source code\n*\n")

    @property
    def span_content(self) -> bool:
        """Whether content may stand on spans: what is not on record may not, whatever OpenTelemetry's variable says."""
        return self.capture_content != "none" and self.telemetry_content.lower() in ("span_only", "span_and_event")


def _converted(variable: str, value: Any, kind: type, choices: tuple[str, ...]) -> Any:
    if kind is bool:
        return value if isinstance(value, bool) else str(value).strip().lower() in ("1", "true", "yes", "on")
    if kind is int:
        try:
            return max(0, int(value))
        except (TypeError, ValueError):
            raise SettingsError(f"{variable}={value!r} is not an integer") from None
    if issubclass(kind, Path):
        return Path(value)
    if choices and str(value).lower() not in choices:
        raise SettingsError(f"{variable}={value!r} is not a value of this setting; use one of: {', '.join(choices)}")
    return str(value).lower() if choices else str(value)


def endpoint_at(base: str, signal: str) -> str:
    """Return the whole URL of a signal at an OTLP/HTTP receiver, as OpenTelemetry makes it of the base URL."""
    return f"{base.rstrip('/')}/v1/{signal}"


OF_COMMANDS = ("TURNSPAN_VIEW_TOKEN",)
"""Variables that set an option of one command, and no setting."""


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return the ``TURNSPAN_`` variables that set nothing, each with the one that may have been meant."""
    known = [*(setting.metadata["variable"] for setting in fields(Settings)), *OF_COMMANDS]
    found = sorted(name for name in environ if name.startswith("TURNSPAN_") and name not in known)
    return {name: next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), None) for name in found}


class SettingsArguments(TypedDict, total=False):
    """The settings as arguments of ``configure``, ``instrument`` and ``record``; None leaves one to the environment.

    ``store`` is not among them: these functions take a store object as well.
    """

    home: str | Path | None
    adapters: str | None
    session_id: str | None
    workspace_id: str | None
    capture_content: Literal["full", "redacted", "none"] | None
    redact: str | None
    content_limit: int | None
    telemetry_content: Literal["no_content", "span_only", "event_only", "span_and_event"] | None
    log: str | None
    otlp: str | None
    otlp_traces: str | None
    otlp_logs: str | None
    otlp_metrics: str | None
    durability: Literal["process", "fsync"] | None
    journal_limit_mb: int | None
    keep_journal: bool | None
    exit_timeout_s: int | None
    signing_key: str | Path | None
    resend: bool | None
    view_url: str | None
    trace_url: str | None
    log_url: str | None
    semconv: Literal["util-1.3", "main"] | None
    strict: bool | None
    disabled: bool | None


def takes_settings(function: F) -> F:
    """Show each setting by its name where a function takes ``**settings``: in ``help()``, and where names are completed."""
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint.__forward_arg__)
        for name, hint in SettingsArguments.__annotations__.items()
    ]
    function.__signature__ = signature.replace(parameters=[*own, *named])  # type: ignore[attr-defined]
    return function


# Stores by URL -----------------------------------------------------------------------------------------------------

SCHEMES = ("sqlite", "postgresql", "postgres", "cockroachdb", "mysql", "redis", "rediss", "file", "memory")
"""How the URLs of stores begin."""


STORES_GROUP = "turnspan.stores"
"""The entry points that add schemes: each is named like its scheme, and is called with the URL to open a store."""


def scheme_of(url: str) -> str:
    """Return which kind of store a URL names, without opening it.

    Raises:
        SettingsError: When it names none that we know.

    """
    scheme = url.partition(":")[0].partition("+")[0]
    if ":" not in url or (scheme not in SCHEMES and own_scheme(scheme) is None):
        raise SettingsError(
            f"{url!r} is not a store URL that turnspan knows; use sqlite:///path, postgresql://user@host/database, "
            f"redis://host, file:///path, memory:, or a scheme that a package adds (entry point group {STORES_GROUP})"
        )
    return scheme


def own_scheme(scheme: str) -> EntryPoint | None:
    """Return the entry point of an installed package that opens stores of a scheme."""
    from importlib.metadata import entry_points

    return next(iter(entry_points(group=STORES_GROUP, name=scheme)), None)


def without_password(url: str) -> str:
    """Return a URL as it may be written down: with the user's name, without passwords, wherever it has them."""
    address, mark, query = url.partition("?")
    kept = [one for one in query.split("&") if not _SECRET_PARAMETER.search(one.partition("=")[0])]
    return _PASSWORD_OF_USER.sub(r"\1", address) + (mark + "&".join(kept) if kept and query else "")


# Up to the last @: a password may have one in it, and a slash, too; a number before a slash is a port
_PASSWORD_OF_USER = re.compile(r"(?<=://)([^/:@#\s]*):(?!\d+(?:[/#]|$)).*(?=@[^@]*$)")
_SECRET_PARAMETER = re.compile(r"(?i)passw(?:or)?d|pwd|passphrase|secret|token|api_?key|access_?key")
