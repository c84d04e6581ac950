"""Which adapter reads the graphs that a value belongs to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipygrad.capture.adapters.protocol import Adapter

ENGINES = {
    "dezero": "DeZeroAdapter",
    "torch": "TorchAdapter",
}
"""Engines that are libraries: the name of the package, which is also that of our file, and the
adapter in it. The file is imported only when the library is loaded and turns up in a cell."""

SHAPES = {
    "micrograd": "MicrogradAdapter",
}
"""Engines that learners type themselves, found by what their variables have: our file, and the
adapter in it. They are tried in this order."""


def find_adapter(value: object) -> Adapter | None:
    """Return a new adapter for the engine that `value` is a variable of, None if there is none."""
    for file, name in (*_engines_of(value), *SHAPES.items()):
        adapter = _new_adapter(file, name)
        if adapter.handles(value):
            return adapter
    return None


def _engines_of(value: object) -> Iterator[tuple[str, str]]:
    """Yield the loaded libraries that the class of `value`, or one that it inherits, is from."""
    roots = {str(kind.__module__).partition(".")[0] for kind in type(value).__mro__}
    for library, name in ENGINES.items():
        if library in roots and library in sys.modules:
            yield library, name


def _new_adapter(file: str, name: str) -> Adapter:
    from importlib import import_module

    adapter: Any = getattr(import_module(f"{__name__}.{file}"), name)
    made: Adapter = adapter()
    return made
