"""What a learner's own variables and functions look like: known by what they have.

A variable has ``data``, an array or a number. A function is called with variables; it may have
``forward`` and ``backward``, and keep its ``input`` or ``inputs`` and its ``output`` or
``outputs``, one or a list, plain or as weak references. Nothing is asked of their base classes.
"""

from __future__ import annotations

import copy
import numbers
import weakref
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine.core import Function, Variable, as_tuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ipygrad.engine.core import Array

_NO_VARIABLES = (Variable, np.ndarray, np.generic, type, ModuleType)
_DATA = (np.ndarray, np.generic, numbers.Real)
NOTEBOOK = "__main__"


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
    values = unpacked(values)
    return tuple(values) if any(map(is_variable, values)) else ()


def unpacked(given: Sequence[Any]) -> Sequence[Any]:
    """Return the elements of a list that is the only argument, else the arguments."""
    is_list = len(given) == 1 and isinstance(given[0], (list, tuple))
    return given[0] if is_list else given


def inputs_of(function: object) -> tuple[Any, ...]:
    """Return the variables that a function remembers as its inputs, () where it does not."""
    # Without a loop: it is asked for at each backward that is called by hand.
    kept = getattr(function, "inputs", None)
    if kept is None:
        kept = getattr(function, "input", None)
    return () if kept is None else _held(kept)


def outputs_of(function: object) -> tuple[Any | None, ...]:
    """Return those it remembers as outputs, None for one that is gone; () where it does not."""
    kept = getattr(function, "outputs", None)
    if kept is None:
        kept = getattr(function, "output", None)
    return () if kept is None else _held(kept)


def _held(kept: Any) -> tuple[Any, ...]:
    return tuple(v() if isinstance(v, weakref.ref) else v for v in as_tuple(kept))


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
    links = ("inputs", inputs), ("input", inputs), ("outputs", outputs), ("output", outputs)
    for name, variables in links:
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


def classes_in(namespace: Mapping[str, object], libraries: Collection[str]) -> list[type]:
    """Return the classes of the user's that stand behind names and may be part of an engine.

    These are classes, the classes of objects, and those that stand beside functions imported from
    the user's own files.

    Parameters
    ----------
    namespace
        The user's names.
    libraries
        Packages whose classes do not count.
    """
    found: dict[type, None] = {}
    for value in [*namespace.values()]:
        beside = value.__globals__.values() if isinstance(value, FunctionType) else ()
        for one in (value, *beside) if _is_imported(value) else (value,):
            for kind in (one if isinstance(one, type) else type(one)).__mro__:
                if kind not in found and _may_be_part(kind, libraries):
                    found[kind] = None
    return list(found)


def _is_imported(value: object) -> bool:
    return isinstance(value, FunctionType) and value.__module__ != NOTEBOOK


def _may_be_part(kind: type, libraries: Collection[str]) -> bool:
    if is_typed(kind, libraries):
        return True
    if is_of(kind, libraries) or kind.__module__.startswith("IPython."):
        return False
    initialize = vars(kind).get("__init__")
    sets = initialize.__code__.co_names if isinstance(initialize, FunctionType) else ()
    is_called = isinstance(vars(kind).get("__call__"), FunctionType)
    return "data" in sets or (is_called and hasattr(kind, "forward"))


def is_like_micrograd(kind: type) -> bool:
    """Tell whether the variables of a class know what they were made of, without a function."""
    initialize = vars(kind).get("__init__")
    return isinstance(initialize, FunctionType) and "_prev" in initialize.__code__.co_names


def is_typed(kind: type, libraries: Collection[str]) -> bool:
    """Tell whether a class was typed in the notebook, and derives from none of the libraries'."""
    return kind.__module__ == NOTEBOOK and not is_of(kind, libraries)


def is_of(kind: type, libraries: Collection[str]) -> bool:
    """Tell whether a class, or one that it inherits, is one of ours or of the libraries."""
    roots = packages_of(kind)
    return "ipygrad" in roots or not roots.isdisjoint(libraries)


def packages_of(kind: type) -> set[str]:
    """Return the packages that a class, and those that it inherits, are from."""
    return {str(base.__module__).partition(".")[0] for base in kind.__mro__}
