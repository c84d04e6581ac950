"""Numbers for people: a few significant digits, and the exact value beside them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ipygrad.engine.core import Array

DIGITS = 4
_LONGEST_ROW = 4
_MOST_EXACT = 100
_PLAIN = 1e5
"""Python's own short form of a smaller number is ours, unless it has a power of ten."""


def short(value: Array | float | None, digits: int = DIGITS) -> str:
    """Return a number to `digits` significant digits, a dash for None; of a large array the shape.

    Whole digits before the point are kept up to a million; what is larger, or smaller than 0.0001,
    is written with a power of ten.
    """
    if value is None:
        return "–"
    array = np.asarray(value)
    if array.ndim == 0:
        return _number(float(array), digits)
    if array.ndim == 1 and 0 < array.size <= _LONGEST_ROW:
        return "[" + ", ".join(_number(float(element), digits) for element in array) + "]"
    return f"array {shape_text(array.shape)}"


@lru_cache(maxsize=1 << 12)
def _number(number: float, digits: int) -> str:
    if not math.isfinite(number):
        return str(number)
    text = f"{number:.{digits}g}"
    if "e" not in text and abs(number) < _PLAIN:
        return text if number else "0"
    mantissa, power = f"{number:.{digits - 1}e}".split("e")
    exponent = int(power)
    if not -4 <= exponent < 6:
        return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
    text = f"{number:.{max(digits - 1 - exponent, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact(value: Array | float | None) -> str:
    """Return all digits; of an array with more than 100 elements, its corners and shape.

    A negative zero is a plain 0 here, too.
    """
    if value is None:
        return "–"
    array = np.asarray(value)
    if array.ndim == 0:
        return repr(array.item() + 0.0)
    text = np.array2string(
        array + 0.0, separator=", ", threshold=_MOST_EXACT, floatmode="unique", edgeitems=2
    )
    return f"{text}, shape {shape_text(array.shape)}"


def described(value: object) -> str:
    """Say what a value is, for an error: "an ndarray of shape (3,)", "a str", "None"."""
    if value is None:
        return "None"
    name = type(value).__name__
    article = "an" if name == "ndarray" or name[0].lower() in "aeiou" else "a"
    shape = getattr(value, "shape", None)
    return f"{article} {name}" + (f" of shape {shape}" if isinstance(shape, tuple) else "")


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as Python writes it; empty for a number."""
    return str(shape) if shape else ""
