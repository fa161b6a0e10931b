"""Adapters: found by entry point, woken when their runtime is imported, undone on request.

An adapter is a module with ``REQUIRES`` (the runtime and the versions that it is tested with, as pip writes it) and
``install(emit)``. A version beside these is watched all the same, and that is said once. The name of its entry point in
the group ``turnspan.adapters`` is the top-level module whose import wakes it, so a runtime that a program does not use
costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING, Any, NamedTuple

import wrapt

from turnspan.errors import AdapterError, MissingExtraError, SettingsError
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
            SettingsError: When a name is not an adapter.
            MissingExtraError: When the runtime of one that was asked for by name is not installed.
            AdapterError: When one that was asked for by name is broken.

        """
        found = {name_of(entry): entry for entry in entry_points(group=GROUP)}
        names = choose(chosen, found)
        self._wanted |= names
        for name in sorted(names):
            entry = found[name]
            if by_name and name in _words(chosen):
                AdapterState.of(entry).require()
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
            state = AdapterState.declared(name, adapter)
            if state.missing is not None:
                logger.debug("turnspan: the adapter %s is not used: %s", name, state.missing)
                return
            if state.untested is not None:
                logger.warning(
                    "turnspan: the adapter %s is used all the same, and may miss events: %s", name, state.untested
                )
            self._installed[name] = given
            undo = adapter.install(given)
            if undo is not None:
                given.patch.on_undo(undo)
        except Exception as error:
            self._installed.pop(name, None)
            given.undo()
            report_failure(name, error)


class AdapterState(NamedTuple):
    """Whether an adapter can do its work here."""

    name: str
    requires: str = ""
    """The runtime and the versions that it is tested with, as pip writes it."""
    runtime: str = ""
    """The runtime's distribution."""
    version: str | None = None
    """Which version of the runtime is installed, if one is."""
    tested: bool = False
    """Whether the adapter is tested with that version."""
    broken: str | None = None
    """Why the adapter's module cannot be used."""

    @classmethod
    def of(cls, entry: EntryPoint) -> AdapterState:
        """Look at an adapter; its module is imported, its runtime is not."""
        try:
            return cls.declared(name_of(entry), entry.load())
        except Exception as error:
            return cls(name_of(entry), broken=f"{entry.value} is broken: {type(error).__name__}: {error}")

    @classmethod
    def declared(cls, name: str, adapter: Any) -> AdapterState:
        """Compare what an adapter's module requires with what is installed."""
        from packaging.requirements import Requirement

        runtime = Requirement(adapter.REQUIRES)
        have = _version_of(runtime.name)
        tested = have is not None and runtime.specifier.contains(have, prereleases=True)
        return cls(name, adapter.REQUIRES, runtime.name, have, tested)

    @property
    def missing(self) -> str | None:
        """Say that its runtime is not installed, and what to do."""
        if self.broken is not None or self.version is not None:
            return None
        return f"{self.runtime} is not installed: pip install '{self.requires}'"

    @property
    def untested(self) -> str | None:
        """Say that its runtime is older or newer than what it is tested with, and what to do."""
        if self.version is None or self.tested:
            return None
        tested = f"it is tested with {self.requires} (pip install '{self.requires}')"
        return f"{self.runtime} {self.version} is installed, and {tested}"

    def require(self) -> None:
        """See that it can be used.

        Raises:
            MissingExtraError: When its runtime is not installed.
            AdapterError: When it is broken.

        """
        if self.broken is not None:
            raise AdapterError(f"The adapter {self.name} cannot be used: {self.broken}")
        if self.missing is not None:
            raise MissingExtraError(f"The adapter {self.name} cannot be used: {self.missing}")


def _version_of(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def name_of(entry: EntryPoint) -> str:
    """Return the name that people use: that of the adapter's module."""
    return entry.module.rpartition(".")[2].replace("_", "-")


def choose(chosen: str, known: Iterable[str]) -> set[str]:
    """Return the adapters that a setting names.

    Raises:
        SettingsError: When a name is not an adapter.

    """
    known = set(known)
    words = _words(chosen)
    without = {word[1:] for word in words if word.startswith("-")}
    named = {word for word in words if not word.startswith("-")}
    if unknown := (named | without) - known - {"all", "none"}:
        raise SettingsError(f"Unknown adapter {', '.join(sorted(unknown))}; known are: {', '.join(sorted(known))}")
    picked = known if not named or "all" in named else named - {"none"}
    return set(picked) - without


def _words(chosen: str) -> list[str]:
    return [word.strip().replace("_", "-") for word in chosen.split(",") if word.strip()]
