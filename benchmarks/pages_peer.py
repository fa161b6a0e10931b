"""The page of a session of a thousand turns (5,000 spans) beside Phoenix's page of the same session, in the same Chromium.

``python benchmarks/pages_peer.py [turns]``, after ``tests/backends/install_phoenix.sh``. The session is recorded, its trace
is sent to a Phoenix that is started here, and both pages are opened three times, as a browser does that has been there.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress

from common import Path, median, say, temporary

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "backends"))

from playwright.sync_api import sync_playwright
from test_phoenix import LOOPBACK_ONLY

import turnspan
from support.pages import served
from support.servers import free_port, program
from turnspan.settings import Settings
from turnspan.viewer.source import Source

TURNS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
OPENED = 3
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


def record(home):
    """Record a session of turns with two model calls and two tool calls each."""
    os.environ["OTEL_RESOURCE_ATTRIBUTES"] = "openinference.project.name=bench"
    turnspan.configure(home=home)
    with turnspan.session("long"):
        for number in range(TURNS):
            prompt = f"I paid invoice {number} twice, what now?"
            with turnspan.turn(agent="triage", prompt=prompt) as turn:
                with turnspan.model_call("gpt-5-mini", provider="openai") as call:
                    call.messages, call.output = [{"role": "user", "content": prompt}], "Let me look at this for you."
                    call.usage = turnspan.Usage(input_tokens=1240, output_tokens=36)
                with turnspan.tool("find_invoice", number=number) as call:
                    call.result = {"number": number, "amount": "42.00 EUR", "state": "paid twice"}
                with turnspan.tool("refund", number=number) as call:
                    call.result = "done"
                with turnspan.model_call("gpt-5-mini", provider="openai") as call:
                    call.output, call.usage = "Done.", turnspan.Usage(input_tokens=1300, output_tokens=12)
                turn.response = f"You paid invoice {number} twice. You get your money back tomorrow."
    turnspan.shutdown()


@contextmanager
def phoenix(folder):
    """Run Phoenix; its address."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "turnspan-backends"
    port = free_port()
    env = {
        **os.environ,
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_WORKING_DIR": str(folder),
    }
    command = [str(cache / "phoenix-20.26.0" / "bin" / "python"), "-c", LOOPBACK_ONLY]
    with (
        (folder / "phoenix.log").open("wb") as out,
        subprocess.Popen(command, env=env, stdout=out, stderr=out) as process,
    ):
        try:
            until(lambda: asked(f"http://127.0.0.1:{port}/healthz") is not None)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def asked(address):
    with suppress(OSError), urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read()
    return None


def until(is_so, seconds=300):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(1)


def sent_to(base, home):
    """Send the session's trace; return the address of its page there, once all of it is there."""
    command = [sys.executable, "-m", "turnspan", "rehydrate", "long", "--home", str(home), "--otlp", base]
    subprocess.run(command, env={**os.environ, **CONTENT}, check=True, stdout=subprocess.DEVNULL)

    def session():
        found = asked(f"{base}/v1/projects/bench/sessions")
        return (json.loads(found)["data"] or [{"traces": []}])[0] if found else {"traces": []}

    until(lambda: len(session()["traces"]) == TURNS)
    there = session()
    return f"{base}/projects/{there['project_id']}/sessions/{there['id']}"


def opened(browser, address, text):
    """Return what the page takes until its first turn is read, at the median of some times, and what it keeps."""
    page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
    paints, reads, heaps = [], [], []
    for _ in range(OPENED):
        begun = time.perf_counter()
        page.goto(address)
        page.get_by_text(text).first.wait_for(timeout=60_000)
        reads.append((time.perf_counter() - begun) * 1000)
        page.wait_for_timeout(3000)
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        heaps.append(page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
    size = "['resource', 'navigation'].flatMap((kind) => performance.getEntriesByType(kind))"
    loaded = page.evaluate(f"{size}.reduce((sum, entry) => sum + entry.decodedBodySize, 0)") / 1e6
    return (
        f"first paint {median(paints):.0f} ms, first turn {median(reads):.0f} ms, "
        f"{median(heaps):.0f} MB of heap, {loaded:.1f} MB loaded"
    )


def main():
    home, folder = temporary(), temporary()
    record(home)
    with (
        phoenix(Path(folder)) as base,
        served(Source(Settings.read(home=home))) as ours,
        sync_playwright() as playwright,
    ):
        theirs = sent_to(base, home)
        flags = ["--no-sandbox", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=flags)
        figures = {
            "turnspan": opened(browser, f"{ours}/sessions/long", "I paid invoice"),
            "Phoenix": opened(browser, theirs, "Turn 01"),
        }
        browser.close()
    say(f"the page of a session of {TURNS:,} turns", figures)


if __name__ == "__main__":
    main()
