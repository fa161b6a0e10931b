"""The pages in a real Chromium: selecting, keys, news, both themes, a phone, and content that wants to be more than text."""

import os

import pytest

from support.pages import served, source_of
from turnspan import InMemorySessionStore, SqlSessionStore
from turnspan.model.records import AgentTransitionRecord, SessionRecord, ToolCallRecord, TurnRecord, iso

pytest.importorskip("playwright.sync_api")
BEGUN = 1_767_261_600_000_000_000


def at(ms):
    return iso(BEGUN + int(ms * 1_000_000))


def call(name, begin, took, event, parent=None, **more):
    kept = {"started_at": at(begin), "audit_event_ids": [f"{event:032x}"], "parent_id": parent}
    return ToolCallRecord(f"call-{event}", name, duration_ms=took, metadata={"turnspan": kept}, **more)


def model_call(call_id, begin, took, event, first_chunk, tokens, parent=None, **more):
    usage = dict(zip(("input_tokens", "output_tokens"), tokens, strict=True))
    kept = {"started_at": at(begin), "duration_ms": took, "audit_event_ids": [f"{event:032x}"], "parent_id": parent}
    return {
        "model": "gpt-5-mini",
        "call_id": call_id,
        "status": "success",
        "first_chunk_ms": first_chunk,
        "usage": usage,
    } | {key: value for key, value in {**kept, **more}.items() if value is not None}


def refund_tools():
    """Two tools at once, and one that failed."""
    invoice = {"number": 7, "amount": "42.00 EUR"}
    paid = ["2026-03-01 paid", "2026-03-02 paid"]
    late = "TimeoutError: the bank did not answer within 0.9 s"
    return [
        call(
            "find_invoice",
            950,
            480.0,
            23,
            "billing",
            arguments={"number": 7},
            result={**invoice, "state": "paid twice"},
        ),
        call("customer_history", 960, 700.0, 24, "billing", arguments={"customer": "c-1881"}, result=paid),
        call("refund", 1700, 900.0, 25, "billing", arguments=invoice, status="error", error=late),
    ]


def refund():
    """A turn with a handoff, two tools at once, one that failed, and an approval."""
    asked = [{"role": "user", "content": "I paid invoice 7 twice"}]
    handing = "Let me hand you over to billing."
    own = {
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
        "agents": [
            {
                "call_id": "billing",
                "agent_id": "billing",
                "started_at": at(900),
                "duration_ms": 2700.0,
                "status": "success",
                "audit_event_ids": [f"{20:032x}"],
            }
        ],
        "model_calls": [
            model_call("m1", 40, 820.0, 21, 310.0, (1240, 36), messages=asked, output=handing),
            model_call("m2", 2650, 900.0, 22, 400.0, (1810, 74), "billing", output="You paid twice."),
        ],
        "notes": [{"name": "approval.asked", "at": at(1450), "data": {"tool": "refund", "amount": "42.00 EUR"}}],
    }
    answer = "You paid invoice 7 twice. The bank does not answer right now; I will refund you tomorrow."
    return TurnRecord(
        "t2",
        "triage",
        "I paid invoice 7 twice",
        answer,
        refund_tools(),
        at(0),
        at(3700),
        audit_event_ids=[f"{event:032x}" for event in range(20, 26)],
        metadata={"turnspan": own},
    )


def conversation():
    hello = TurnRecord(
        "t1", "triage", "Hi, it is about an invoice of mine", "Hello! Which one?", [], at(-60_000), at(-59_100)
    )
    failed = TurnRecord(
        "t3", "triage", "And when?", None, [], at(60_000), at(61_000), "error", "RateLimitError: try again later"
    )
    handoff = AgentTransitionRecord("triage", "billing", "it is about an invoice", "t2", at(880))
    return SessionRecord("support-42", "shop", at(-60_000), at(61_000), "triage", [hello, refund(), failed], [handoff])


