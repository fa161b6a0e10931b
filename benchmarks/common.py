"""Rounds, medians, ratios."""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

RESULTS: dict[str, object] = {}


class NoExporter(SpanExporter):
    """Takes spans and does nothing with them but count."""

    count = 0

    def export(self, spans):
        self.count += len(spans)
        return SpanExportResult.SUCCESS


def provider(exporter: SpanExporter | None = None) -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(BatchSpanProcessor(exporter or NoExporter(), max_queue_size=65536))
    return made


def thread_s() -> float:
    """CPU seconds of this thread."""
    return time.thread_time()


def process_s() -> float:
    """CPU seconds of all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def say(name: str, figures: dict[str, object]) -> None:
    RESULTS[name] = figures
    print(f"\n{name}")
    for key, value in figures.items():
        print(f"  {key:<52} {value}")
    sys.stdout.flush()


def median(values) -> float:
    return statistics.median(values)


def temporary() -> Path:
    """A folder on the disk that users' homes are on, not in memory."""
    return Path(tempfile.mkdtemp(prefix="turnspan-bench-", dir=os.environ.get("BENCHMARK_DIR")))


__all__ = ["Callable", "Path", "json", "subprocess", "sys", "threading", "time"]
