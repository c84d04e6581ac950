"""The local derivative of one function where it was called: a curve, a tangent, a slope.

The curve is found by calling copies of the function itself near the point, so a function that the
user wrote gets one too. How far around the point to look is decided by `_half_width`.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.quiet import called_quietly, private_copy, quietly
from ipygrad.engine.core import Variable, as_tuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipygrad.engine.core import Function

# Number of samples, for functions that take at most so many seconds a call; a slower one gets only
# its point.
POINTS = ((121, 0.002), (31, 0.02))
PROBES = 19
MOST_WINDOWS = 24
MOST_TURNS = 6


@dataclass(frozen=True, eq=False)
class Samples:
    """A function's curve near a point: arrays of shape (n,), nan where it is undefined."""

    u: np.ndarray
    """Where: values of the input, ascending."""
    f: np.ndarray
    """forward(u)."""
    slope: np.ndarray
    """backward's answer at u for a gradient of 1 arriving, in units of output per unit of input."""


@dataclass(frozen=True, eq=False)
class LocalDerivative:
    """What one function does to a small change of one of its inputs, the others held.

    Attributes
    ----------
    kind
        ``"curve"`` for a function of numbers.
    argnum
        Which input is varied, counted from 0.
    label, x_name, y_name
        What the function, its input and its output are called.
    x, y
        The recorded point.
    slope
        dy/dx there according to the recorded function's own backward, in units of output per unit
        of input; nan when backward raises.
    samples
        The curve around x; x itself is among them. Empty when x is not finite.
    arity
        How many inputs the function has.
    """

    kind: str
    argnum: int
    label: str
    x_name: str
    y_name: str
    x: float
    y: float
    slope: float
    samples: Samples
    arity: int = 1


def local_derivative(
    function: Function, argnum: int, *, x_name: str, y_name: str, label: str
) -> LocalDerivative | None:
    """Find the local derivative of a recorded function with respect to its input `argnum`.

    The function itself is never called: copies of it are, as `ipygrad.capture.quiet.quietly` does,
    and an exception in one of these calls makes a gap in the curve. A function that takes more than
    2 ms a call is sampled at fewer points, one that takes more than 20 ms only at the recorded one.

    Parameters
    ----------
    function
        A function that has been called.
    argnum
        Which of its inputs to vary, counted from 0; the others keep their recorded values.
    x_name, y_name, label
        What to call the input, the output and the function.

    Returns
    -------
    LocalDerivative or None
        None when the function is not one of numbers: an input or output has axes, or there are
        several outputs.

    Raises
    ------
    IndexError
        When there is no input `argnum`.
    """
    x = function.inputs[argnum].data
    output = function.outputs[0] if len(function.outputs) == 1 else None
    if output is None or any(v.data.ndim for v in (*function.inputs, output)):
        return None
    with quietly():
        slope = math.nan
        with suppress(Exception):
            slope = _slope(private_copy(function), argnum, output.data)
        samples = _sample(function, argnum, float(x), slope)
    return LocalDerivative(
        kind="curve",
        argnum=argnum,
        label=label,
        x_name=x_name,
        y_name=y_name,
        x=float(x),
        y=float(output.data),
        slope=slope,
        samples=samples,
        arity=len(function.inputs),
    )


def local_slopes(function: Function) -> tuple[float | None, ...]:
    """Return the local derivative for each input of a recorded function, without its curve.

    None for a function of arrays or of several outputs, and where backward gives no number. There
    is one entry for each input, however many backward returns.
    """
    output = function.outputs[0] if len(function.outputs) == 1 else None
    count = len(function.inputs)
    if output is None or any(v.data.ndim for v in (*function.inputs, output)):
        return (None,) * count
    slopes: list[float | None] = []
    with called_quietly(function) as own, suppress(Exception):
        contributions = as_tuple(own.backward(np.ones_like(output.data)))
        slopes += [None if c is None else _number(c) for c in contributions]
    return tuple([*slopes, *[None] * count][:count])


def _number(contribution: Any) -> float:
    return float(contribution.data if isinstance(contribution, Variable) else contribution)


