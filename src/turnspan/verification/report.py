"""What a verification found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Check = Literal["integrity", "structure", "completeness", "record", "trace", "log", "anchor"]
Verdict = Literal[
    "ok",
    "elsewhere",
    "sampled-out",
    "dropped",
    "crashed",
    "pending",
    "expired",
    "removed",
    "missing",
    "orphan",
    "mismatch",
    "altered",
]
CHECKS: tuple[Check, ...] = ("integrity", "structure", "completeness", "record", "trace", "log", "anchor")
EXPLAINED = frozenset({"sampled-out", "dropped", "crashed", "pending", "expired", "removed"})
NOT_LOOKED_AT = frozenset({"elsewhere"})
"""Of what is kept in another place than the one that was looked at, nothing is known, and nothing is said against it."""
COULD_NOT_LOOK = 4
"""The exit code where nothing can be said: nothing is recorded, or the key, a store or a backend is not the one."""
_MOST_FINDINGS = 1000


class Finding(NamedTuple):
    """A difference: which check found it, its verdict, where, and in words."""

    check: Check
    verdict: Verdict
    session_id: str | None
    id: str
    says: str


@dataclass(slots=True, repr=False)
class Report:
    """What was checked and what was found. At most 1,000 findings are kept; ``counts`` has them all.

    ``notes`` say what the verdict does not cover, and ``problem`` why there is none.
    """

    sources: dict[str, str] = field(default_factory=dict)
    sessions: int = 0
    events: int = 0
    erased: int = 0
    counts: dict[Check, Counter[str]] = field(default_factory=lambda: {check: Counter() for check in CHECKS})
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: str = ""

    def __repr__(self) -> str:
        """Show the verdict and, where something is not proven, the first reason; ``print`` shows all of it."""
        seen = f"sessions={self.sessions}, events={self.events}, findings={len(self.findings)}"
        first = self.problem or next((f"{one.verdict} {one.check}: {one.says}" for one in self.findings), "")
        why = f", first={first!r}" if first else ""
        return f"Report(proven={self.proven}, exit_code={self.exit_code}, {seen}{why})"

    def __str__(self) -> str:
        """Return what ``turnspan verify`` prints."""
        from turnspan.verification.report_text import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        """Show the report in a notebook, as a table."""
        from turnspan.verification.report_text import as_html

        return as_html(self)

    def add(self, check: Check, verdict: Verdict, session_id: str | None, id_: str, says: str) -> None:
        """Add a difference."""
        self.counts[check][verdict] += 1
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(check, verdict, session_id, id_, says))

    def ok(self, check: Check, count: int = 1) -> None:
        """Count what is as it should be."""
        self.counts[check]["ok"] += count

    def not_looked_at(self, check: Check, note: str) -> None:
        """Count what is kept in a place that was not checked, and say once which option would check it."""
        self.counts[check]["elsewhere"] += 1
        if note not in self.notes:
            self.notes.append(note)

    @property
    def exit_code(self) -> int:
        """0: proven; 1: explained gaps; 2: unexplained ones; 3: the chain is broken; 4: nothing could be checked."""
        found = {verdict for counts in self.counts.values() for verdict, count in counts.items() if count}
        if "altered" in found:
            return 3
        if found & {"missing", "orphan", "mismatch"}:
            return 2
        if self.problem:
            return COULD_NOT_LOOK
        return 1 if found & EXPLAINED else 0

    @property
    def proven(self) -> bool:
        """Whether something was checked, and all of it agrees."""
        return self.exit_code == 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible values."""
        return {
            "proven": self.proven,
            "exit_code": self.exit_code,
            "problem": self.problem or None,
            "sources": self.sources,
            "sessions": self.sessions,
            "events": self.events,
            "erased_events": self.erased,
            "checks": {check: dict(counts) for check, counts in self.counts.items()},
            "notes": self.notes,
            "findings": [finding._asdict() for finding in self.findings],
        }
