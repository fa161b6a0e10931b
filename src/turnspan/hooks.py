"""What an adapter is given: the implementation of :class:`turnspan.events.Emit`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import wrapt
from opentelemetry import context

from turnspan import process
from turnspan.events import Event, Link, Observer, Scope, Session, Started
from turnspan.keeper import logger
from turnspan.recorder import Recorder
from turnspan.spans import scope
from turnspan.watch import Watched, watched

_INHERITED = object()


class Hooks:
    """What an adapter is given (:class:`turnspan.events.Emit`), and the undo of what it did."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._undo: list[Callable[[], None]] = []
        self._live = True

    def _recorder(self) -> Recorder | None:
        return process.active() if self._live else None

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        if (found := self._recorder()) is not None:
            found.emit(event)

    def wrap(self, target: str | tuple[Any, str], observer: Observer) -> None:
        """Watch a function, ``"package.module:Class.method"``, or an object's attribute."""
        try:
            if isinstance(target, str):
                module_name, _, path = target.partition(":")
                module = sys.modules.get(module_name) or importlib.import_module(module_name)
                owner, attribute, original = wrapt.resolve_path(module, path)
            else:
                owner, attribute, original = wrapt.resolve_path(*target)
        except (ImportError, AttributeError):
            logger.debug("turnspan %s: this version has no %s", self._name, target)
            return
        own = vars(owner).get(attribute, original) if isinstance(owner, type) else original
        self.replace(owner, attribute, Watched(own, watched(self._recorder, observer)))

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        """Put something in place of an attribute, until it is undone."""
        before = vars(owner).get(attribute, _INHERITED)
        setattr(owner, attribute, value)

        def undo() -> None:
            if before is _INHERITED:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, before)

        self._undo.append(undo)

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its exceptions told once and swallowed."""

        def safe(*args: Any, **kwargs: Any) -> Any:
            found = self._recorder()
            if found is None:
                return None
            try:
                return function(*args, **kwargs)
            except Exception as error:
                found.problem(f"adapter {self._name}", error)
                return None

        return safe

    def session(
        self, own: str | None = None, *, workspace_id: str | None = None, agent_id: str | None = None
    ) -> Session:
        """Find the session that a run belongs to."""
        return process.find_session(own, workspace_id=workspace_id, agent_id=agent_id)

    def current(self) -> Scope | None:
        """Return where the calling code runs."""
        return scope()

    def inside(self, started: Started) -> AbstractContextManager[None]:
        """Make a turn or call the current one for a block of code."""
        found = self._recorder()
        where = None if found is None else found.context_of(started)
        return nullcontext() if where is None else _Inside(where)

    def link(self, session_id: str, turn_id: str) -> Link | None:
        """Return the ids of a turn's events so far, and its span."""
        found = self._recorder()
        known = None if found is None else found.events_of(session_id, turn_id)
        if known is None:
            return None
        ids, span = known
        return Link(ids, *(span[:2] if span else (None, None)))

    def on_undo(self, undo: Callable[[], None]) -> None:
        """Have something undone by ``uninstrument()``."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Take everything back."""
        self._live = False
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:
                told(self._name, error)


class _Inside(AbstractContextManager[None]):
    def __init__(self, where: context.Context) -> None:
        self._where = where

    def __enter__(self) -> None:
        self._token = context.attach(self._where)

    def __exit__(self, *_: object) -> None:
        context.detach(self._token)


def told(name: str, error: BaseException) -> None:
    """Count and tell a failure of an adapter."""
    process.recorder().problem(f"adapter {name}", error)
