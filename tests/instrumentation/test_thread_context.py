"""The context that something is started in is the context that it runs in, on each Python; and it never shows."""

import asyncio
import contextvars
import logging
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.thread import _WorkItem

import pytest
from opentelemetry import context

from turnspan.instrumentation import thread_context

PLACES = [
    (threading.Thread, "start"),
    (threading.Thread, "_bootstrap_inner"),
    (_WorkItem, "__init__"),
    (_WorkItem, "run"),
]


@pytest.fixture
def carried():
    thread_context.install()
    yield
    thread_context.uninstall()


@pytest.fixture
def here():
    """The context that the test runs in."""
    token = context.attach(context.set_value("where", "here"))
    yield "here"
    context.detach(token)


def where():
    return context.get_value("where")


def seen_in(kind):
    """What the context says in something that is started now."""
    seen = []

    class Overriding(threading.Thread):
        def run(self):
            seen.append(where())

    if kind == "pool":
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(where).result()
    if kind == "map":
        with ThreadPoolExecutor(1) as pool:
            return next(pool.map(lambda _: where(), [1]))
    if kind == "executor":
        return asyncio.run(in_executor())
    thread = {
        "thread": lambda: threading.Thread(target=lambda: seen.append(where())),
        "timer": lambda: threading.Timer(0, lambda: seen.append(where())),
        "class": Overriding,
    }[kind]()
    thread.start()
    thread.join()
    return seen[0]


async def in_executor():
    return await asyncio.get_running_loop().run_in_executor(None, where)


KINDS = ["thread", "timer", "class", "pool", "map", "executor"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_started_runs_in_the_context_that_it_is_started_in(kind, carried, here):
    """Threads, pools and timers run in the turn that started them."""
    assert seen_in(kind) == "here"
    assert where() == "here"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_carried_where_it_is_not_installed(kind, here):
    """Undone, threads are as Python has them."""
    thread_context.install()
    thread_context.uninstall()
    assert seen_in(kind) is None


def test_each_task_of_a_pool_runs_in_its_own_submitters_context(carried):
    """A pool's thread takes the context of each task, and keeps none of it."""
    with ThreadPoolExecutor(1) as pool:
        for name in ["one", "two", None]:
            token = context.attach(context.set_value("where", name) if name else context.Context())
            assert pool.submit(where).result() == name
            context.detach(token)


def test_a_task_leaves_its_threads_own_context_variables_alone(carried, here):
    """What a pool's initializer or a task sets in its thread is still there for the next task."""
    own = contextvars.ContextVar("own")
    with ThreadPoolExecutor(1, initializer=own.set, initargs=("set by the initializer",)) as pool:
        assert pool.submit(own.get).result() == "set by the initializer"
        pool.submit(own.set, "set by a task").result()
        assert pool.submit(own.get).result() == "set by a task"


def test_a_thread_that_the_program_gives_a_context_keeps_it(carried, here):
    """``Thread(context=...)`` came with Python 3.14."""
    given = contextvars.Context()
    given.run(lambda: context.attach(context.set_value("where", "given")))
    seen = []
    try:
        thread = threading.Thread(target=lambda: seen.append(where()), context=given)
    except TypeError:
        pytest.skip("this Python's threads take no context")
    thread.start()
    thread.join()
    assert seen == ["given"]


def frames(error):
    return [(frame.name, frame.filename) for frame in traceback.extract_tb(error.__traceback__)]


def failures():
    """The frames of what fails in a thread, and of what fails in a pool."""
    caught = []
    before, threading.excepthook = threading.excepthook, lambda args: caught.append(frames(args.exc_value))
    try:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
    with ThreadPoolExecutor(1) as pool:
        caught.append(frames(pool.submit(lambda: 1 / 0).exception()))
    return caught


def test_a_traceback_from_a_thread_is_the_one_that_it_was(here):
    """No frame of turnspan's is in a traceback."""
    plain = failures()
    thread_context.install()
    try:
        assert failures() == plain
    finally:
        thread_context.uninstall()


def test_it_is_there_once_and_leaves_nothing_behind():
    """Installed twice it wraps once, and undone Python's own methods are back."""
    plain = [owner.__dict__[name] for owner, name in PLACES]
    thread_context.install()
    once = [owner.__dict__[name] for owner, name in PLACES]
    thread_context.install()
    for (owner, name), first, own in zip(PLACES, once, plain, strict=True):
        assert owner.__dict__[name] is first
        assert first.__wrapped__ is own
    thread_context.uninstall()
    for (owner, name), own in zip(PLACES, plain, strict=True):
        assert owner.__dict__[name] is own


def test_a_later_wrapper_of_somebody_else_stays(monkeypatch, here):
    """Undoing ours does not undo a wrapper that was put around it."""
    thread_context.install()
    ours = threading.Thread.start
    calls = []

    def start(thread):
        calls.append(thread)
        ours(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    thread_context.uninstall()
    try:
        assert seen_in("thread") is None
        assert len(calls) == 1
    finally:
        monkeypatch.setattr(threading.Thread, "start", ours.__wrapped__)


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_opentelemetrys_own_instrumentation_may_stand_beside_it(kind, ours_first, here, caplog):
    """Beside OpenTelemetry's threading instrumentation, in either order, contexts are right and nothing warns."""
    theirs = pytest.importorskip("opentelemetry.instrumentation.threading").ThreadingInstrumentor()
    steps = [thread_context.install, theirs.instrument]
    for step in steps if ours_first else reversed(steps):
        step()
    try:
        with caplog.at_level(logging.WARNING):
            assert seen_in(kind) == "here"
        assert caplog.records == []
    finally:
        for step in [theirs.uninstrument, thread_context.uninstall][:: 1 if ours_first else -1]:
            step()


def test_a_thread_keeps_no_context_alive(carried, here):
    """A thread that has ended holds no context."""
    thread = threading.Thread(target=where)
    thread.start()
    thread.join()
    assert not [name for name in vars(thread) if "turnspan" in name]
