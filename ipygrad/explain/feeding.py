"""Which elements of a function's inputs each element of its output is made of."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from ipygrad.capture.quiet import quietly
from ipygrad.explain.calls import call_at

if TYPE_CHECKING:
    from ipygrad.engine.core import Array, Function

MOST_ELEMENTS = 64
"""Of an array whose elements are told apart."""


def feeding(function: Function) -> tuple[Array, ...] | None:
    """Find what feeds each element of a function's output, by making one input after another nan.

    An element that turns to nan was computed from that input, also where its derivative is zero: so
    a weight of 0 or a unit that is off feeds what comes after it.

    Returns
    -------
    For each input an array of bool of shape (output's size, input's size). None where the function
    has several outputs, an array has more than `MOST_ELEMENTS`, or it cannot be called with nan.
    """
    arrays = [x.data for x in function.inputs]
    outputs = function.outputs
    if len(outputs) != 1 or outputs[0] is None:
        return None
    size = outputs[0].data.size
    if max(size, *(x.size for x in arrays)) > MOST_ELEMENTS:
        return None
    found = tuple(np.zeros((size, x.size), bool) for x in arrays)
    # What a user's forward makes of nan is its own affair.
    with suppress(Exception), quietly():
        usual = np.isnan(call_at(function, arrays).outputs[0].data)
        for argnum, x in enumerate(arrays):
            for element in range(x.size):
                probe = x.astype(np.float64)
                probe.flat[element] = np.nan
                at = [*arrays[:argnum], probe, *arrays[argnum + 1 :]]
                reached = np.isnan(call_at(function, at).outputs[0].data) & ~usual
                found[argnum][:, element] = reached.ravel()
        return found
    return None
