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
        return list(_operands(function, _closure(function)).values())

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
        held = _closure(function)
        stand_ins = {name: _leaf(x, x.data) for name, x in _operands(function, held).items()}
        out = _leaf(function, function.data)
        replaced = {name: stand_ins.get(name, value) for name, value in held.items()}
        replaced |= {name: out for name, value in held.items() if value is function}
        stored = function._backward
        closure = tuple(map(CellType, replaced.values()))
        own = FunctionType(
            stored.__code__, stored.__globals__, stored.__name__, stored.__defaults__, closure
        )
        return _contributions(own, out, list(stand_ins.values()), cotangents)

    def rerun(self, function: Any, inputs: Sequence[Array]) -> Rerun:
        """Call the method that made the value once more, on new values."""
        held = _closure(function)
        stand_ins = {
            name: _leaf(x, float(array))
            for (name, x), array in zip(_operands(function, held).items(), inputs, strict=True)
        }
        known = held | stand_ins
        method = getattr(type(function), _method_name(function), None)
        code = getattr(method, "__code__", None)
        if method is None or not isinstance(code, CodeType):
            raise CannotRerunError(f"no method of {type(function).__name__} is known to have run")
        parameters = code.co_varnames[: code.co_argcount]
        if not all(name in known for name in parameters):
            raise CannotRerunError(f"{_method_name(function)} has not kept its arguments")
        out = method(*(known[name] for name in parameters))
        values = list(stand_ins.values())
        # The closure holds the value; if that held the closure, too, both would be left to the
        # garbage collector, and many are made.
        backward, out._backward = out._backward, None
        return Rerun(
            (self.data(out),),
            lambda cotangents: _contributions(backward, out, values, cotangents),
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


def _closure(value: Any) -> dict[str, Any]:
    """Return what ``_backward`` holds, by name, in the order of its free variables."""
    function = value._backward
    cells = getattr(function, "__closure__", None) or ()
    contents = [cell.cell_contents for cell in cells]
    return dict(zip(function.__code__.co_freevars, contents, strict=True))


def _operands(value: Any, held: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a value was made of, by its names among what ``_backward`` holds: self first."""
    behind = {id(x): x for x in value._prev}
    operands = {name: x for name, x in held.items() if id(x) in behind}
    if "self" in operands:
        operands = {"self": operands["self"], **operands}
    for x in operands.values():
        behind.pop(id(x), None)
    return operands | {f"{number}": x for number, x in enumerate(behind.values())}


def _method_name(value: Any) -> str:
    qualified: str = getattr(value._backward, "__qualname__", "")
    return qualified.partition(".<locals>")[0].rpartition(".")[2]


def _leaf(like: Any, data: float) -> Any:
    """Return a value that nothing made, of the class of another."""
    return type(like)(data)


def _contributions(
    backward: Callable[[], object], out: Any, inputs: Sequence[Any], cotangents: tuple[Array, ...]
) -> Contributions:
    out.grad = cotangents[0].item()
    for x in inputs:
        x.grad = 0.0
    backward()
    return tuple(np.asarray(x.grad, np.float64) for x in inputs)
