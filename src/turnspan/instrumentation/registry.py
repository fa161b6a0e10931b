"""Adapters: found by entry point, woken when their runtime is imported, undone on request.

An adapter is a module with ``REQUIRES`` (the runtime and its versions, as pip writes it) and ``install(emit)``. The
name of its entry point in the group ``turnspan.adapters`` is the top-level module whose import wakes it, so a runtime
that a program does not use costs nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING

import wrapt

from turnspan.errors import MissingExtraError, SettingsError
from turnspan.telemetry.own_log import logger

if TYPE_CHECKING:
    from turnspan.instrumentation.adapter_context import AdapterContext

GROUP = "turnspan.adapters"


class Adapters:
    """The adapters of this process."""

    def __init__(self) -> None:
        self._installed: dict[str, AdapterContext] = {}
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
            if by_name and name in _words(chosen) and (reason := unusable(requirement_of(entry))) is not None:
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
        from turnspan.instrumentation.adapter_context import AdapterContext, report_failure

        given = AdapterContext(name)
        try:
            adapter = entry.load()
            if (reason := unusable(adapter.REQUIRES)) is not None:
                logger.debug("turnspan %s stays out: %s", name, reason)
                return
            self._installed[name] = given
            undo = adapter.install(given)
            if undo is not None:
                given.patch.on_undo(undo)
        except Exception as error:
            self._installed.pop(name, None)
            given.undo()
            report_failure(name, error)


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
    words = _words(chosen)
    without = {word[1:] for word in words if word.startswith("-")}
    named = {word for word in words if not word.startswith("-")}
    if unknown := (named | without) - known - {"all", "none"}:
        raise SettingsError(f"No adapter is called {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}")
    picked = known if not named or "all" in named else named - {"none"}
    return set(picked) - without


def _words(chosen: str) -> list[str]:
    return [word.strip().replace("_", "-") for word in chosen.split(",") if word.strip()]


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
