"""Which part of a curve to show, and where its line is broken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.engine.core import Array

STEEPEST = 24
"""A rise of so many heights of the view over its width is a jump, not a curve."""
MANY = 100
"""Of more points than that a few may be out of view."""


def finite_slope(slope: float) -> float:
    """Replace an infinite slope by one that is drawn as a vertical line."""
    return math.copysign(1e300, slope) if math.isinf(slope) else slope


def view(
    f: Array, shown: Array, y: float, room_below: float, room_above: float
) -> tuple[float, float]:
    """Choose limits of the y axis: all of the curve, but for a few samples far from the others.

    Parameters
    ----------
    f
        The curve, without gaps.
    shown
        Values that have to be in view; of many, but for the outermost hundredth.
    y
        A value that has to be in view, unless it is not finite.
    room_below, room_above
        How much of the view must be left free below and above y, as a fraction.
    """
    # Limits are added and scaled: near the largest float that would overflow.
    f = np.clip(next(a for a in (f, shown, np.array([y])) if a.size), -1e300, 1e300)
    low, high = float(f.min()), float(f.max())
    most_low, most_high = np.quantile(f, (0.1, 0.9)).tolist()
    most = most_high - most_low
    if 0 < 3 * most < high - low:
        low, high = max(low, most_low - most / 2), min(high, most_high + most / 2)
    if shown.size:
        outermost = 0.01 if shown.size > MANY else 0.0
        ends = np.quantile(np.clip(shown, -1e300, 1e300), (outermost, 1 - outermost))
        low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    if math.isfinite(y):
        low, high = min(low, y), max(high, y)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        around = abs(high) / 2 or 0.5
        low, high = low - around, high + around
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    if math.isfinite(y):
        low = min(low, (y - room_below * high) / (1 - room_below))
        high = max(high, (y - room_above * low) / (1 - room_above))
    return low, high


def without_jumps(
    u: Array, f: Array, low: float, high: float, walls: Sequence[float] = ()
) -> tuple[Array, Array]:
    """Put a gap at walls, where the curve steps, and where it leaves the view to return beyond."""
    inside = np.clip(f, low, high)
    outside = f != inside
    jumps = np.abs(np.diff(inside / (high - low))) > STEEPEST / max(u.size, 1)
    at = np.flatnonzero(jumps & (outside[1:] == outside[:-1])) + 1
    at = np.union1d(at, np.searchsorted(u, walls)).astype(int)
    return np.insert(u, at, np.nan), np.insert(f, at, np.nan)
