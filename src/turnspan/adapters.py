"""Adapters: found by entry point, woken when their runtime is imported, undone on request.

An adapter is a module with ``REQUIRES`` (the runtime and its versions, as pip writes it) and ``install(emit)``. The
name of its entry point in the group ``turnspan.adapters`` is the top-level module whose import wakes it, so a runtime
that a program does not use costs nothing.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

import wrapt
from opentelemetry import context

from turnspan import process
from turnspan.errors import MissingExtraError, SettingsError
from turnspan.events import Event, Observer, Scope, Session, Started
from turnspan.recorder import logger
from turnspan.spans import scope
from turnspan.watch import watched

GROUP = "turnspan.adapters"


class Hooks:
    """What an adapter is given (:class:`turnspan.events.Emit`), and the undo of what it did."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._undo: list[Callable[[], None]] = []
        self._live = True

    def _recorder(self) -> Any:
        return process.active() if self._live else None

    def __call__(self, event: Event) -> None:
        """Tell an event."""
        if (found := self._recorder()) is not None:
            found.emit(event)

    def wrap(self, target: str, observer: Observer) -> None:
        """Watch a function, ``"package.module:Class.method"``."""
        module_name, _, path = target.partition(":")
        try:
            module = sys.modules.get(module_name) or importlib.import_module(module_name)
            parent, attribute, original = wrapt.resolve_path(module, path)
        except (ImportError, AttributeError):
            logger.debug("turnspan %s: this version has no %s", self._name, target)
            return
        own = vars(parent).get(attribute, original) if isinstance(parent, type) else original
        wrapt.apply_patch(parent, attribute, wrapt.FunctionWrapper(own, watched(self._recorder, observer)))

        def undo() -> None:
            if attribute in vars(parent) or not isinstance(parent, type):
                setattr(parent, attribute, own)

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

    def session(self, own: str | None = None, *, workspace_id: str | None = None, agent_id: str | None = None) -> Session:
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

    def events_of(self, session_id: str, turn_id: str) -> list[str]:
        """Return the audit event ids of a turn so far."""
        found = self._recorder()
        known = None if found is None else found.events_of(session_id, turn_id)
        return known[0] if known else []

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
                process.recorder().problem(f"adapter {self._name}", error)


class _Inside(AbstractContextManager[None]):
    def __init__(self, where: context.Context) -> None:
        self._where = where

    def __enter__(self) -> None:
        self._token = context.attach(self._where)

    def __exit__(self, *_: object) -> None:
        context.detach(self._token)


class Adapters:
    """The adapters of this process."""

    def __init__(self) -> None:
        self._installed: dict[str, Hooks] = {}
        self._watched: set[str] = set()
        self._wanted: set[str] = set()

    def watch(self, chosen: str = "all", *, by_name: bool = False) -> None:
        """Install adapters for the runtimes that are imported, and wait for the import of the others.

        Args:
            chosen: ``all`` or names with commas; ``-name`` takes one out.
            by_name: The user asked for these by name: say what is missing instead of passing it over.

        Raises:
            SettingsError: When a name is no adapter.
            MissingExtraError: When one that was asked for by name has no runtime installed that it can watch.

        """
        found = {name_of(entry): entry for entry in entry_points(group=GROUP)}
        names = choose(chosen, found)
        self._wanted |= names
        for name in sorted(names):
            entry = found[name]
            if by_name and chosen != "all" and (reason := unusable(requirement_of(entry))) is not None:
                raise MissingExtraError(f"The adapter {name} cannot be used: {reason}")
            if entry.name in sys.modules:
                self._install(name, entry)
            elif name not in self._watched:
                self._watched.add(name)
                wrapt.register_post_import_hook(lambda _module, n=name, e=entry: self._woken(n, e), entry.name)

    def installed(self) -> list[str]:
        """Return the names of the adapters that watch a runtime now."""
        return sorted(self._installed)

    def undo(self) -> None:
        """Take every adapter out again."""
        self._wanted.clear()
        while self._installed:
            self._installed.popitem()[1].undo()

    def _woken(self, name: str, entry: EntryPoint) -> None:
        if name in self._wanted:
            self._install(name, entry)

    def _install(self, name: str, entry: EntryPoint) -> None:
        if name in self._installed:
            return
        hooks = Hooks(name)
        try:
            adapter = entry.load()
            if (reason := unusable(adapter.REQUIRES)) is not None:
                logger.debug("turnspan %s stays out: %s", name, reason)
                return
            self._installed[name] = hooks
            undo = adapter.install(hooks)
            if undo is not None:
                hooks.on_undo(undo)
        except Exception as error:
            self._installed.pop(name, None)
            hooks.undo()
            process.recorder().problem(f"adapter {name}", error)


def name_of(entry: EntryPoint) -> str:
    """Return the name that people use: that of the adapter's module."""
    return entry.module.rpartition(".")[2].replace("_", "-")


def requirement_of(entry: EntryPoint) -> str:
    """Return what an adapter requires."""
    with suppress(Exception):
        return str(entry.load().REQUIRES)
    return ""


def choose(chosen: str, known: Iterable[str]) -> set[str]:
    """Return the adapters that a setting names.

    Raises:
        SettingsError: When a name is no adapter.

    """
    known = set(known)
    words = [word.strip().replace("_", "-") for word in chosen.split(",") if word.strip()]
    without = {word[1:] for word in words if word.startswith("-")}
    named = {word for word in words if not word.startswith("-")}
    if unknown := (named | without) - known - {"all", "none"}:
        raise SettingsError(f"No adapter is called {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}")
    picked = known if not named or "all" in named else named - {"none"}
    return set(picked) - without


def unusable(requires: str) -> str | None:
    """Return why a requirement (``name>=1.2,<2``) does not hold, or None when it does."""
    name, constraints = re.match(r"([A-Za-z0-9._-]+)(.*)", requires).groups() if requires else ("", "")  # type: ignore[union-attr]
    if not name:
        return None
    try:
        have = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed: pip install '{requires}'"
    from packaging.specifiers import SpecifierSet

    if constraints and not SpecifierSet(constraints).contains(have, prereleases=True):
        return f"{name} {have} is installed, {requires} is needed: pip install '{requires}'"
    return None
