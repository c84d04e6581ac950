"""``--expect x.grad=3.2974``: what a graded cell has to leave behind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from IPython.core.error import UsageError

from ipygrad.engine.core import Variable
from ipygrad.explain.numbers import described, short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOLERANCE = 1e-3
"""Largest relative difference of an element from what is expected."""


class UnexpectedGradientError(AssertionError):
    """A gradient is another than the cell was to leave."""


class Expectation(NamedTuple):
    """What an expression should be after the cell; both are Python expressions."""

    gradient: str
    value: str


def read_expectation(text: str) -> Expectation:
    """Read ``x.grad=3.2974``.

    Raises
    ------
    UsageError
        When it is anything else than two expressions, the first of which ends in ``.grad``.
    """
    gradient, _, value = (part.strip() for part in text.partition("="))
    try:
        named = ast.parse(gradient, mode="eval").body
        ast.parse(value, mode="eval")
    except SyntaxError:
        named = None
    if not (isinstance(named, ast.Attribute) and named.attr == "grad"):
        raise UsageError(
            f"--expect needs a gradient and its value, as in x.grad=3.2974, not {text}"
        )
    return Expectation(gradient, value)


def check_expectations(
    expectations: Sequence[Expectation], evaluate: Callable[[str, str], object], digits: int
) -> None:
    """Compare the gradients that a cell has left with what was expected of it.

    Parameters
    ----------
    expectations
        What should be.
    evaluate
        From an expression and the name of its option to its value.
    digits
        Significant digits of the numbers in the message.

    Raises
    ------
    UnexpectedGradientError
        When a gradient is missing, has another shape, or differs by more than one part in 1,000.
    UsageError
        When an expression cannot be evaluated, or is no number.
    """
    for gradient, value in expectations:
        found = _array(evaluate(gradient, "--expect"))
        expected = _array(evaluate(value, "--expect"))
        if expected is None:
            raise UsageError(f"--expect {gradient}={value}: the value is not a number or an array")
        if found is None:
            raise UnexpectedGradientError(
                f"{gradient} should be {short(expected, digits)}, but it holds no gradient"
            )
        if found.shape != expected.shape:
            raise UnexpectedGradientError(
                f"{gradient} should be {described(expected)}, but it is {described(found)}"
            )
        differs = ~np.isclose(found, expected, rtol=TOLERANCE, atol=0)
        if not differs.any():
            continue
        place = np.argwhere(differs)[0].tolist()
        where = f"{gradient}{place or ''}"
        at = tuple(place)
        raise UnexpectedGradientError(
            f"{where} should be {short(expected[at], digits)}, but it is {short(found[at], digits)}"
        )


def _array(value: object) -> np.ndarray | None:
    """Return real numbers as an array; None for anything else."""
    data = value.data if isinstance(value, Variable) else value
    try:
        array = np.asarray(data)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "biuf" else None
