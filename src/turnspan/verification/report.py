"""What a verification found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Check = Literal["integrity", "structure", "completeness", "record", "trace", "log"]
Verdict = Literal[
    "ok", "sampled-out", "dropped", "crashed", "pending", "expired", "missing", "orphan", "mismatch", "altered"
]
CHECKS: tuple[Check, ...] = ("integrity", "structure", "completeness", "record", "trace", "log")
EXPLAINED = frozenset({"sampled-out", "dropped", "crashed", "pending", "expired"})
ERASED = "erased"
"""The name of the :class:`~turnspan.events.Noted` that tells of an erasure."""
_MOST_FINDINGS = 1000


class Finding(NamedTuple):
    """A difference: which check found it, its verdict, where, and in words."""

    check: Check
    verdict: Verdict
    session_id: str | None
    id: str
    says: str


@dataclass(slots=True)
class Report:
    """What was looked at and what was found. At most 1,000 findings are kept; ``counts`` has them all."""

    sources: dict[str, str] = field(default_factory=dict)
    sessions: int = 0
    events: int = 0
    erased: int = 0
    counts: dict[Check, Counter[str]] = field(default_factory=lambda: {check: Counter() for check in CHECKS})
    findings: list[Finding] = field(default_factory=list)

    def add(self, check: Check, verdict: Verdict, session_id: str | None, id_: str, says: str) -> None:
        """Add a difference."""
        self.counts[check][verdict] += 1
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(check, verdict, session_id, id_, says))

    def ok(self, check: Check, count: int = 1) -> None:
        """Count what is as it should be."""
        self.counts[check]["ok"] += count

    @property
    def exit_code(self) -> int:
        """0: proven; 1: gaps that are explained; 2: gaps that are not; 3: the chain is broken."""
        found = {verdict for counts in self.counts.values() for verdict, count in counts.items() if count}
        if "altered" in found:
            return 3
        if found & {"missing", "orphan", "mismatch"}:
            return 2
        return 1 if found & EXPLAINED else 0

    @property
    def proven(self) -> bool:
        """Whether everything that was looked at agrees."""
        return self.exit_code == 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible values."""
        return {
            "proven": self.proven,
            "exit_code": self.exit_code,
            "sources": self.sources,
            "sessions": self.sessions,
            "events": self.events,
            "erased_events": self.erased,
            "checks": {check: dict(counts) for check, counts in self.counts.items()},
            "findings": [finding._asdict() for finding in self.findings],
        }
