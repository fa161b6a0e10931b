"""Plain against watched: the same program in two processes, without turnspan and under ``turnspan run``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from turnspan.testing.drivers import RuntimeDriver

_PROGRAM = """
import asyncio, importlib, json, sys, warnings
sys.path[:] = json.loads({path!r})
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from turnspan.telemetry import semconv
from turnspan.testing.drivers import Conversation, ScriptedToolCall

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what a runtime says of itself at its import is not compared
    driver = getattr(importlib.import_module({module!r}), {name!r})()
tools = [ScriptedToolCall("add", {{"a": 1, "b": 2}}, "c1"), ScriptedToolCall("shout", {{"text": "hi"}}, "c2")]
with trace.get_tracer("the program").start_as_current_span("the program's own"):
    for script in (["one"], [tools, "two"], [ConnectionError("gone")]):
        try:
            print(asyncio.run(driver.turn(Conversation("s"), "go", script)))
        except Exception as error:
            print(type(error).__name__, error, file=sys.stderr)
driver.close()
print("callbacks", list(driver.callbacks))
print("provider", trace.get_tracer_provider() is provider)
for span in exporter.get_finished_spans():
    if span.instrumentation_scope.name not in {ours!r}:
        ours = ("turnspan.", semconv.SESSION_ID, semconv.GEN_AI_CONVERSATION_ID, semconv.GEN_AI_RESPONSE_ID)
        ours += (semconv.GEN_AI_OPERATION_NAME, semconv.GEN_AI_AGENT_NAME, semconv.GEN_AI_PROVIDER_NAME)
        known = {{key: str(value) for key, value in span.attributes.items() if not key.startswith(ours)}}
        print("exported", span.name, span.status.status_code.name, sorted(known))
sys.exit(3)
"""


class Ran(NamedTuple):
    """What can be seen of a program from outside."""

    exit_code: int
    stdout: str
    stderr: str


_PLACE = re.compile(r"\b0x[0-9a-f]{6,}|\btmp[a-z0-9_]{8}\b|(?<=127\.0\.0\.1:)\d{5}\b")
"""Where an object, a temporary file or a server of the driver's is, which a warning or a traceback may say."""


def compare_programs(driver: RuntimeDriver) -> tuple[Ran, Ran]:
    """Run a program with a driver, without turnspan and under ``turnspan run``, with warnings as errors; return both.

    The program has a tracer provider of its own, and prints what its callbacks and its exporter have seen.
    """
    cls = type(driver)
    text = _PROGRAM.format(
        path=json.dumps(sys.path),
        module=cls.__module__,
        name=cls.__qualname__,
        ours=("turnspan", *driver.own_spans),
    )
    with tempfile.TemporaryDirectory(prefix="turnspan-") as folder:
        program = Path(folder) / "program.py"
        program.write_text(text)
        watch = ["-m", "turnspan", "run", f"--adapters={driver.adapter}"]
        return _run(folder, [str(program)]), _run(folder, [*watch, str(program)])


def _run(folder: str, command: list[str]) -> Ran:
    env: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("TURNSPAN_")}
    env |= {"PYTHONWARNINGS": "error", "PYTHONHASHSEED": "0"}
    env |= {"TURNSPAN_HOME": f"{folder}/home", "TURNSPAN_EXIT_TIMEOUT": "60"}  # a busy machine makes no difference
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    return Ran(done.returncode, _PLACE.sub("(place)", done.stdout), _PLACE.sub("(place)", done.stderr))
