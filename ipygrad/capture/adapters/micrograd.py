"""micrograd, and engines typed after it: the history is a closure on each value.

A value keeps the set of values that it was made of, ``_prev``, and a function ``_backward`` that
adds to their gradients. The set has neither order nor duplicates, but the closure still holds the
operands by name, so they are read off it. Who made it is told by the closure's qualified name:
``Value.__mul__.<locals>._backward`` was written in the method that can be called again.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.adapters.protocol import Adapter, CannotRerunError, Rerun, heard
from ipygrad.capture.graph import inputs_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

    from ipygrad.capture.adapters.protocol import Contributions
    from ipygrad.capture.observe import Observer
    from ipygrad.engine.core import Array

LABELS = {"+": "add", "*": "mul", "-": "sub", "/": "div", "**": "pow"}


class MicrogradAdapter(Adapter):
    """Reads graphs of ``Value`` objects; a value that others made is its own function."""

    has_backward_methods = False

    def handles(self, value: object) -> bool:
        """Tell whether `value` has what micrograd's ``Value`` has."""
        return (
            isinstance(getattr(value, "_prev", None), (set, frozenset, tuple, list))
            and callable(getattr(value, "_backward", None))
            and hasattr(value, "data")
            and hasattr(value, "grad")
        )

    def creator(self, variable: Any) -> object | None:
        """Return the value itself if it was made of others."""
        return variable if variable._prev else None

    def inputs(self, function: Any) -> Sequence[Any]:
        """Return the operands, as many as there were and in their order."""
        return list(self._operands(function).values())

    def outputs(self, function: Any) -> Sequence[Any]:
        """Return the value itself."""
        return (function,)

    def data(self, variable: Any) -> Array:
        """Return the number, shape ()."""
        return np.asarray(variable.data, np.float64)

    def name(self, variable: Any) -> str | None:
        """Return the label that some versions have."""
        label = getattr(variable, "label", None)
        return label if isinstance(label, str) and label else None

    def label(self, function: Any) -> str:
        """Return the operation in words, or as the class writes it: ``add``, ``tanh``."""
        operation = str(getattr(function, "_op", "")) or _method_name(function).strip("_")
        return LABELS.get(operation, "pow" if operation.startswith("**") else operation)

    def backward(self, function: Any, cotangents: tuple[Array, ...]) -> Contributions:
        """Run the closure on stand-ins for its values, so that their gradients stay."""
        operands = self._operands(function)
        stand_ins = {name: _leaf(x, x.data) for name, x in operands.items()}
        out = _leaf(function, function.data)
        names = _closure(function)
        replaced = {name: stand_ins.get(name, held) for name, held in names.items()}
        replaced |= {name: out for name, held in names.items() if held is function}
        stored = function._backward
        closure = tuple(CellType(replaced[name]) for name in stored.__code__.co_freevars)
        own = FunctionType(
            stored.__code__, stored.__globals__, stored.__name__, stored.__defaults__, closure
        )
        return _contributions(own, out, list(stand_ins.values()), cotangents)

    def rerun(self, function: Any, inputs: Sequence[Array]) -> Rerun:
        """Call the method that made the value once more, on new values."""
        operands = self._operands(function)
        stand_ins = {
            name: _leaf(x, float(array))
            for (name, x), array in zip(operands.items(), inputs, strict=True)
        }
        known = _closure(function) | stand_ins
        method = getattr(type(function), _method_name(function), None)
        code = getattr(method, "__code__", None)
        if method is None or not isinstance(code, CodeType):
            raise CannotRerunError(f"no method of {type(function).__name__} is known to have run")
        parameters = code.co_varnames[: code.co_argcount]
        if not all(name in known for name in parameters):
            raise CannotRerunError(f"{_method_name(function)} has not kept its arguments")
        out = method(*(known[name] for name in parameters))
        values = list(stand_ins.values())
        return Rerun(
            (self.data(out),),
            lambda cotangents: _contributions(out._backward, out, values, cotangents),
        )

    def gradient(self, variable: Any) -> Array | None:
        """Return the gradient; 0 is what a value has before any pass."""
        return None if variable.grad == 0 else np.asarray(variable.grad, np.float64)

    def run_backward(self, result: Any, cotangent: Array) -> None:
        """Do as ``result.backward()`` does, which recurses and so stops at 1,000 values."""
        order = list(inputs_first([result], lambda value: value._prev))
        result.grad = cotangent.item()
        for value in reversed(order):
            value._backward()

    @contextmanager
    def watching(self, observer: Observer) -> Iterator[None]:
        """Hear of each value that the package makes, and of ``backward``."""
        engine = sys.modules.get("micrograd.engine")
        if engine is None:
            yield
            return

        def made(value: object, _none: None, frame: FrameType) -> None:
            observer.noted((value,), frame)

        def went_back(result: object, _none: None, _frame: FrameType) -> None:
            observer.ran_backward(result)

        with heard(engine.Value, "__init__", made), heard(engine.Value, "backward", went_back):
            yield

    def _operands(self, function: Any) -> Mapping[str, Any]:
        """Return what a value was made of, by its names in the closure: self comes first."""
        behind = {id(x) for x in function._prev}
        held = {name: x for name, x in _closure(function).items() if id(x) in behind}
        ordered = {name: held[name] for name in sorted(held, key=lambda name: name != "self")}
        missing = behind - {id(x) for x in held.values()}
        unnamed = [x for x in function._prev if id(x) in missing]
        return ordered | {f"{number}": x for number, x in enumerate(unnamed)}


def _closure(value: Any) -> dict[str, Any]:
    """Return what ``_backward`` holds, by name."""
    function = value._backward
    cells = getattr(function, "__closure__", None) or ()
    return {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars, cells, strict=True)
    }


def _method_name(value: Any) -> str:
    qualified: str = getattr(value._backward, "__qualname__", "")
    return qualified.partition(".<locals>")[0].rpartition(".")[2]


def _leaf(like: Any, data: float) -> Any:
    """Return a value that nothing made, of the class of another."""
    leaf = type(like)(data)
    leaf.grad = 0.0
    return leaf


def _contributions(
    backward: Callable[[], object], out: Any, inputs: Sequence[Any], cotangents: tuple[Array, ...]
) -> Contributions:
    out.grad = cotangents[0].item()
    for x in inputs:
        x.grad = 0.0
    backward()
    return tuple(np.asarray(x.grad, np.float64) for x in inputs)
