"""A session as one file that opens anywhere: the page without its server, inert, to attach to a ticket.

It has no script and loads nothing; its policy allows its own style by digest, so that nothing in it could run even if
it got past the escaping. A notebook shows the same in a frame without rights.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from markupsafe import Markup, escape

from turnspan.model.inert import inert
from turnspan.model.records import SessionRecord
from turnspan.reading.tree import session_tree
from turnspan.reading.windows import Window, summary_of
from turnspan.stores.rows import AuditRow
from turnspan.viewer.conversation import turn_view
from turnspan.viewer.pictures import strip_of
from turnspan.viewer.rendering import asset, render
from turnspan.viewer.session_facts import facts_of, title_of

_IN_NOTEBOOK = 40
"""Turns that a notebook shows: it keeps what it shows."""
_SHORTER = (
    (' dir="auto"', ""),
    ('<span class="status success">ok</span>', ""),
    ('<pre class="text">', "<pre>"),
    ('<text x="0"', "<text"),
    ('<rect class="time"', "<rect"),
    ('<text class="ms"', "<text"),
    ("</li>", ""),
    *((f'<span class="kind">{kind}</span> ', "") for kind in ("model call", "tool call", "agent", "handoff", "note")),
)
"""What the style says in a file, where a thousand turns would say it each. Content cannot hold these: its quotes and
brackets are escaped."""
_STYLE = ".strip-bar{top:0}html{scroll-padding-top:5rem}" + "".join(
    f'.{kind.replace(" ", "-")}>summary::before{{content:"{kind}";flex:none;font-size:11px;min-width:4.6rem;color:var(--soft)}}'
    for kind in ("model call", "tool call", "agent", "handoff", "note")
)
_SELECTORS = ((r"\.time\b", "rect"), (r"\.ms\b", "text+text"))
"""How the style names what a file has no class for."""
_QUOTED = re.compile(r'="([\w#%.-]+)"(?=[ >])')
_BLANK = re.compile(r">\s*\n\s*<")


def as_file(session: SessionRecord, rows: list[AuditRow] | None = None, *, most: int | None = None) -> str:
    """Return a session as a page of its own.

    Args:
        session: The session.
        rows: Its audit rows, where the store keeps them.
        most: How many of its turns at most; None: all.

    """
    outline = [summary_of(turn) for turn in session.turns]
    pairs = list(zip(session.turns, session_tree(session, rows or ()), strict=True))[:most]
    turns = [turn_view(number, turn, root, short=True) for number, (turn, root) in enumerate(pairs, 1)]
    style, digest = _style()
    page = render(
        "file.html",
        session=session,
        title=title_of(Window(session, outline, 0)),
        facts=facts_of(outline, [root for _, root in pairs]),
        strip=strip_of(outline, (0, 0)),
        with_strip=most is None,
        turns=turns,
        left_out=len(outline) - len(turns),
        style=style,
        digest=digest,
    )
    page = _BLANK.sub("><", page.lstrip())
    for long, short in _SHORTER:
        page = page.replace(long, short)
    return _QUOTED.sub(r"=\1", page)


def as_notebook(session: SessionRecord) -> str:
    """Return a session for a notebook's cell: the page in a frame that may do nothing."""
    page = escape(as_file(session, most=_IN_NOTEBOOK))
    height = min(760, 260 + 220 * len(session.turns))
    name = escape(inert(f"session {session.session_id}"))
    return (
        f'<iframe title="{name}" sandbox="" srcdoc="{page}" width="100%" height="{height}" '
        'style="border:1px solid #8884;border-radius:8px"></iframe>'
    )


@cache
def _style() -> tuple[Markup, str]:
    """Return the pages' style, without its comments, and the digest by which the policy allows it."""
    text = re.sub(r"/\*.*?\*/", "", (asset("view.css") or b"").decode(), flags=re.DOTALL)
    for long, short in _SELECTORS:
        text = re.sub(long, short, text)
    text = re.sub(r"\s+", " ", text).strip() + _STYLE
    assert "</" not in text
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), digest  # noqa: S704  our own style
