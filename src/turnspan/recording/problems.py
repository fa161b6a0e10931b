"""Problems: failures of turnspan itself, which are counted, logged once each, and never reach the agent."""

from __future__ import annotations

from collections import Counter
from enum import Enum

from turnspan.errors import SettingsError
from turnspan.recording.redaction import redact_secrets
from turnspan.telemetry.own_log import logger


class Problem(Enum):
    """The part of turnspan that failed."""

    ADAPTER = "adapter"
    EVENT = "event"
    JOURNAL = "journal"
    LEDGER = "ledger"
    OBSERVER = "observer"
    OTLP = "OTLP"
    OTLP_SIGNAL = "OTLP signal"
    OUTLET = "outlet"
    RECORDER = "recorder"
    REDACTION = "redaction"
    SET_UP = "set-up"
    SIGNING_KEY = "signing key"
    SPAN_READER = "span reader"
    SPANS = "spans"
    STORE = "store"
    STRUCTLOG = "structlog"
    WRITER = "writer"

    @property
    def is_of_the_environment(self) -> bool:
        """Whether a disk, a database or an endpoint is to blame, not our code: ``TURNSPAN_STRICT`` does not raise these."""
        return self in (Problem.JOURNAL, Problem.OTLP, Problem.OTLP_SIGNAL, Problem.STORE)

    def message(self, error: BaseException, *, quotes: bool = True) -> str:
        """Return the error's text as it may be logged: it may quote content, and so may a user's own redactor.

        Args:
            error: What was raised.
            quotes: Whether content may be quoted; disks, databases and endpoints speak of other things.

        """
        if self is Problem.REDACTION and not isinstance(error, SettingsError):
            return "content is withheld"
        if not quotes and not self.is_of_the_environment and not isinstance(error, (SettingsError, OSError)):
            return "its text may quote content, which is not captured"
        return redact_secrets(str(error))


class Problems:
    """Counts problems by cause, and logs each cause once.

    Args:
        strict: Raise the error as well, where our own code failed (``TURNSPAN_STRICT``).
        quotes: Whether what is logged may quote content (``TURNSPAN_CAPTURE_CONTENT``).

    """

    def __init__(self, *, strict: bool = False, quotes: bool = True) -> None:
        self.counts: Counter[str] = Counter()
        self._strict, self._quotes = strict, quotes
        self._seen: set[Problem] = set()
        self._held: dict[tuple[Problem, str], tuple[BaseException, Problem]] = {}

    def report(self, problem: Problem, error: BaseException, detail: str = "") -> None:
        """Count a failure.

        Args:
            problem: What failed.
            error: How.
            detail: Which one of several: an adapter's name, a signal, an outlet's class.

        """
        name = f"{problem.value} {detail}" if detail else problem.value
        cause = f"{name}: {type(error).__name__}"
        self.counts[cause] += 1
        self._seen.add(problem)
        if self._strict and not problem.is_of_the_environment:
            raise error
        if self.counts[cause] == 1:
            logger.warning(
                "turnspan %s failed, the agent goes on: %s: %s",
                name,
                type(error).__name__,
                problem.message(error, quotes=self._quotes),
            )
            if problem is not Problem.REDACTION and self._quotes:
                logger.debug("turnspan %s failed", name, exc_info=error)

    def hold(self, problem: Problem, error: BaseException, detail: str, *, unless: Problem) -> None:
        """Report a failure when it comes again or at the end, and not if one that explains it was met by then."""
        if (problem, detail) in self._held:
            self.report_held()
        self._held[problem, detail] = error, unless

    def report_held(self) -> None:
        """Report what was held back and has no larger explanation."""
        held, self._held = self._held, {}
        for (problem, detail), (error, unless) in held.items():
            if not self.has(unless):
                self.report(problem, error, detail)

    def has(self, problem: Problem) -> bool:
        """Return whether this has failed at least once."""
        return problem in self._seen
