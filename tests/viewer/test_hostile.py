"""What agents wrote, in a real Chromium: text that wants to be more stays text, on pages, in JSON, files and notebooks."""

import json
from urllib.parse import urlencode

import pytest

import turnspan
from support.pages import served, source_of
from turnspan import InMemorySessionStore
from turnspan.model.addresses import event_path, quoted, session_path
from turnspan.model.records import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord
from turnspan.viewer.one_file import as_file, as_notebook

pytest.importorskip("playwright.sync_api")

HOSTILE = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "</pre></details></article><svg onload=window.pwned=1>",
    '"><a href=javascript:window.pwned=1>x</a>',
    "' autofocus onfocus=window.pwned=1 x='",
    "{{ 7*7 }}{% raw %}${7*7}",
    "<style>body{display:none}</style><base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "\u202edesrever\u202c \u2066x\u2069",
    "\x1b]52;c;aGk=\x07\x1b[2J nul:\x00 end",
    "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+",
    "javascript:window.pwned=1",
    "\ud800 alone",
    "]]></script><!--",
    "[" * 3000,
]


def hostile_session():
    turns = []
    for number, text in enumerate(HOSTILE):
        deep = text
        for _ in range(60):
            deep = {text: [deep]}
        tool = ToolCallRecord(
            f"c{text}",
            text,
            {text: text, "deep": deep},
            result=[text] * 300,
            error=text,
            status="error",
            metadata={"turnspan": {"started_at": text, "span_id": text, "audit_event_ids": [text], "agent_id": text}},
        )
        own = {
            "notes": [{"name": text, "data": text, "at": text}],
            "model_calls": [
                {
                    "model": text,
                    "messages": [{"role": text, "content": text}],
                    "output": text,
                    "usage": {text: 1},
                    "finish_reasons": [text],
                }
            ],
            "agents": [{"agent_id": text, "description": text}],
            "trace_id": text,
        }
        turns.append(
            TurnRecord(
                f"t{number}-<b>",
                text,
                text,
                text + "x" * 9000,
                [tool],
                text,
                text,
                text,
                text,
                [text],
                {"turnspan": own},
            )
        )
    handoffs = [
        AgentTransitionRecord(text, text, text, turn.turn_id, text) for text, turn in zip(HOSTILE, turns, strict=True)
    ]
    return SessionRecord(
        "<script>window.pwned=1</script>",
        HOSTILE[1],
        HOSTILE[2],
        "2026-01-01",
        HOSTILE[3],
        turns,
        handoffs,
        {"turnspan": {"parent_session_id": HOSTILE[1]}},
    )


FOUND = """() => ({
    pwned: window.pwned, scripts: document.scripts.length, at: location.origin,
    handlers: [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on') || a.name === 'style')).length,
    links: [...document.querySelectorAll('a[href]')].filter((a) => new URL(a.getAttribute('href'), location.href).origin !== location.origin).length,
    strange: document.querySelectorAll(':is(main, dialog) :is(img, iframe, object, base, meta, style)').length,
    active: /[\\u0000\\u001b\\u202e\\u2066]/.test(document.body.innerText),
    visible: document.querySelector('main').getClientRects().length > 0})"""


def hostile_paths(session):
    """Every page there is about the session, as HTML."""
    base, markup = session_path(session.session_id), session.turns[0]
    event = event_path(markup.audit_event_ids[0])
    sides = urlencode({"a": session.session_id, "b": HOSTILE[1]})
    return [
        "/sessions",
        base,
        f"{base}/agents",
        f"{base}/trust",
        event,
        f"{event}/why",
        f"{event}/log",
        f"/traces/{quoted(HOSTILE[0])}",
        f"/compare?{sides}",
        "/sessions?search=%3Cscript%3E",
        "/sessions?status=%3Cscript%3E&agent=%22%3E%3Cimg%20src=x%20onerror=pwned=1%3E",
        "/events/%3Csvg%20onload=pwned=1%3E",
    ]