@pytest.fixture(scope="module")
def address():
    store = InMemorySessionStore()
    store.save_session(conversation())
    looked = [call("look_up", 1001, 300.0, 31, arguments={"id": "c-1881"}, result="customer since 2019")]
    own = TurnRecord("t2", "history", "Who is customer c-1881?", "A customer since 2019.", looked, at(1000), at(1400))
    above = {"turnspan": {"parent_session_id": "support-42"}}
    store.save_session(SessionRecord("history-7", "shop", at(1000), at(-(10**7)), "history", [own], metadata=above))
    for number in range(6):
        store.save_session(
            SessionRecord(
                f"earlier-{number}",
                "shop",
                at(-(10**7)),
                at(-(10**6) * (number + 1)),
                "triage",
                [
                    TurnRecord(
                        "t",
                        "triage",
                        f"Where is my parcel {number}?",
                        "On its way.",
                        [],
                        at(-(10**7)),
                        at(-(10**7) + 900 * number),
                    )
                ],
            )
        )
    with served(source_of(store)) as found:
        yield found


def test_selecting_in_one_selects_in_the_other(page, address):
    """A bar of the waterfall opens its call in the conversation, and a call marks its bar."""
    page.goto(f"{address}/sessions/support-42")
    page.locator('.bar[data-of$="19"]').click()  # event 25 is the refund
    opened = page.locator("details[aria-current=true]")
    assert opened.get_attribute("open") is not None and "the bank did not answer" in opened.inner_text()
    page.locator("summary", has_text="find_invoice").click()
    assert page.locator(".bar[aria-current=true] title").text_content().startswith("tool call find_invoice")
    assert page.url.endswith("#event-" + f"{23:032x}")
    page.goto(f"{address}/sessions/support-42#event-{25:032x}")
    page.reload()
    assert page.locator("details[aria-current=true]").get_attribute("open") is not None


def test_what_went_wrong_is_one_click_away(page, address):
    """Of a session with failures: from the list's red row into it, and on to the call that failed, unfolded."""
    page.goto(f"{address}/sessions")
    page.locator(".row.failed", has_text="1 call failed").locator("a").click()
    page.locator(".head a.bad").click()
    opened = page.locator("details[aria-current=true]")
    assert opened.get_attribute("open") is not None and "the bank did not answer" in opened.inner_text()
    page.goto(f"{address}/sessions/support-42?turn=t2#failed-t2")
    assert "the bank did not answer" in page.locator("details[aria-current=true]").inner_text()


def test_everything_is_reached_by_keys(page, address):
    """From the list into a session, through its turns to what failed, to the search and the list of keys."""
    page.goto(f"{address}/sessions")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/support-42")
    page.keyboard.press("e")
    assert "refund" in page.locator("[aria-current=true] > summary").inner_text()
    page.keyboard.press("Enter")
    assert page.locator("details.failed").get_attribute("open") is not None
    page.keyboard.press("e")
    assert page.locator(".turn[aria-current=true]").get_attribute("id") == "turn-t3"
    page.keyboard.press("[")
    page.keyboard.press("]")
    assert page.locator(".turn[aria-current=true]").get_attribute("id") == "turn-t3"
    page.keyboard.press("?")
    assert page.locator("dialog.keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("parcel")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions?search=parcel")
    assert page.locator(".row").count() == 6
    page.locator(".filtering button").click()
    page.wait_for_url("**/sessions?search=parcel")  # what is not asked for has no place in the address


def test_what_happened_is_found_at_a_glance(page, address):
    """The failure, what ran at once, the handoff, the approval and the time it took are there without a click."""
    page.goto(f"{address}/sessions/support-42")
    turn = page.locator("#turn-t2")
    shown = turn.inner_text()
    for said in (
        "1 failed inside",
        "2 at the same time",
        "triage → billing",
        "approval.asked",
        "1,240 → 36 tokens",
        "models 46%",
    ):
        assert said in shown, said
    assert "RateLimitError" in page.locator("#turn-t3").inner_text()
    page.locator("a.trust").click()
    page.locator(".trust-card").wait_for()
    assert "cannot prove the absence of actions" in page.locator(".trust-card").inner_text()


