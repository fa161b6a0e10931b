"""One answer of a model, asked for in every way that a client has, and what must be on record of it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from support.model_server import ModelServer, Step
from turnspan.instrumentation.registry import Adapters
from turnspan.testing import Recording, record

Case = tuple[Step, dict[str, Any]]


def cases(all_cases: Mapping[str, Case], ways: Mapping[str, Callable[..., Any]]) -> list[Any]:
    """Return each case in each way, to parametrize a test with."""
    params = []
    for name, (step, expected) in all_cases.items():
        for way, ask in ways.items():
            if expected.get("only") not in (None, "streamed" if "stream" in way or "helper" in way else "whole"):
                continue
            if way == expected.get("refused by"):  # the client's own helper cannot read it
                continue
            params.append(pytest.param(ask, step, expected, id=f"{name}, {way}"))
    return params


@contextmanager
def asked(server: ModelServer, adapter: str, ask: Callable[..., Any], *script: Step) -> Iterator[Recording]:
    """Ask as a program does that lives on whatever the provider says; give what was recorded."""
    with record(strict=False) as recording:
        adapters = Adapters()
        adapters.watch(adapter)
        server.play(script)
        try:
            with suppress(Exception):
                ask(server)
        finally:
            adapters.undo()
        yield recording


def check(recording: Recording, expected: Mapping[str, Any]) -> None:
    """See that one turn with one call of a model is on record, and that it is what was expected."""
    turn = recording.turn
    (call,) = turn.metadata["turnspan"]["model_calls"]
    used = call.get("usage") or {}
    found: dict[str, Any] = {
        "status": turn.status,
        "call": call["status"],
        "response": turn.response_content,
        "finish": call.get("finish_reasons"),
        "usage": tuple(used.get(k) for k in ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")),
        "tools": [(c.tool_name, c.arguments, c.status) for c in turn.tool_calls],
        "problems": recording.problems,
    }
    wanted = {"problems": {}, **{key: value for key, value in expected.items() if key in found}}
    assert {key: found[key] for key in wanted} == wanted
    for key, text in (("error", expected.get("error")), ("output", expected.get("kept"))):
        if text is not None:
            assert text in json.dumps(call.get(key), ensure_ascii=False)
    if "error" in expected:
        assert expected["error"] in turn.error
    if turn.status != "running":
        assert recording.unresolved() == []
