"""Does a function work element by element? Found by moving some elements, not by a list."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from ipygrad.engine import functions
from ipygrad.explain.broadcasting import is_repeated
from ipygrad.explain.calls import Call, call_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipygrad.engine.core import Array

MOST_SEPARATED = 4096
"""Up to so many elements every one is moved without every other; above, a random half."""
COSTLY = (functions.MatMul, functions.Linear)
"""Above that many elements these are known not to be elementwise; to test it would cost most."""
NUDGE = 0.05
"""Moved elements get another's value, and so much more of it, so that equal ones move, too."""


def elementwise_call(recorded: Call) -> Call | None:
    """Return a call whose inputs all have the output's shape, or None.

    Parameters
    ----------
    recorded
        A call with at least one output.

    Returns
    -------
    Call or None
        None when the function is not elementwise: it has several outputs, an input does not
        broadcast to the output's shape, or moving some elements changes the others' results. That
        is also how a forward that draws anew each time shows. `recorded` itself where nothing is
        broadcast, a call on broadcast copies otherwise; None when backward sums there all the same,
        as one does that a user wrote for just the shapes of the recorded call.
    """
    if len(recorded.outputs) != 1:
        return None
    shape = recorded.outputs[0].shape
    size = recorded.outputs[0].size
    if not size or not is_repeated(shape, *(x.shape for x in recorded.inputs)):
        return None
    if size > MOST_SEPARATED and isinstance(recorded.function, COSTLY):
        return None
    arrays = [np.array(np.broadcast_to(x.data, shape)) for x in recorded.inputs]
    with suppress(Exception):
        still = call_at(recorded.function, arrays)
        if _keeps_elements_apart(still, shape):
            if all(x.shape == shape for x in recorded.inputs):
                return recorded
            return None if _sums_always(still) else still
    return None


def _sums_always(still: Call) -> bool:
    """Tell whether backward hands back less than one number for each element."""
    with suppress(Exception):
        contributions = zip(still.inputs, still.contributions(), strict=True)
        return any(gx is not None and np.shape(gx) != x.shape for x, gx in contributions)
    return False


def _keeps_elements_apart(still: Call, shape: tuple[int, ...]) -> bool:
    (before,) = (y.data for y in still.outputs)
    if before.shape != shape:
        return False
    for moving in _halves(shape):
        after = None
        for nudge in (NUDGE, 0.0):
            # A function may raise outside its domain; the other elements' values are inside.
            with suppress(Exception):
                arrays = [_moved(x.data, moving, nudge) for x in still.inputs]
                (output,) = call_at(still.function, arrays).outputs
                after = output.data
                break
        if after is None or after.shape != shape:
            return False
        if not np.array_equal(after[~moving], before[~moving], equal_nan=True):
            return False
    return True


def _halves(shape: tuple[int, ...]) -> Iterator[Array]:
    """Yield masks; of any two elements each is at least once in a mask without the other."""
    size = int(np.prod(shape))
    if size <= MOST_SEPARATED:
        places = np.arange(size)
        halves = [places >> bit & 1 == 1 for bit in range((size - 1).bit_length())]
    else:
        halves = [np.random.default_rng(0).random(size) < 0.5]
    for half in halves:
        yield half.reshape(shape)
        yield ~half.reshape(shape)


def _moved(x: Array, moving: Array, nudge: float) -> Array:
    others = np.roll(x.ravel(), 1).reshape(x.shape)
    moved: Array = np.where(moving, others * (1 + nudge) + nudge, x).astype(x.dtype)
    return moved