@pytest.fixture
def hostile(tmp_path):
    """The session and one that it started, raw, as another program's store may have them, in a home with such a name."""
    store, session = InMemorySessionStore(), hostile_session()
    above = {"turnspan": {"parent_session_id": session.session_id}}
    child = SessionRecord(HOSTILE[1], HOSTILE[0], HOSTILE[0], "z", HOSTILE[2], session.turns[:2], metadata=above)
    for one in (session, child):
        store._sessions[one.session_id] = one
    home = tmp_path / "<img src=x onerror=window.pwned=1>"
    home.mkdir()
    line = {"audit_event_id": HOSTILE[0], "event": HOSTILE[1], "session_id": HOSTILE[0], "note": HOSTILE}
    (home / "turnspan.log.jsonl").write_text(json.dumps(line), encoding="utf-8")
    with served(source_of(store, home)) as address:
        yield address, session


def test_what_agents_wrote_is_text_and_nothing_runs(page, hostile):
    """Markup, scripts, addresses, reading directions and escapes in every field there is: shown, and inert."""
    address, session = hostile
    page.on("request", lambda request: None if request.url.startswith(address) else pytest.fail(request.url))
    nothing = dict.fromkeys(("handlers", "links", "strange"), 0)
    inert = {"pwned": None, "scripts": 1, "at": address, **nothing, "active": False, "visible": True}
    for path in hostile_paths(session):
        status = page.goto(address + path).status
        assert status in (200, 400, 404), (path, status)
        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        assert page.evaluate(FOUND) == inert, path
    page.goto(f"{address}{session_path(session.session_id)}?turn={len(HOSTILE)}")
    page.locator(".entry.session > summary").first.click()
    page.locator(".entry.session .turn").first.wait_for()
    page.locator(".head a[data-panel]").first.click()
    page.locator("dialog.panel article").wait_for()
    assert page.evaluate(FOUND) == inert
    page.goto("about:blank")


def test_json_of_what_agents_wrote_is_shown_as_json(page, hostile):
    """Opened in a browser, no document runs anything: it is JSON, and is not looked at for what else it could be."""
    address, session = hostile
    for path in hostile_paths(session):
        before, mark, query = path.partition("?")
        answer = page.goto(f"{address}{before}.json{mark}{query}")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert page.evaluate("window.pwned") is None and answer.json()
    page.goto("about:blank")


def test_a_file_and_a_notebooks_frame_do_nothing(page, tmp_path):
    """The one-file export and the notebook's frame show the same hostile content: no script, nothing that acts or loads."""
    (tmp_path / "session.html").write_text(as_file(hostile_session()), encoding="utf-8")
    page.on("request", lambda request: None if request.url.startswith("file:") else pytest.fail(request.url))
    page.goto(f"file://{tmp_path}/session.html")
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    found = page.evaluate("""() => ({ pwned: window.pwned, scripts: document.scripts.length,
        handlers: [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on') || a.name === 'style')).length,
        links: [...document.querySelectorAll('a[href]')].filter((a) => !a.getAttribute('href').startsWith('#')).length,
        styled: getComputedStyle(document.querySelector('.turn')).display })""")
    assert found == {"pwned": None, "scripts": 0, "handlers": 0, "links": 0, "styled": "grid"}
    store = InMemorySessionStore()
    store._sessions["s"] = hostile_session()
    cells = as_notebook(hostile_session()) + turnspan.sessions(store=store)._repr_html_()
    (tmp_path / "hostile.html").write_text(f"<!doctype html><main>{cells}</main>", encoding="utf-8")
    page.goto(f"file://{tmp_path}/hostile.html")
    page.frame_locator("iframe").locator(".turn").first.wait_for()
    for frame in page.frames:
        assert frame.evaluate("window.pwned") is None and frame.evaluate("document.scripts.length") == 0
    assert (
        page.evaluate("document.querySelectorAll('main :not(iframe, table, tbody, tr, td, th, caption)').length") == 0
    )
    plain = SessionRecord("s", turns=[TurnRecord("t", prompt="I paid invoice 7 twice", response_content="Sorry.")])
    (tmp_path / "cell.html").write_text(f"<!doctype html><body>{as_notebook(plain)}", encoding="utf-8")
    page.goto(f"file://{tmp_path}/cell.html")
    page.frame_locator("iframe").get_by_text("I paid invoice 7 twice", exact=True).first.wait_for()
