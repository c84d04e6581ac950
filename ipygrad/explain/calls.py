"""Calls of a recorded function's copies, of which the function and its variables learn nothing.

Everything here belongs inside `ipygrad.capture.quiet.quietly`: it may run the user's code.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ipygrad.capture.quiet import private_copy
from ipygrad.engine.core import Variable, as_tuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.engine.core import Array, Function


class Call(NamedTuple):
    """One call of a copy of a function.

    Attributes
    ----------
    function
        The copy, linked to the inputs and outputs below.
    inputs, outputs
        Held here because a function holds its outputs weakly.
    """

    function: Function
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]

    def contributions(self, cotangents: Sequence[Array] | None = None) -> tuple[Any, ...]:
        """Return what backward makes of the cotangents (ones by default), as it returns them."""
        if cotangents is None:
            cotangents = [np.ones_like(y.data) for y in self.outputs]
        return as_tuple(self.function.backward(*cotangents))

    def contribution(self, argnum: int, cotangents: Sequence[Array] | None = None) -> Array:
        """Return the contribution to one input, of its shape.

        Raises
        ------
        Exception
            Whatever backward raises; ValueError, TypeError or IndexError for what does not fit.
        """
        return fitted(self.contributions(cotangents)[argnum], self.inputs[argnum].shape)


def fitted(contribution: Any, shape: tuple[int, ...]) -> Array:
    """Return a contribution as an array of float64 of `shape`."""
    if contribution is None:
        raise TypeError("backward returned None for this input")
    array: Array = np.asarray(data_of(contribution), np.float64)
    return array if array.shape == shape == () else np.broadcast_to(array, shape)


def data_of(contribution: Any) -> Any:
    """Return what backward gave as an array or number, though it may be a Variable."""
    return contribution.data if isinstance(contribution, Variable) else contribution


def recorded_call(function: Function) -> Call:
    """Return the recorded call, with a copy in the function's place.

    What forward drew or kept on ``self`` stays as it was then. Only where an output is gone is
    forward run again; where that fails, the output is nan.
    """
    outputs = tuple(y for y in function.outputs if y is not None)
    if len(outputs) == len(function.outputs):
        return Call(_copy(function), function.inputs, outputs)
    with suppress(Exception):
        return call_at(function, [x.data for x in function.inputs])
    return Call(_copy(function), function.inputs, (Variable(np.nan),))


def call_at(function: Function, arrays: Sequence[Array]) -> Call:
    """Call a copy of a recorded function on other arrays; raise what its forward raises."""
    own = _copy(function)
    inputs = tuple(Variable(array) for array in arrays)
    # Linked by hand: so it works inside no_grad, too, and goes unnoticed by `watching`.
    outputs = tuple(Variable(y) for y in as_tuple(own.forward(*(x.data for x in inputs))))
    own.inputs, own.outputs = inputs, outputs
    return Call(own, inputs, outputs)


def _copy(function: Function) -> Function:
    # The library's functions keep nothing that a call changes, so their masks need no second copy.
    return private_copy(function) if function._is_free else copy.copy(function)
