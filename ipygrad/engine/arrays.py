"""What data may be: arrays of floating-point numbers, and how other data becomes that."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_REFUSED = {"U": "text", "S": "bytes", "c": "complex numbers", "O": "Python objects or None"}


def as_array(data: object, what: str = "Variable") -> Array:
    """Return `data` as an array of floating-point numbers; integers and booleans become float64.

    Raises
    ------
    TypeError
        For anything without a derivative: text, None, objects, complex numbers. `what` begins the
        sentence.
    """
    if type(data) is not np.ndarray:
        try:
            data = np.asarray(data)
        except ValueError as error:
            raise TypeError(
                f"{what} holds numbers in a rectangular array, but this {type(data).__name__} has "
                "rows of different lengths: make them equally long, or use one Variable for each"
            ) from error
    kind = data.dtype.kind
    if kind == "f":
        return data
    if kind in "iub":
        return data.astype(np.float64)
    raise TypeError(
        f"{what} holds real numbers, but got {_REFUSED.get(kind, data.dtype.name)}"
        f"{f': {data.item()!r}' if data.ndim == 0 else ''}. "
        "Pass a number, a list of numbers or a numpy array of numbers, such as np.array(0.5)"
    )


def without_axes(value: Any) -> Any:
    """Return an array of shape ``()`` as numpy's scalar, and anything else as it is.

    Scalars compute several times faster, and give the same digits on every way through the engine.
    """
    return value[()] if type(value) is np.ndarray and not value.ndim else value


_ONES = {np.dtype(kind): np.array(1, kind) for kind in "efdg"}


def one_minus(fresh: Any) -> Any:
    """Return 1 - `fresh`; an array that nobody else holds gives its memory for it.

    For 1,000 elements, memory for one more array takes about a fifth of the operation's time, and
    to look for the type that Python's own 1 shall have in numpy takes as long.
    """
    if type(fresh) is np.ndarray:
        return np.subtract(_ONES[fresh.dtype], fresh, fresh)
    return 1.0 - fresh
