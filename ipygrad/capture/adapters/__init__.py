"""Which engine a value belongs to, and which adapter reads its graphs."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ipygrad.capture.calls import Calls
from ipygrad.capture.imports import when_imported
from ipygrad.capture.shapes import packages_of
from ipygrad.engine.core import Function, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ipygrad.capture.adapters.protocol import Adapter
    from ipygrad.capture.observe import Observer

LIBRARIES = {
    "dezero": f"{__name__}.dezero:DeZeroAdapter",
    "torch": f"{__name__}.torch:TorchAdapter",
}
"""Engines that are libraries: the name of the package, and where its adapter is. That file is
imported only when a variable of the library turns up."""

SHAPES = {
    "micrograd": f"{__name__}.micrograd:MicrogradAdapter",
    "learners": f"{__name__}.learners:LearnersAdapter",
}
"""Engines that learners type themselves, known by what their variables have, and where their
adapters are. They are tried in this order."""


def register_engine(package: str, adapter: str) -> None:
    """Let ``%%grad``, ``%grad`` and `backward_pass` read the graphs of another engine.

    Parameters
    ----------
    package
        The package that its variables' classes are from: ``"tinygraph"``.
    adapter
        Where its adapter is, ``"module:class"``. The module is imported when a variable of the
        package turns up; the class derives from `ipygrad.capture.adapters.protocol.Adapter`.

    Raises
    ------
    ValueError
        When `adapter` has another form.
    """
    module, _, kind = adapter.partition(":")
    if not all(name.isidentifier() for name in (*module.split("."), kind)):
        raise ValueError(f"an adapter is named like 'module:class', not {adapter!r}")
    LIBRARIES[package] = adapter


def engines() -> tuple[str, ...]:
    """Return the packages that are engines."""
    return (*LIBRARIES, "micrograd")


class Engines:
    """All engines, ours and those that adapters exist for.

    Parameters
    ----------
    calls
        What was observed of functions that leave no links on the variables that they make.
    """

    def __init__(self, calls: Calls | None = None) -> None:
        self._calls = calls or Calls()
        self._adapters: dict[str, Adapter] = {}

    def adapter_of(self, value: object) -> Adapter | None:
        """Return the adapter for another engine's variable, None for anything else."""
        if isinstance(value, Variable):
            return None
        for engine in (*_libraries_of(value), *SHAPES):
            adapter = self._adapter(engine)
            if adapter.handles(value):
                return adapter
        return None

    def is_result(self, value: object) -> bool:
        """Tell whether `value` is a variable that a function made."""
        if isinstance(value, Variable):
            return value.creator is not None
        adapter = self.adapter_of(value)
        return adapter is not None and adapter.creator(value) is not None

    def why_left_out(self, value: object) -> str | None:
        """Return why a learner's function made a variable without a creator, None if none did."""
        return self._calls.why_left_out(value)

    def identity_of(self, variable: object) -> object:
        """Return the object that stands for a variable, by which it is told from others."""
        adapter = self.adapter_of(variable)
        return variable if adapter is None else adapter.identity(variable)

    def inputs_behind(self, variable: object) -> Sequence[object]:
        """Return what the function that made a variable was called with; () for a leaf."""
        if isinstance(variable, Variable):
            return variable.creator.inputs if isinstance(variable.creator, Function) else ()
        adapter = self.adapter_of(variable)
        creator = None if adapter is None else adapter.creator(variable)
        return () if adapter is None or creator is None else adapter.inputs(creator)

    def behind(self, variable: object) -> set[int]:
        """Return the identities' numbers of a variable and of all that it was made of."""
        found = {id(self.identity_of(variable))}
        waiting = [variable]
        while waiting:
            for x in self.inputs_behind(waiting.pop()):
                number = id(self.identity_of(x))
                if number not in found:
                    found.add(number)
                    waiting.append(x)
        return found

    @contextmanager
    def watching(self, libraries: Iterable[str], observer: Observer) -> Iterator[None]:
        """Let the libraries tell `observer` what they do in the block.

        Those that the block itself imports do so from then on.
        """
        with ExitStack() as stack:

            def watch(library: str) -> None:
                stack.enter_context(self._adapter(library).watching(observer))

            later = []
            for library in libraries:
                if library in sys.modules:
                    watch(library)
                else:
                    later.append(library)
            with when_imported(later, watch):
                yield

    def _adapter(self, engine: str) -> Adapter:
        from importlib import import_module

        if engine not in self._adapters:
            module, _, name = (LIBRARIES | SHAPES)[engine].partition(":")
            kind: Any = getattr(import_module(module), name)
            self._adapters[engine] = kind(self._calls)
        return self._adapters[engine]


def libraries_in(source: str, namespace: Mapping[str, object]) -> list[str]:
    """Return the engines that a cell may use: its text or the user's names show them.

    Parameters
    ----------
    source
        Python text of the cell.
    namespace
        The user's names.
    """
    return _packages_in(engines(), source, namespace)


def uses_ours(source: str, namespace: Mapping[str, object]) -> bool:
    """Tell whether a cell may use our own engine, as `libraries_in` does of others."""
    return bool(_packages_in(("ipygrad",), source, namespace))


def _packages_in(
    packages: Iterable[str], source: str, namespace: Mapping[str, object]
) -> list[str]:
    roots = {_root(value) for name, value in namespace.items() if not name.startswith("_")}
    return [name for name in packages if name in source or name in roots]


def _root(value: object) -> str:
    """Return the package of a module, of a class or function, or of an object's class."""
    if isinstance(value, ModuleType):
        module: object = value.__name__
    else:
        owner = value if hasattr(value, "__qualname__") else type(value)
        module = getattr(owner, "__module__", None)
    return str(module).partition(".")[0]


def _libraries_of(value: object) -> Iterator[str]:
    """Yield the libraries that the class of `value`, or one that it inherits, is from."""
    roots = packages_of(type(value))
    for library in LIBRARIES:
        if library in roots and library in sys.modules:
            yield library