def _slope(function: Function, argnum: int, like: np.ndarray) -> float:
    """Ask backward what a gradient of 1 contributes to input `argnum`."""
    return _number(as_tuple(function.backward(np.ones_like(like)))[argnum])


def _call(function: Function, argnum: int, u: float) -> tuple[float, float]:
    """Compute output and slope with the input `argnum` set to `u`; what fails is nan."""
    f = slope = math.nan
    with suppress(Exception):
        copy = private_copy(function)
        varied = Variable(np.array(u, function.inputs[argnum].data.dtype))
        inputs = tuple(varied if i == argnum else v for i, v in enumerate(function.inputs))
        (y,) = as_tuple(copy.forward(*(v.data for v in inputs)))
        # Linked by hand: so it works inside no_grad, too, and goes unnoticed by `watching`.
        output = Variable(y)
        copy.inputs, copy.outputs = inputs, (output,)
        f = float(output.data)
        slope = _slope(copy, argnum, output.data)
    return f, slope


def _sample(function: Function, argnum: int, x: float, slope: float) -> Samples:
    if not math.isfinite(x):
        return Samples(np.empty(0), np.empty(0), np.empty(0))

    def call(u: float) -> tuple[float, float]:
        return _call(function, argnum, u)

    seconds = _seconds(call, x)
    if seconds > POINTS[0][1]:
        # A first call may be slow by accident, and the same cell is to give the same picture.
        seconds = min(seconds, _seconds(call, x))
    points = next((points for points, limit in POINTS if seconds <= limit), 1)
    half_width = _first_half_width(x)
    if points == POINTS[0][0]:
        half_width = _half_width(lambda u: call(u)[0], x, slope)
    u = x + half_width * (np.linspace(-1, 1, points) if points > 1 else np.zeros(1))
    f, slopes = np.array([call(value) for value in u.tolist()]).T
    f[~np.isfinite(f)] = np.nan
    slopes[~np.isfinite(slopes) | np.isnan(f)] = np.nan
    return Samples(u, f, slopes)


def _seconds(call: Callable[[float], object], x: float) -> float:
    start = perf_counter()
    call(x)
    return perf_counter() - start


def _first_half_width(x: float) -> float:
    return 1.5 * max(1.0, abs(x))


def _half_width(f: Callable[[float], float], x: float, slope: float) -> float:
    """Decide how far to both sides of `x` the picture reaches.

    The rule: start with 1.5 times the larger of 1 and abs(x), so that a number of ordinary size is
    seen together with 0, and take a quarter of it as long as the function is not calm there. When
    it is calm nowhere, the start stands.
    """
    half_width = first = _first_half_width(x)
    for _ in range(MOST_WINDOWS):
        window = np.linspace(x - half_width, x + half_width, PROBES)
        if _is_calm(np.array([f(u) for u in window.tolist()]), x, slope * half_width):
            return half_width
        half_width /= 4
    return first


def _is_calm(f: np.ndarray, x: float, rise: float) -> bool:
    """Tell whether a window shows what the function does around its middle.

    Parameters
    ----------
    f
        The function at equally spaced points, shape (PROBES,); not finite in gaps.
    x
        The middle of the window.
    rise
        How much the tangent rises from the middle to the edge, in units of f.
    """
    finite = f[np.isfinite(f)]
    middle = f[PROBES // 4 : -(PROBES // 4)]
    middle = middle[np.isfinite(middle)]
    if finite.size < PROBES // 4 or not middle.size:
        return False
    low, high = np.quantile(finite, (0.1, 0.9))
    leaves_at_once = math.isfinite(rise) and abs(rise) > 4 * (high - low)
    oscillates = np.count_nonzero(np.diff(np.sign(np.diff(finite)))) > MOST_TURNS
    # Much more happens at the edges than in the middle half. That is an explosion (exp at 50), but
    # no fault where the whole is of the size of the numbers at hand: far from a kink or a step,
    # these shall be seen (relu at -5, sigmoid at 20).
    spread, size = float(np.ptp(finite)), max(1.0, abs(float(f[PROBES // 2])))
    explodes = np.ptp(middle) < spread / 7 and not size / 10 < spread < 10 * max(size, abs(x))
    return not (leaves_at_once or oscillates or explodes)
