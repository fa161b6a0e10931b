"""(12) The pages: a session of 10,000 turns (100,000 events), a million turns in a list, and a thousand turns as one file.

``python benchmarks/pages.py [turns]``. First paint, jumps and pages are asked from a real server and timed at the client, with the CPU that
they take; the browser's heap and first paint are Chromium's own figures, where Playwright and Chromium are installed.
"""

import random
import sqlite3
import sys
import time
import urllib.request
from contextlib import closing

from common import Path, median, say, temporary
from conversation import EVENTS, STEPS, write

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.pages import served
from turnspan.reading.reader import Reader
from turnspan.settings import Settings
from turnspan.stores import open_store
from turnspan.viewer.one_file import as_file
from turnspan.viewer.source import Source

TURNS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
ASKED = 21
LISTED, OF_EACH = 100_000, 10
"""Sessions of the list, and the turns of each: a million."""


def asked(address):
    begun = time.perf_counter()
    with urllib.request.urlopen(address) as answer:
        body = answer.read()
    return (time.perf_counter() - begun) * 1000, body


def many(settings):
    """Write a million turns: one session as the writer does, and copies of its rows under other ids."""
    store = open_store(settings.store_url)
    write(store, ["s-000000"], OF_EACH)
    store.close()
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LISTED - 1})"
    with closing(sqlite3.connect(settings.store_url.removeprefix("sqlite:///"))) as connection:
        for table in ("sessions", "turns"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "position"]
            other = {
                "session_id": "printf('s-%06d', i)",
                "turn_id": "printf('t-%06d-%s', i, turn_id)",
                "updated_at": "printf('2026-02-%02dT%02d:%02d:%02d+00:00', 1 + i % 28, i % 24, i % 60, i / 7 % 60)",
            }
            values = ", ".join(other.get(name, name) for name in columns)
            names = ", ".join(columns)
            connection.execute(
                f"INSERT INTO {table} ({names}) {numbers} SELECT {values} FROM n, {table} WHERE session_id = 's-000000'"
            )
        connection.commit()


def listed():
    """Return how long the first page of a million turns' sessions takes, and others."""
    settings = Settings.read(home=temporary())
    many(settings)
    dice = random.Random(5)
    with served(Source(settings)) as base:
        asked(f"{base}/sessions")
        return {
            "the first page of sessions": often(lambda: f"{base}/sessions"),
            "a page from the middle": often(lambda: f"{base}/sessions?after=s-{dice.randrange(LISTED):06}"),
            "sessions with an error": often(lambda: f"{base}/sessions?status=error"),
        }


def main():
    settings = Settings.read(home=temporary())
    store = open_store(settings.store_url)
    ids = write(store, ["long"], TURNS)
    write(store, ["other"], TURNS, state="open")
    store.close()
    dice = random.Random(7)

    def why():
        return f"{base}/events/{ids[dice.randrange(TURNS // 2, TURNS) * EVENTS + 3]}/why"

    source = Source(settings)
    source.warm()  # as `turnspan view` does when it starts
    with served(source) as base:
        first, page = asked(f"{base}/sessions/long")
        figures = {
            "first paint, the first request": f"{first:.0f} ms, {len(page) / 1000:.0f} kB",
            "first paint, then": often(lambda: f"{base}/sessions/long"),
            "jump to any turn": often(lambda: f"{base}/sessions/long?turn=long-{dice.randrange(TURNS):06}"),
            "jump by any id": often(lambda: f"{base}/find?q={dice.choice(ids)}"),
            "sessions with words": often(lambda: f"{base}/sessions?search=invoice+{dice.randrange(TURNS)}"),
            "in the browser": heap(base),
            f"why, the first of {STEPS * TURNS:,} steps": f"{asked(why())[0] / 1000:.1f} s",
            "why, then": often(why),
            "compare two such sessions that differ in every turn, the first window": f"{asked(compared(base))[0]:.0f} ms",
            "compare, the window at any turn": often(lambda: f"{compared(base)}{behind(dice.randrange(TURNS))}"),
            "compare two turns": often(
                lambda: f"{base}/compare?a=long-{dice.randrange(TURNS):06}&b=other-{dice.randrange(TURNS):06}"
            ),
        }
    figures["one file of 1,000 turns"] = one_file()
    say(f"pages of a session of {TURNS:,} turns and {EVENTS * TURNS:,} events", figures)
    say(f"pages of {LISTED:,} sessions with {LISTED * OF_EACH:,} turns", listed())


def compared(base):
    return f"{base}/compare?a=long&b=other"


def behind(place):
    return f"&from_a={place}&from_b={place}"


def one_file():
    settings = Settings.read(home=temporary())
    with closing(open_store(settings.store_url)) as store:
        write(store, ["s"], 1000)
        session = Reader(settings, store).session("s")
    begun = time.perf_counter()
    size = len(as_file(session).encode())
    return f"{size / 1e6:.2f} MB in {time.perf_counter() - begun:.1f} s"


def often(address):
    """Return how long an answer takes at the median, and how much of that is work: other work on the machine is not."""
    took, worked = [], []
    for _ in range(ASKED):
        begun = time.process_time()
        took.append(asked(address())[0])
        worked.append((time.process_time() - begun) * 1000)
    return f"{median(took):.0f} ms ({median(worked):.0f} ms of CPU)"


def heap(base):
    """Return how much a browser keeps for the page, and when it painted."""
    try:
        from playwright.sync_api import sync_playwright

        from support.servers import program

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            for _ in range(2):  # style and script are kept from the first time on
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
