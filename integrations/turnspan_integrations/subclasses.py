"""Clients of which a runtime has only the base class: what each kind asks a model with is watched once an agent runs.

A program may have a client of its own, which is known no sooner.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakSet

from turnspan.adapter import Emit, Observer


class Subclasses:
    """Wraps methods of the classes below one, where they are defined.

    Args:
        emit: What wraps.
        base: The class, as ``package.module:Class``.
        methods: The methods' names.
        observer: Observes their calls.

    """

    def __init__(self, emit: Emit, base: str, methods: Sequence[str], observer: Observer) -> None:
        self._emit, self._methods, self._observer = emit, methods, observer
        self._module, _, self._base = base.partition(":")
        self._known: WeakSet[type[Any]] = WeakSet()

    def watch(self) -> None:
        """Wrap those that are there by now."""
        module = sys.modules.get(self._module)
        for found in () if module is None else _below(getattr(module, self._base)):
            if found in self._known:
                continue
            self._known.add(found)
            for method in self._methods:
                if method in vars(found):
                    self._emit.patch.wrap((found, method), self._observer)


def _below(base: type[Any]) -> Iterator[type[Any]]:
    for one in base.__subclasses__():
        yield one
        yield from _below(one)
