"""The program that faults are injected into: an agent whose output must not depend on them.

What is to go wrong is in the variable FAULTS. With TURNSPAN_DISABLED=1 it is the same program without turnspan.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import time

import turnspan
from turnspan.events import ENDS
from turnspan.recording.recorder import Recorder

FAULTS = set(os.environ.get("FAULTS", "").split())
TURNS = int(os.environ.get("TURNS", "12"))
longest_ms = 0.0
turns_begun = 0
header_bytes = None  # how much of a header is written until the process is killed
parent = os.getpid()
observed = os.open("observed.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)


def watch_emit():
    """Note what had been observed for certain, and how long a call of ours took: not the first turn's, which sets up."""
    emit = Recorder.emit

    def watched(self, event):
        global longest_ms
        # while it closes, it has ended what was open, and what a finalizer or thread still says of that is no news
        closing = self._closing.locked() or self.closed
        began = time.perf_counter()
        emit(self, event)
        took_ms = (time.perf_counter() - began) * 1000
        closing = closing or self._closing.locked() or self.closed
        in_background = threading.current_thread().name == never_rests.__name__
        if turns_begun > 1 and not in_background:
            longest_ms = max(longest_ms, took_ms)
        if closing and isinstance(event, ENDS):
            return
        if os.getpid() == parent or type(event).__name__ != "TurnEnded":  # the parent ends the turns it has opened
            os.write(observed, f"{event.event_id}\n".encode())
        if not in_background:
            with open("longest.txt", "w") as file:
                file.write(str(longest_ms))

    Recorder.emit = watched


def inject():
    from turnspan import stores
    from turnspan.errors import StoreUnavailableError
    from turnspan.stores.sql import SqlSessionStore

    if "kill-before-header" in FAULTS:
        kill_at_header()
    apply, opened = SqlSessionStore.apply, stores.open_store
    if "store-unreachable" in FAULTS:

        def away(url):
            raise StoreUnavailableError("connection refused")

        stores.open_store = away
    if "store-slow" in FAULTS:

        def slow(self, changes):
            time.sleep(10)
            apply(self, changes)

        SqlSessionStore.apply = slow
    if FAULTS & {"store-read-only", "store-full"}:
        pragma = "query_only=ON" if "store-read-only" in FAULTS else "max_page_count=12"

        def limited(url):
            store = opened(url)

            def limit(connection, _record):
                connection.execute(f"PRAGMA {pragma}").close()

            import sqlalchemy as sa

            store._engine.dispose()
            sa.event.listen(store._engine, "connect", limit)
            return store

        stores.open_store = limited
    if "clock-back" in FAULTS:
        time_ns = time.time_ns
        time.time_ns = lambda: time_ns() - (3_600_000_000_000 if turns_begun > 3 else 0)


def scrub(text):
    raise RuntimeError("this redactor is broken")


def broken_adapter(emit):
    def observer(call):
        raise RuntimeError("this adapter is broken")
        yield

    emit.patch.wrap((sys.modules[__name__], "step"), observer)


def step(n):
    return n * 2


class Raises:
    def __repr__(self):
        raise SystemExit("content must not end the agent")


def odd():
    """Return what a tool is given besides: a value whose text ends programs, one that no JSON has, or nothing."""
    given = {"content": Raises()} if "content-raises" in FAULTS else {}
    return {**given, "huge": {2**80: float("nan")}} if "bad-value" in FAULTS else given


def take_store_away():
    with contextlib.suppress(FileNotFoundError):
        os.unlink(".turnspan/sessions.db")


def turns():
    global turns_begun
    said = []
    for n in range(TURNS):
        turns_begun += 1
        if n == 6 and "store-taken" in FAULTS:
            take_store_away()
        with turnspan.session(f"s-{n % 2}"), turnspan.turn(agent="a", prompt=f"question {n}") as turn:
            with turnspan.tool("good", n=n, **odd()) as call:
                call.result = step(n)
            try:
                with turnspan.tool("bad"):
                    raise ValueError(f"bad {n}")
            except ValueError as error:
                said.append(str(error))
            with turnspan.model_call(5 if "bad-value" in FAULTS else "m", provider="p") as call:
                call.output = f"answer {n}"
            turn.response = f"answer {n}"
        time.sleep(0.01)
    return said


def die_at_headers():
    """Have children die before and in the midst of the first line of their journal."""
    global header_bytes
    for header_bytes in (0, 30):
        sys.stdout.flush()
        if (child := os.fork()) == 0:
            os.kill(os.getpid(), signal.SIGKILL)  # without turnspan; with it, it is dead by now
        print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    header_bytes = None


def kill_at_header():
    write = os.write

    def kills(fd, data):
        if header_bytes is not None and os.getpid() != parent and data[:1] == b"#":
            write(fd, data[:header_bytes])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(fd, data)

    os.write = kills


def never_rests():
    """Record turns until the interpreter ends."""
    while True:
        with turnspan.session("s-0"), turnspan.turn(agent="a", prompt="?"), turnspan.tool("background"):
            pass
        time.sleep(0.002)


def end():
    if "kill-before-header" in FAULTS:
        die_at_headers()
    if "threads-while-closing" in FAULTS:
        for _ in range(2):
            threading.Thread(target=never_rests, name=never_rests.__name__, daemon=True).start()
        time.sleep(0.05)
    if "fork" in FAULTS:
        with turnspan.session("s-0"), turnspan.turn(prompt="forks"):
            if (child := os.fork()) == 0:
                with turnspan.tool("in the child"):
                    pass
                turnspan.shutdown()
                os._exit(7)
            print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    if "thread-ends" in FAULTS:
        thread = threading.Thread(target=lambda: turnspan.turn(prompt="left open").__enter__())
        thread.start()
        thread.join()
    if "loop-closed" in FAULTS:
        loop = asyncio.new_event_loop()

        async def never_ends():
            with turnspan.turn(prompt="never ends"), turnspan.tool("waits"):
                await asyncio.sleep(1000)

        task = loop.create_task(never_ends())
        loop.run_until_complete(asyncio.sleep(0.02))
        loop.close()
        print("task done:", task.done())
    if "open-turn" in FAULTS:
        turnspan.turn(prompt="left open").__enter__()
        turnspan.tool("left open").__enter__()
    sys.stdout.flush()
    if "sigterm" in FAULTS:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    if "os-exit" in FAULTS:
        os._exit(3)
    if "sigkill" in FAULTS:
        os.kill(os.getpid(), signal.SIGKILL)
    if "raises" in FAULTS:
        raise SystemExit(5)


if __name__ == "__main__":
    if not os.environ.get("TURNSPAN_DISABLED"):
        watch_emit()
        inject()
    turnspan.instrument()
    if "adapter-raises" in FAULTS:
        from turnspan.instrumentation.adapter_context import AdapterContext

        if not os.environ.get("TURNSPAN_DISABLED"):
            broken_adapter(AdapterContext("broken"))
    print(json.dumps(turns()))
    end()