def test_a_sub_session_unfolds_in_place(page, address):
    """Its conversation is there, inside of the call that started it, under names of its own; keys reach into it."""
    page.goto(f"{address}/sessions/support-42")
    page.locator(".entry.session > summary").click()
    inside = page.locator(".entry.session .turns")
    inside.get_by_text("Who is customer c-1881?").wait_for()
    inside.locator("summary", has_text="look_up").click()
    assert inside.locator("details[open]").count() == 1
    assert (
        page.evaluate("""() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
        return ids.length - new Set(ids).size; }""")
        == 0
    )


def test_why_compare_agents_and_events_open_beside_the_page(page, address):
    """The page stays; what a panel names on it is gone to; a comparison is asked for and shown there."""
    page.goto(f"{address}/sessions/support-42")
    panel = page.locator("dialog.panel")
    page.locator("details.failed > summary").click()
    page.locator("details.failed").get_by_text("who asked, and where").click()
    panel.get_by_text("Why tool call refund").wait_for()
    panel.locator(f'a[href$="#event-{23:032x}"]').first.click()
    assert panel.is_hidden() and "find_invoice" in page.locator("[aria-current=true] > summary").inner_text()
    page.get_by_role("link", name="Compare", exact=True).click()
    panel.locator("input[name=b]").fill("earlier-1")
    panel.get_by_role("button", name="Compare").click()
    panel.get_by_text("dropped").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("#turn-t2").get_by_role("link", name="agents").click()
    panel.get_by_text("Step by step").wait_for()
    assert "/sessions/support-42" in page.url and panel.locator(".agent-steps .way").count() == 2


def test_news_appear_by_themselves(page, tmp_path):
    """A new session and a new turn are there without a reload; what was open stays open."""
    store = SqlSessionStore(f"sqlite:///{tmp_path}/sessions.db")
    store.save_session(conversation())
    with served(source_of(store)) as address:
        page.goto(f"{address}/sessions")
        page.wait_for_timeout(300)
        store.save_session(
            SessionRecord("fresh", updated_at="2027-01-01T00:00:00+00:00", turns=[TurnRecord("f", prompt="new here")])
        )
        page.get_by_text("new here").wait_for(timeout=15_000)
        page.goto(f"{address}/sessions/support-42")
        page.locator("details.failed > summary").click()
        page.wait_for_timeout(300)
        more = conversation()
        more.turns.append(TurnRecord("t4", "triage", "Are you there?", None, [], at(90_000), None, "running"))
        more.updated_at = at(90_000)
        store.save_session(more)
        page.get_by_text("Are you there?").wait_for(timeout=15_000)
        assert page.locator("details.failed").get_attribute("open") is not None
        page.goto("about:blank")
    store.close()


def test_pictures_for_the_documentation(chromium, address):
    """What README and docs show is what the pages are: `PICTURES=$PWD/docs` writes them there."""
    folder = os.environ.get("PICTURES")
    for name, theme, path in (
        ("session", "light", "/sessions/support-42"),
        ("session-dark", "dark", "/sessions/support-42"),
        ("why", "light", "/sessions/support-42"),
    ):
        context = chromium.new_context(
            viewport={"width": 1280, "height": 860}, color_scheme=theme, timezone_id="UTC", locale="en-GB"
        )
        found = context.new_page()
        found.goto(address + path)
        found.locator("details.failed > summary").click()
        found.locator("#turn-t2").scroll_into_view_if_needed()
        found.mouse.move(0, 0)
        if name == "why":
            found.locator("details.failed").get_by_text("who asked, and where").click()
            found.locator("dialog.panel article").wait_for()
        taken = found.screenshot(path=f"{folder}/page-{name}.png" if folder else None)
        assert taken.startswith(b"\x89PNG") and len(taken) > 20_000
        context.close()


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.mark.parametrize("page", [{}, {"color_scheme": "dark"}, PHONE], indirect=True, ids=["light", "dark", "phone"])
@pytest.mark.parametrize(
    "path",
    [
        "/sessions",
        "/sessions/support-42",
        "/sessions/support-42/agents",
        "/sessions/none",
        "/events/call-25/why",
        "/compare?a=support-42&b=earlier-1",
    ],
)
def test_everybody_can_read_it(page, address, path):
    """axe-core has no finding, in both themes and on a phone; nothing is wider than the screen."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.goto(address + path)
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    found = [
        (one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3])
        for one in axe.run(page).response["violations"]
    ]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
