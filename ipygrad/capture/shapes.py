"""What a learner's own variables and functions look like: known by what they have.

A variable has ``data``, an array or a number. A function is called with variables; it may have
``forward`` and ``backward``, and keep its ``input`` or ``inputs`` and its ``output`` or
``outputs``, one or a list, plain or as weak references. Nothing is asked of their base classes.
"""

from __future__ import annotations

import ast
import copy
import numbers
import weakref
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine.core import Function, Variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipygrad.engine.core import Array

_NO_VARIABLES = (Variable, np.ndarray, np.generic, type, ModuleType)
_DATA = (np.ndarray, np.generic, numbers.Real)
_NOT_TYPED = ("IPython", "dezero", "micrograd", "torch")
"""Packages with such classes that need not be listened to in this way."""
INPUTS = ("inputs", "input")
OUTPUTS = ("outputs", "output")


def is_variable(value: object) -> bool:
    """Tell whether `value` has the shape of a learner's variable."""
    if isinstance(value, _NO_VARIABLES):
        return False
    try:
        return isinstance(value.data, _DATA)  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - a property of somebody's may raise anything
        return False


def is_function(value: object) -> bool:
    """Tell whether `value` has the shape of a learner's function."""
    if isinstance(value, (Function, type, ModuleType)) or is_variable(value):
        return False
    return callable(value) and (hasattr(value, "forward") or hasattr(value, "backward"))


def variables_in(values: Sequence[object]) -> tuple[Any, ...]:
    """Return what was called with or returned, its lists unpacked; () if none is a variable."""
    if len(values) == 1 and isinstance(values[0], (list, tuple)):
        values = values[0]
    return tuple(values) if any(map(is_variable, values)) else ()


def inputs_of(function: object) -> tuple[Any, ...]:
    """Return the variables that a function remembers as its inputs, () where it does not."""
    return _linked(function, INPUTS)


def outputs_of(function: object) -> tuple[Any | None, ...]:
    """Return those it remembers as outputs, None for one that is gone; () where it does not."""
    return _linked(function, OUTPUTS)


def _linked(function: object, names: tuple[str, ...]) -> tuple[Any, ...]:
    for name in names:
        kept = getattr(function, name, None)
        if kept is not None:
            several = kept if isinstance(kept, (list, tuple)) else (kept,)
            return tuple(v() if isinstance(v, weakref.ref) else v for v in several)
    return ()


def data_of(variable: Any) -> Array:
    """Return the array of a variable; numbers are arrays of shape ``()``."""
    return np.asarray(variable.data)


def gradient_of(variable: Any) -> Array | None:
    """Return a copy of the gradient that a variable holds, None for none."""
    return as_gradient(getattr(variable, "grad", None))


def as_gradient(value: Any) -> Array | None:
    """Return a copy of a gradient, be it a number, an array or a variable; None for anything else.

    A copy, because ``x.grad += gx`` changes an array in place.
    """
    if is_variable(value) or isinstance(value, Variable):
        value = value.data
    return np.array(value) if isinstance(value, _DATA) else None


def linked_copy(function: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """Return a shallow copy of `function` that remembers other variables, as it did its own."""
    own = copy.copy(function)
    for names, variables in ((INPUTS, inputs), (OUTPUTS, outputs)):
        for name in names:
            kept = getattr(own, name, None)
            is_list = isinstance(kept, (list, tuple))
            if kept is not None and (is_list or len(variables) == 1) and variables:
                setattr(own, name, _in_the_shape_of(kept, variables))
    return own


def _in_the_shape_of(kept: Any, variables: Sequence[Any]) -> Any:
    if isinstance(kept, (list, tuple)):
        return type(kept)(map(_in_the_shape_of, kept, [(v,) for v in variables]))
    (variable,) = variables
    return weakref.ref(variable) if isinstance(kept, weakref.ref) else variable


def fresh_variable(like: Any, data: Array) -> Any:
    """Return a leaf of the class of `like` with other data, without asking its constructor."""
    fresh = copy.copy(like)
    fresh.data = data
    for name in ("grad", "creator"):
        if hasattr(fresh, name):
            setattr(fresh, name, None)
    return fresh


def holds_classes(namespace: Mapping[str, object]) -> bool:
    """Tell whether the user's names hold a class, or an object of one, of these shapes."""
    kinds = {value if isinstance(value, type) else type(value) for value in namespace.values()}
    return any(map(_is_class, kinds))


def defines_a_class(source: str) -> bool:
    """Tell whether Python text defines a class."""
    return any(isinstance(node, ast.ClassDef) for node in ast.walk(ast.parse(source)))


def _is_class(kind: type) -> bool:
    if issubclass(kind, (Function, Variable)) or _package(kind) in _NOT_TYPED:
        return False
    initialize = getattr(kind, "__init__", None)
    sets = initialize.__code__.co_names if isinstance(initialize, FunctionType) else ()
    is_called = isinstance(getattr(kind, "__call__", None), FunctionType)  # noqa: B004
    return "data" in sets or (is_called and hasattr(kind, "forward"))


def _package(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]
