"""A graph of another engine, translated into Variables and Functions of ours.

What is behind a result is mirrored once: each variable by a `Variable`, each function by a
`MirrorFunction` that hands forward and backward on to the engine. All that is downstream (the
graph, the backward pass, curves, checks, pictures) works on the mirror and needs to know nothing
of the engine.
"""

from __future__ import annotations

import numbers
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.adapters.protocol import CannotRerunError
from ipygrad.capture.graph import inputs_first
from ipygrad.capture.quiet import quietly
from ipygrad.engine.core import Constant, Function, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ipygrad.capture.adapters.protocol import Adapter, Contributions, Rerun
    from ipygrad.capture.names import CallSites
    from ipygrad.capture.observe import CallSite
    from ipygrad.capture.stack import Made
    from ipygrad.engine.core import Array


_NUMBERS = (numbers.Real, np.ndarray)
_LINKS = tuple(name for name in Function.__slots__ if name != "__weakref__")


class MirrorFunction(Function):
    """Stands for a function of another engine, whose own forward and backward it runs.

    Parameters
    ----------
    adapter
        Who knows the engine.
    foreign
        The engine's function.
    """

    label = property(lambda self: self._adapter.label(self.foreign))

    def __init__(self, adapter: Adapter, foreign: object) -> None:
        self._adapter = adapter
        self.foreign = foreign
        self._again: Rerun | None = None

    @property
    def has_backward_method(self) -> bool:
        """Whether the engine's function goes back by a method called ``backward``."""
        return self._adapter.has_backward_methods

    def forward(self, *arrays: Array) -> Any:
        """Call a copy of the engine's function; `backward` belongs to that call from now on."""
        self._again = self._adapter.rerun(self.foreign, arrays)
        outputs = self._again.outputs
        return outputs if len(outputs) > 1 else outputs[0]

    def backward(self, *cotangents: Array) -> Contributions:
        """Run the engine's backward: that of the recorded call, unless forward has run here."""
        if self._again is not None:
            return self._again.backward(cotangents)
        return self._adapter.backward(self.foreign, cotangents)

    def why_not_again(self) -> str | None:
        """Return why the engine's function cannot be called again; None where it can."""
        try:
            with quietly():
                self._adapter.rerun(self.foreign, [x.data for x in self.inputs])
        except CannotRerunError as error:
            return str(error)
        return None

    def __deepcopy__(self, _memo: object) -> MirrorFunction:
        """Return a copy that forward can run on; the engine's function is shared, never changed."""
        # What copy.copy does of any object takes five times as long.
        twin = MirrorFunction(self._adapter, self.foreign)
        twin._again = self._again
        for name in _LINKS:
            if hasattr(self, name):
                setattr(twin, name, getattr(self, name))
        return twin


