"""Outlets: where a process sent its spans and log lines, as its seals say, and whether that is where we look.

What went to another place is not missing here. It was not checked either, and that is said, with the option that would.
"""

from __future__ import annotations

from typing import Literal

from turnspan.journal.seals import Seal

Place = str | None
"""What seals call the place that is looked at: ``file``, ``file:<path>``; ``given``: any other that somebody named;
None: the memory of this process, where everything is."""
GIVEN = "given"
_LOOK = {
    "spans": "--spans FILE, or the URL of Jaeger or Tempo, looks there",
    "log": "--logs FILE, or the URL of Loki, looks there",
}
_WORDS = {
    "provider": "the program's own OpenTelemetry provider",
    "file": "the file in home",
    "stderr": "standard error",
    "structlog": "the application's own structlog",
}


def kept_elsewhere(what: Literal["spans", "log"], seal: Seal | None, place: Place) -> str:
    """Return what is to be said of spans or lines that went to another place than that; "" when they should be there.

    Args:
        what: Which of them.
        seal: The newest seal of their process; one of the version before does not say.
        place: Where they were looked for.

    """
    if place in (None, GIVEN) or seal is None or what not in seal.outlets:
        return ""  # whoever names a place is taken at their word
    outlets = seal.outlets[what]
    # a program that sets its own provider late has earlier spans in our file, later ones where it wants them
    if place in outlets and not (what == "spans" and "provider" in outlets):
        return ""
    things = "spans" if what == "spans" else "log lines"
    names = [_WORDS.get(outlet, outlet.removeprefix("file:")) for outlet in outlets if outlet != "off"]
    if not names:
        nowhere = "nowhere (TURNSPAN_LOG=off)" if outlets else "to no place that turnspan knows"
        return f"{things} went {nowhere}" + ("" if outlets else f": {_LOOK[what]}")
    return f"{things} went to {' and '.join(names)}: {_LOOK[what]}"
