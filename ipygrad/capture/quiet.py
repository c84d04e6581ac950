"""Extra calls of a user's function, of which the user must not notice anything."""

from __future__ import annotations

import copy
import random
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from IPython.utils.capture import capture_output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipygrad.engine.core import Function

AnyFunction = TypeVar("AnyFunction", bound="Function")


@contextmanager
def quietly() -> Iterator[None]:
    """Run the block so that it leaves no trace on the user's screen or in the random state.

    What it prints, writes to stderr or displays is dropped, warnings and numpy's floating-point
    errors are ignored, and the global states of `numpy.random` and `random` are put back
    afterwards. Two such blocks in a row thus draw the same random numbers. Exceptions pass through,
    whatever their kind: what a failed call means is the caller's to say.

    Out of reach are a function's own effects elsewhere: files, globals, and what C code writes to
    the terminal.
    """
    python_state = random.getstate()
    # Learners' functions draw from the legacy global generator, so its state is the one to protect.
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
    try:
        with capture_output(), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


def private_copy(function: AnyFunction) -> AnyFunction:
    """Return a copy of `function` whose calls leave the original alone.

    Whatever it keeps on ``self`` is copied, except the Variables that it is linked to: the
    copy has the same `inputs` and `outputs`, and none of the outputs knows it as its creator. What
    cannot be copied in depth (an open file, say) is shared with the original. Call it inside
    `quietly`, it may run the user's code.
    """
    linked = (*function.inputs, *function.outputs)
    try:
        return copy.deepcopy(function, {id(variable): variable for variable in linked})
    except (TypeError, ValueError, RecursionError, AttributeError, copy.Error):
        return copy.copy(function)


@contextmanager
def called_quietly(function: AnyFunction) -> Iterator[AnyFunction]:
    """Give the block what it may call instead of `function`, so that the user notices nothing.

    The library's own functions keep nothing and say nothing, so they are given as they are, which
    makes a pass of 100,000 of them ten times quicker to describe.
    """
    if type(function).__module__.partition(".")[0] == __name__.partition(".")[0]:
        with np.errstate(all="ignore"):
            yield function
    else:
        with quietly():
            yield private_copy(function)
