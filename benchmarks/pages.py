"""(12) The session page: a session of 10,000 turns (100,000 events), and a thousand turns as one file.

``python benchmarks/pages.py [turns]``. First paint, jumps and pages are asked from a real server and timed at the client; the
browser's heap is Chromium's own figure, where Playwright and Chromium are installed.
"""

import random
import sys
import time
import urllib.request

from common import Path, median, say, temporary

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.pages import served
from turnspan.model.records import SessionRecord, ToolCallRecord, TurnRecord, iso
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.viewer.one_file import as_file
from turnspan.viewer.source import Source

TURNS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
BEGUN = 1_767_261_600_000_000_000
ASKED = 21


def turn(number):
    """Return a turn of ten events: two model calls, and two tool calls."""

    def kept(place, took_ms):
        at = iso(BEGUN + number * 4_000_000_000 + place * 900_000_000)
        ids = [f"{number * 10 + 2 * place + half:032x}" for half in (0, 1)]
        return {
            "started_at": at,
            "duration_ms": took_ms,
            "audit_event_ids": ids,
            "span_id": f"{number * 10 + place:016x}",
        }

    usage = {"input_tokens": 1240 + number % 700, "output_tokens": 36}
    models = [
        {**kept(place, 820.0), "call_id": f"m{number}-{place}", "model": "gpt-5-mini", "status": "success", "usage": usage,
         "output": "Let me look at this for you."}
        for place in (0, 3)
    ]  # fmt: skip
    found = {"number": number, "amount": "42.00 EUR", "state": "paid twice"}
    tools = [
        ToolCallRecord(
            f"a{number}",
            "find_invoice",
            {"number": number},
            found,
            duration_ms=480.0,
            metadata={"turnspan": kept(1, 480.0)},
        ),
        ToolCallRecord(
            f"b{number}", "refund", {"number": number}, "done", duration_ms=300.0, metadata={"turnspan": kept(2, 300.0)}
        ),
    ]
    failed = number % 50 == 0
    return TurnRecord(
        f"{number:032x}",
        "triage",
        f"I paid invoice {number} twice, what now?",
        None if failed else f"You paid invoice {number} twice. You get your money back tomorrow.",
        tools,
        iso(BEGUN + number * 4_000_000_000),
        iso(BEGUN + number * 4_000_000_000 + 3_700_000_000),
        "error" if failed else "success",
        "RateLimitError: try again later" if failed else None,
        [f"{number * 10 + place:032x}" for place in range(10)],
        {"turnspan": {"model_calls": models, "trace_id": f"{number:032x}", "span_id": f"{number:016x}"}},
    )


def asked(address):
    begun = time.perf_counter()
    with urllib.request.urlopen(address) as answer:
        body = answer.read()
    return (time.perf_counter() - begun) * 1000, body


def main():
    folder = temporary()
    settings = Settings.read(home=folder)
    store = open_store(settings.store_url)
    session = SessionRecord("long", "bench", iso(BEGUN), iso(BEGUN), "triage", [turn(n) for n in range(TURNS)])
    store.save_session(session)
    store.close()
    dice = random.Random(7)
    with served(Source(settings)) as base:
        first, page = asked(f"{base}/sessions/long")
        figures = {
            "first paint, the first request": f"{first:.0f} ms, {len(page) / 1000:.0f} kB",
            "first paint, then": often(lambda: f"{base}/sessions/long"),
            "jump to any turn": often(lambda: f"{base}/sessions/long?turn={dice.randrange(TURNS):032x}"),
            "jump by any id": often(lambda: f"{base}/find?q={dice.randrange(TURNS):032x}"),
            "sessions with words": often(lambda: f"{base}/sessions?search=invoice+{dice.randrange(TURNS)}"),
            "in the browser": heap(base),
        }
    begun = time.perf_counter()
    size = len(as_file(SessionRecord("s", turns=[turn(n) for n in range(1000)])).encode())
    figures["one file of 1,000 turns"] = f"{size / 1e6:.2f} MB in {time.perf_counter() - begun:.1f} s"
    say(f"pages of a session of {TURNS:,} turns and {10 * TURNS:,} events", figures)


def often(address):
    return f"{median([asked(address())[0] for _ in range(ASKED)]):.0f} ms"


def heap(base):
    """Return how much a browser keeps for the page, and when it painted."""
    try:
        from playwright.sync_api import sync_playwright

        from support.servers import program

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"{base}/sessions/long")
            page.wait_for_timeout(1000)
            used = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            browser.close()
            return f"{used:.1f} MB of heap, first paint {paint:.0f} ms behind the navigation"
    except BaseException as error:
        return f"not measured: {error!r:.120}"


if __name__ == "__main__":
    main()
