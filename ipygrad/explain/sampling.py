"""A function's curve near a point: how far around it to look, and at how many places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipygrad.engine.core import Array

    Sampler = Callable[[Array], tuple[Array, Array]]
    """From places, shape (n,), to forward and slope there, each of shape (n,); nan in gaps."""

# Number of samples, for functions that take at most so many seconds a call; a slower one gets only
# its point.
POINTS = ((121, 0.002), (31, 0.02))
PROBES = 19
MOST_WINDOWS = 24
MOST_TURNS = 6


@dataclass(frozen=True, eq=False)
class Samples:
    """A function's curve near a point: arrays of shape (n,), nan where it is undefined."""

    u: Array
    """Where: values of the input, ascending."""
    f: Array
    """forward(u)."""
    slope: Array
    """backward's answer at u for a gradient of 1 arriving, in units of output per unit of input."""


def no_samples() -> Samples:
    """Return what a function has where no curve can be found."""
    return Samples(np.empty(0), np.empty(0), np.empty(0))


def sample(
    sampler: Sampler, x: float, slope: float, reach: tuple[float, float] | None = None
) -> Samples:
    """Sample a function around `x`, which is one of the samples.

    Parameters
    ----------
    sampler
        Calls the function.
    x
        The middle; nothing is sampled around what is not finite.
    slope
        The derivative there, which helps to choose a window.
    reach
        What the window has to contain besides; then x need not be in its middle.
    """
    if not math.isfinite(x):
        return no_samples()
    points = _affordable(sampler, x)
    half_width = _first_half_width(x)
    if points == POINTS[0][0]:
        half_width = _half_width(lambda u: sampler(u)[0], x, slope)
    if points == 1:
        u = np.array([x])
    elif reach is None:
        u = x + half_width * np.linspace(-1, 1, points)
    else:
        u = np.linspace(min(reach[0], x - half_width), max(reach[1], x + half_width), points)
    if points > 1:
        # A rounding error beside 0 or 1 is a place where log or arctanh is still defined.
        u = np.round(u, 12 - math.floor(math.log10(u[-1] - u[0])))
    u[np.argmin(np.abs(u - x))] = x
    return Samples(u, *with_gaps(sampler, u))


def with_gaps(sampler: Sampler, u: Array) -> tuple[Array, Array]:
    """Return forward and slope at `u`, nan where they are not finite or forward is not."""
    f, slopes = (np.array(values, float) for values in sampler(u))
    f[~np.isfinite(f)] = np.nan
    slopes[~np.isfinite(slopes) | np.isnan(f)] = np.nan
    return f, slopes


def _affordable(sampler: Sampler, x: float) -> int:
    """Return how many samples are worth their time."""
    seconds = _seconds(sampler, x)
    if seconds > POINTS[0][1]:
        # A first call may be slow by accident, and the same cell is to give the same picture.
        seconds = min(seconds, _seconds(sampler, x))
    return next((points for points, limit in POINTS if seconds <= limit), 1)


def _seconds(sampler: Sampler, x: float) -> float:
    start = perf_counter()
    sampler(np.array([x]))
    return perf_counter() - start


def _first_half_width(x: float) -> float:
    return 1.5 * max(1.0, abs(x))


def _half_width(f: Callable[[Array], Array], x: float, slope: float) -> float:
    """Decide how far to both sides of `x` the picture reaches.

    The rule: start with 1.5 times the larger of 1 and abs(x), so that a number of ordinary size is
    seen together with 0, and take a quarter of it as long as the function is not calm there. When
    it is calm nowhere, the start stands.
    """
    half_width = first = _first_half_width(x)
    for _ in range(MOST_WINDOWS):
        if _is_calm(f(np.linspace(x - half_width, x + half_width, PROBES)), x, slope * half_width):
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
