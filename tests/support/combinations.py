"""Plays a driver in every company that a program may keep, each in a process of its own.

OpenTelemetry lets a process set its provider once, and some instrumentations cannot be taken out again. So one process
imports a runtime, which is what takes long, and forks for each combination that it is asked for.
"""

import asyncio
import importlib
import json
import logging
import os
import re
import subprocess
import sys
import traceback
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROMPTS = ("first", "second")
SHARED = (
    "turnspan.recording.runtime",
    "turnspan.otel_sdk.setup",
    "turnspan.stores.sql.store",
    "turnspan.testing.drivers",
)
"""Imported before the fork; importing turnspan does nothing by itself."""


@dataclass(frozen=True)
class Combination:
    """Who else is there when a runtime is played."""

    watch: str | None = "all"
    """The adapters; None: turnspan is not there at all."""
    beside: str | None = None
    """Another instrumentation of the client."""
    provider: str | None = None
    """When the program sets a tracer provider of its own: before the first call, after it, or never."""

    def __str__(self) -> str:
        return "-".join([self.watch or "plain", self.beside or "alone", f"provider {self.provider or 'none'}"])


@dataclass
class Played:
    """What came of it."""

    said: list[str]
    requests: list[Any]
    complaints: list[str]
    """Warnings, and what was logged as one."""
    spans: list[dict[str, Any]] | None
    """What the program's own exporter was given."""
    provider_is_own: bool | None
    stdout: str = ""
    stderr: str = ""


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
"""Xerxes tells the model what time it is."""


class Player:
    """One runtime, imported once."""

    def __init__(self, module: str, driver: str) -> None:
        command = [sys.executable, "-W", "default", __file__, module, driver]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TRACELOOP_METRICS_ENABLED": "false"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env)

    def play(self, combination: Combination, folder: Path) -> Played:
        """Play two turns of one conversation; what comes of it is put in a folder, the program runs beside it."""
        folder.mkdir()
        (folder.parent / "program").mkdir(exist_ok=True)
        self._process.stdin.write(json.dumps({**asdict(combination), "folder": str(folder)}) + "\n")
        self._process.stdin.flush()
        status = json.loads(self._process.stdout.readline())
        out, err = ((folder / name).read_text() for name in ("stdout", "stderr"))
        assert status == 0, f"exit status {status}\n{out}\n{err}"
        return Played(**{**json.loads((folder / "played.json").read_text()), "stdout": out, "stderr": err})

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


# In the process that plays --------------------------------------------------------------------------------------------


def main(module: str, name: str) -> None:
    """Fork for each combination that is asked for."""
    for module_name in SHARED:
        importlib.import_module(module_name)
    driver = getattr(importlib.import_module(f"support.drivers.{module}"), name)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _in_folder(Path(asked.pop("folder")), driver, Combination(**asked))
                code = 0
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _in_folder(folder: Path, driver: Any, combination: Combination) -> None:
    os.chdir(folder.parent / "program")
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
    try:
        (folder / "played.json").write_text(json.dumps(asdict(_play(driver(), combination, folder / "home"))))
    except BaseException:
        traceback.print_exc()
        raise


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.all: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(f"{record.name}: {record.getMessage()}")


def _play(driver: Any, combination: Combination, home: Path) -> Played:
    import turnspan
    from turnspan.testing.drivers import Conversation, ScriptedToolCall

    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    warnings.showwarning = lambda message, *_, **__: complaints.all.append(repr(message))
    good = [ScriptedToolCall("add", {"a": 1, "b": 2}, "c1"), ScriptedToolCall("shout", {"text": "hi"}, "c2")]
    conversation, own = Conversation("s"), None
    if combination.provider == "before":
        own = _own_provider()
        _instrument(combination.beside)
    if combination.watch:
        turnspan.instrument(adapters=combination.watch, home=home)
    if combination.provider != "before":  # so that each is the outer one somewhere
        _instrument(combination.beside)
    with asyncio.Runner() as loop:
        said = [loop.run(driver.turn(conversation, PROMPTS[0], [good, "one"]))]
        if combination.provider == "after":
            own = _own_provider()
        said.append(loop.run(_in_a_span_of_its_own(driver.turn(conversation, PROMPTS[1], ["two"]))))
    sent = [request for played in driver.server.conversations.values() for request in played.as_sent()]
    requests = [
        (method, path, _comparable(headers), _TIME.sub("", body.decode())) for method, path, headers, body in sent
    ]
    driver.close()
    is_own = _provider_is(own)
    if combination.watch:
        turnspan.shutdown()
    return Played(said, requests, complaints.all, _spans(own), is_own)


def _comparable(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers without what differs each time: the port, and ids of traces."""
    return [(name, "" if name == "traceparent" else value) for name, value in headers if name != "host"]


async def _in_a_span_of_its_own(turn: Any) -> Any:
    from opentelemetry import trace

    with trace.get_tracer("the program").start_as_current_span("the program's span"):
        return await turn


def _own_provider() -> Any:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider, exporter


def _provider_is(own: Any) -> bool | None:
    from opentelemetry import trace

    return None if own is None else trace.get_tracer_provider() is own[0]


def _spans(own: Any) -> list[dict[str, Any]] | None:
    if own is None:
        return None
    own[0].force_flush()
    return [
        {"name": s.name, "scope": s.instrumentation_scope.name, "span_id": f"{s.context.span_id:016x}",
         "operation": s.attributes.get("gen_ai.operation.name")}
        for s in own[1].get_finished_spans()
    ]  # fmt: skip


def _instrument(beside: str | None) -> None:
    modules = {
        "genai": "opentelemetry.instrumentation.openai_v2",
        "openinference": "openinference.instrumentation.openai",
        "openllmetry": "opentelemetry.instrumentation.openai",
    }
    if beside is not None:
        importlib.import_module(modules[beside]).OpenAIInstrumentor().instrument(skip_dep_check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
