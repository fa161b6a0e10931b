"""What takes long at the end of a process runs in threads also where the interpreter starts none any more."""

import _thread
import threading

import pytest

from turnspan.recording import spare_threads


def test_threads_that_were_kept_do_what_no_new_one_can(monkeypatch):
    """Python 3.12 starts no thread once `atexit` runs: three are kept, and who comes fourth is reported."""
    monkeypatch.setattr(spare_threads, "_needed", True)
    spare_threads.keep()

    def refuse(*_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    ran = threading.Semaphore(0)
    idents = set()

    def work():
        idents.add(threading.get_ident())
        ran.release()

    for _ in range(3):
        spare_threads.start(work)
        assert ran.acquire(timeout=60)
    assert threading.get_ident() not in idents
    with pytest.raises(RuntimeError, match="interpreter shutdown"):
        spare_threads.start(work)
