"""A function's turn in a reverse pass where care is needed: how backward runs, what it returns."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.engine import mode
from ipygrad.engine.arrays import Array, as_array, without_axes
from ipygrad.engine.core import Constant, Variable, as_tuple
from ipygrad.engine.errors import BackwardError, count

if TYPE_CHECKING:
    from ipygrad.engine.core import Function, Gradient


def run_with_care(
    y: Variable, cotangents: tuple[Gradient, ...], create_graph: bool
) -> list[tuple[Variable, Any]]:
    """Run the backward of the function that made `y`, on Variables or as a user wrote it.

    Returns
    -------
    list of tuple
        Each input with what it gets, checked; None for a constant.

    Raises
    ------
    BackwardError
        When backward returns what does not fit the inputs.
    """
    function: Any = y._creator
    if create_graph:
        returned = _run_differentiably(y.creator, cotangents)
    else:
        # A user's backward may write `gy *= 2`, which would change the output's own gradient.
        returned = function.backward(*[_read_only(cotangent) for cotangent in cotangents])
    inputs, contributions = function.inputs, as_tuple(returned)
    if len(contributions) != len(inputs):
        found = count(len(contributions), "contribution")
        wanted = count(len(inputs), "input")
        raise failed(y, f"returned {found} for {wanted}: return one for each input")
    return [
        (x, None if type(x) is Constant else checked(gx, number, y, create_graph))
        for number, (x, gx) in enumerate(zip(inputs, contributions, strict=True))
    ]


def failed(y: Variable, what: str) -> BackwardError:
    """Return the error that says what the backward of the function that made `y` did."""
    function: Any = y.creator
    return BackwardError(f"{function.label}.backward {what}", function)


def _run_differentiably(function: Any, cotangents: tuple[Gradient, ...]) -> Any:
    """Run backward on Variables, and see to it that it does not go behind their backs."""
    if function._is_free:
        _refuse_remembered_values(function)
    mode.differentiating = function
    try:
        return function.backward(*cotangents)
    finally:
        mode.differentiating = None


def _read_only(cotangent: Any) -> Array:
    view: Array = np.asarray(cotangent)[...]
    view.flags.writeable = False
    return view


def checked(contribution: Any, number: int, y: Variable, create_graph: bool) -> Any:
    """Return what backward returned for the input of that number as it travels on.

    Raises
    ------
    BackwardError
        When it does not fit the input.
    """
    function: Any = y._creator
    x = function.inputs[number]
    which = f" for input {number + 1}" if len(function.inputs) > 1 else ""
    if contribution is None:
        raise failed(y, f"returned None{which}: did you forget 'return gx'?")
    gradient: Any = contribution
    if not isinstance(contribution, Variable):
        try:
            gradient = as_array(contribution, f"What {function.label}.backward returns{which}")
        except TypeError as error:
            raise BackwardError(str(error), function) from error
    elif not create_graph:
        gradient = contribution._value
    if gradient.shape != x.shape:
        raise failed(
            y,
            f"returned shape {gradient.shape}{which}, but that input has shape {x.shape}: a "
            f"contribution has the shape of its input{_likely_slip(gradient.shape, x.shape)}",
        )
    if gradient.dtype != x.dtype:
        gradient = gradient.astype(x.dtype)
    if create_graph:
        return gradient if isinstance(gradient, Variable) else Variable(gradient)
    if function._is_free and gradient.base is None:
        # It may be kept on the function, or be the very data of a variable.
        gradient = gradient.copy()
    return without_axes(gradient)


def _likely_slip(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Say how a contribution of the one shape may have come to be, instead of the other."""
    if len(found) > 1 and found == wanted[::-1]:
        return ". Its transpose has that shape: was it forgotten?"
    new = len(found) - len(wanted)
    axes = [
        axis
        for axis, length in enumerate(found)
        if axis < new or (wanted[axis - new] == 1 != length)
    ]
    kept = tuple(1 if axis in axes else length for axis, length in enumerate(found))
    if new >= 0 and axes and kept == (1,) * new + wanted:
        which = f"axis {axes[0]}" if len(axes) == 1 else f"axes {tuple(axes)}"
        return f". The input was repeated by broadcasting, so sum the contribution over {which}"
    return ""


def _refuse_remembered_values(function: Function) -> None:
    """Raise when backward may use values that forward left on the function, without history.

    Forward runs again, on a copy and on copies of the inputs: what it makes or passes on is then
    another object than before, what was given at creation is the same.
    """
    remembered = {k: v for k, v in getattr(function, "__dict__", {}).items() if _may_vary(v)}
    if not remembered:
        return
    again = copy.copy(function)
    again.forward(*[x._array().copy() for x in function.inputs])
    for name, value in remembered.items():
        if getattr(again, name) is not value:
            raise BackwardError(
                f"{function.label}.forward keeps self.{name} for its backward, so it cannot be "
                "differentiated again: its second derivative would be wrong. Let backward start "
                "from self.input and self.output instead",
                function,
            )


def _may_vary(value: object) -> bool:
    """Tell whether `value` holds numbers that vary with the inputs, as shapes and masks do not."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fcO"
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return any(map(_may_vary, value))
    return isinstance(value, (float, np.floating, Variable))


def check_unchanged(y: Variable) -> None:
    """Refuse to go through the function that made `y` with other data than it had.

    Raises
    ------
    BackwardError
        When ``data`` of an input or output was assigned after the call.
    """
    function: Any = y.creator
    for v in (*function.inputs, *function.outputs):
        if v is not None and v._assigned_at > function._called_at:
            raise BackwardError(
                f"the data of {v.name or 'a variable'} was assigned after {function.label} had "
                "used it, so the gradient would belong to values that are no longer there: assign "
                "data before the forward pass or after backward()",
                function,
            )