class Translation:
    """The mirror of what is behind results.

    Parameters
    ----------
    results
        Variables of the adapter's engine that functions made.
    adapter
        Who knows the engine.

    Attributes
    ----------
    results
        Their mirrors.
    cut_off
        Mirrors that are leaves only because the function that made them remembers another call by
        now, and how it is called.
    """

    def __init__(self, results: Sequence[object], adapter: Adapter) -> None:
        self._adapter = adapter
        self._result = results[0]
        self._mirrors: dict[int, Variable] = {}
        self._origins: dict[Variable, Any] = {}
        # Numbers of objects are keys here, so the objects have to stay.
        self._kept: list[object] = []
        self.cut_off: dict[Variable, str] = {}
        self._mirror_all(results)
        self.results = [self._leaf_or_known(result) for result in results]
        start = adapter.start(results[0])
        if start is not None and not np.all(start == 1):
            self.results[0].grad = start

    def mirror_of(self, variable: object) -> Variable | None:
        """Return the mirror of a variable of the engine, None for one that is not behind it."""
        return self._mirrors.get(id(self._adapter.identity(variable)))

    def mirror_or_itself(self, value: object) -> object:
        """Return the mirror of a variable of the engine; any other value as it is."""
        mirror = self.mirror_of(value) if self._adapter.handles(value) else None
        return value if mirror is None else mirror

    def identity_of(self, mirror: Variable) -> object:
        """Return the object that stands for a mirror's variable in its engine."""
        return self._adapter.identity(self._origins[mirror])

    def mirrored(self, namespace: Mapping[str, object]) -> dict[str, object]:
        """Return a namespace with mirrors in the place of the engine's variables."""
        return {name: self._mirrored(value) for name, value in namespace.items()}

    def gradient_of(self, mirror: Variable) -> Array | None:
        """Return the gradient that a mirror's variable holds in its engine."""
        return self._adapter.gradient(self._origins[mirror])

    def run_backward(self, cotangent: Array) -> None:
        """Let the engine go back from the result by itself, and leave its gradients."""
        self._adapter.run_backward(self._result, cotangent)

    def assign(self, mirror: Variable, value: Array) -> None:
        """Give a mirror's variable, a leaf, another value in its engine."""
        self._adapter.assign(self._origins[mirror], value)

    def is_known(self, mirror: Variable) -> bool:
        """Tell whether the engine has kept the value of a mirror's variable."""
        return self._adapter.is_known(self._origins[mirror])

    @property
    def leaves(self) -> list[Variable]:
        """The mirrors that no function made."""
        return [mirror for mirror in self._origins if mirror.creator is None]

    def _mirrored(self, value: Any) -> object:
        if type(value) in (list, tuple):
            return type(value)(map(self.mirror_or_itself, value))
        if type(value) is dict:
            return {key: self.mirror_or_itself(element) for key, element in value.items()}
        return self.mirror_or_itself(value)

    def _mirror_all(self, results: Sequence[object]) -> None:
        """Mirror inputs before outputs, without recursion."""
        adapter = self._adapter

        def creators(variables: Sequence[Any]) -> Iterator[Any]:
            return map(adapter.creator, reversed(variables))

        inputs: dict[int, Sequence[Any]] = {}

        def behind(function: Any) -> Iterator[Any]:
            inputs[id(function)] = found = adapter.inputs(function)
            return creators(found)

        for function in inputs_first(creators(results), behind):
            self._kept.append(function)
            self._mirror(function, inputs.pop(id(function)))

    def _mirror(self, function: Any, inputs: Sequence[Any]) -> None:
        mirror = MirrorFunction(self._adapter, function)
        mirror.inputs = tuple(map(self._leaf_or_known, inputs))
        made = self._adapter.outputs(function)
        outputs = [None if y is None else self._new(y, Variable) for y in made]
        with quietly() if None in made else nullcontext():
            mirror.outputs = tuple(
                Variable(self._adapter.like_output(function, number)) if y is None else y
                for number, y in enumerate(outputs)
            )
        for y in outputs:
            if y is not None:
                y.set_creator(mirror)

    def _leaf_or_known(self, variable: Any) -> Variable:
        known = self.mirror_of(variable)
        if known is not None:
            return known
        leaf = self._new(variable, Constant if self._adapter.is_constant(variable) else Variable)
        cut = self._adapter.cut(variable)
        if cut is not None:
            leaf._cut = cut
        creator = self._adapter.creator(variable)
        if creator is not None:
            self.cut_off[leaf] = self._adapter.label(creator)
        return leaf

    def _new(self, variable: Any, kind: type[Variable]) -> Variable:
        mirror = kind(self._adapter.data(variable), self._adapter.name(variable))
        identity = self._adapter.identity(variable)
        self._kept.append(identity)
        self._mirrors[id(identity)] = mirror
        self._origins[mirror] = variable
        return mirror


class MirroredSites:
    """Knows where the variables behind mirrors were made.

    Parameters
    ----------
    translation
        Whose mirrors.
    sites
        Who watched the engine.
    namespace
        The user's names, with mirrors in the place of variables.
    """

    def __init__(
        self, translation: Translation, sites: CallSites, namespace: Mapping[str, object]
    ) -> None:
        self._translation = translation
        self._sites = sites
        self._namespace = namespace
        # Of many variables that one line has made the place is one.
        self._kept: dict[CallSite, CallSite] = {}

    def made_in(self, output: Any) -> Made | None:
        """Return when and in which calls the variable behind a mirror was made."""
        return self._sites.made_in(self._translation.identity_of(output))

    def site_of(self, output: Any) -> CallSite | None:
        """Return where the variable behind a mirror was made, None if unknown."""
        site = self._sites.site_of(self._translation.identity_of(output))
        if site is None:
            return None
        if site not in self._kept:
            self._kept[site] = self._without_swapped(site)
        return self._kept[site]

    def _without_swapped(self, site: CallSite) -> CallSite:
        """Return what of a place is known to be that of the engine's variable."""
        named = [self._namespace[name] for name in site.targets if name in self._namespace]
        if any(isinstance(value, _NUMBERS) for value in named):
            # What the call from the cell returned is a number: this was made on its way.
            return site._replace(arguments=(), targets=(), source=None, span=None)
        # An operator may swap its operands (2 * x calls x.__rmul__), so they name nothing.
        return site._replace(arguments=())
