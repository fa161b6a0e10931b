"""A script that is written down as a literal: at the end of a program, which needs nothing of ours to run.

A text, a list of tool calls ``("name", {arguments}, "id")``, or a dict with the fields of an
:class:`~support.model_server.script.Answer`; one with a ``status`` number is an
:class:`~support.model_server.script.HttpError`. Where several agents ask at once, a dict of such lists: the one whose
key is part of the request answers.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from support.model_server.script import (
    Answer,
    Background,
    Disconnect,
    HostedTool,
    HttpError,
    Step,
    StreamError,
    ToolCall,
    Usage,
    as_step,
)

_NESTED: dict[str, Callable[[Any], Any]] = {
    "tool_calls": lambda calls: [ToolCall(*call) for call in calls],
    "hosted": lambda tools: [HostedTool(**tool) for tool in tools],
    "usage": lambda used: Usage(**used),
    "breaks": lambda how: Disconnect() if how == "disconnect" else StreamError(**how),
    "error": lambda said: StreamError(**said),
    "alternatives": lambda others: [as_step(step_of(other)) for other in others],
}


def script_of(literal: Any) -> Iterator[Step]:
    """Yield the steps of a script."""
    if isinstance(literal, dict):
        yield from _by_what_is_asked({key: deque(map(step_of, steps)) for key, steps in literal.items()})
    else:
        yield from map(step_of, literal)


def step_of(literal: Any) -> Step:
    """Return one step."""
    if not isinstance(literal, dict):
        return literal
    given = {name: _NESTED[name](value) if name in _NESTED else value for name, value in literal.items()}
    if isinstance(given.get("status"), int):
        return HttpError(**given)
    polls = given.pop("polls", None)
    return Answer(**given) if polls is None else Background(Answer(**given), polls)


def _by_what_is_asked(scripts: dict[str, deque[Step]]) -> list[Step]:
    lock = threading.Lock()

    def step(request: Any) -> Step:
        asked = json.dumps(request.json, ensure_ascii=False)
        with lock:
            return next(steps for key, steps in scripts.items() if steps and key in asked).popleft()

    return [step] * sum(map(len, scripts.values()))
