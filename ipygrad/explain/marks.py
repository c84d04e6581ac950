"""What is special on a function's curve: kinks, jumps, poles, and whether it is flat at the point.

Each candidate is an interval between two samples over which the curve does not do what the slopes
at its ends say. Halving it tells what it is: over a smooth piece the difference shrinks with the
interval, over a kink the slope's stays, over a jump the function's, at a pole it grows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ipygrad.explain.sampling import with_gaps

if TYPE_CHECKING:
    from ipygrad.engine.core import Array
    from ipygrad.explain.sampling import Sampler, Samples

MOST_MARKS = 8
HALVINGS = 40
ODD = 4
"""An interval is looked at when its misfit is so many times what is usual among its neighbours."""
NOTHING = 1e-6
"""A difference of so much of the largest value is none."""
FLAT = 0.01
"""Flat: the slope near the point is less than so much of the largest in the window."""
NEAR = 1 / 12
"""How far from the point it has to be flat, as a fraction of the window."""


BreakKind = Literal["kink", "jump", "pole"]
MarkKind = Literal[BreakKind, "flat"]


class Mark(NamedTuple):
    """Something to point at on a curve.

    Attributes
    ----------
    kind
        ``"kink"`` (the slope jumps), ``"jump"`` (the function does), ``"pole"`` (it grows without
        bound), or ``"flat"``.
    where
        The input there; for ``"flat"`` the recorded one.
    ratio
        For ``"flat"``: abs(slope) by the largest in the window; else nan.
    """

    kind: MarkKind
    where: float
    ratio: float = math.nan


def find_marks(sampler: Sampler, samples: Samples, x: float, slope: float) -> tuple[Mark, ...]:
    """Find what is special on a curve, in order of the input; at most 8 places, nearest to `x`."""
    u = samples.u
    if u.size < 3:
        return ()
    odd = _odd_intervals(samples)
    nearest = odd[np.argsort(np.abs(u[odd] + u[odd + 1] - 2 * x), kind="stable")][:MOST_MARKS]
    found = sorted(_identify(sampler, samples, nearest))
    marks: list[Mark] = []
    for where, kind in found:
        if not marks or where - marks[-1].where > 1e-6 * (u[-1] - u[0]):
            marks.append(Mark(kind, where))
    flat = _flatness(samples, x, slope, marks)
    return (*marks, *([] if flat is None else [Mark("flat", x, flat)]))


def _odd_intervals(samples: Samples) -> Array:
    """Return the indices of the intervals to look at."""
    u, f, slope = samples.u, samples.f, samples.slope
    with np.errstate(all="ignore"):
        misfit = np.abs(np.diff(f) - np.diff(u) * (slope[1:] + slope[:-1]) / 2)
        bend = np.abs(np.diff(slope))
        odd = _stands_out(misfit, np.nanmax(np.abs(f), initial=0.0))
        odd |= _stands_out(bend, np.nanmax(np.abs(slope), initial=0.0))
    odd |= np.isnan(f[1:]) != np.isnan(f[:-1])
    return np.flatnonzero(odd)


def _stands_out(values: Array, size: float) -> Array:
    """Tell which values are much larger than those two and three places away."""
    padded = np.pad(np.nan_to_num(values), 3, mode="edge")
    n = values.size
    around = [padded[3 + shift : 3 + shift + n] for shift in (-3, -2, 2, 3)]
    usual = np.sort(around, axis=0)[1:3].mean(axis=0)
    out: Array = values > ODD * usual + 1e-9 * size
    return out


def _identify(
    sampler: Sampler, samples: Samples, intervals: Array
) -> list[tuple[float, BreakKind]]:
    """Halve intervals, all at once, and say where and what is left, where something is."""
    u = samples.u
    sizes = _largest(samples.f), _largest(samples.slope)
    if not intervals.size:
        return []
    ends = np.array([u[intervals], u[intervals + 1]])
    # Axes: which end, forward or slope, which interval.
    first = values = np.array([with_gaps(sampler, end) for end in ends])
    half_way = values
    for turn in range(HALVINGS):
        middle = ends.mean(axis=0)
        value = np.array(with_gaps(sampler, middle))
        half = (ends[1] - ends[0]) / 2
        lower = _misfit(values[0], value, half) >= _misfit(value, values[1], half)
        ends = np.where(lower, [ends[0], middle], [middle, ends[1]])
        values = np.where(lower, [values[0], value], [value, values[1]])
        if turn == HALVINGS // 2:
            half_way = values
    found: list[tuple[float, BreakKind]] = []
    for k in range(intervals.size):
        kind = _kind(first[..., k], half_way[..., k], values[..., k], sizes)
        if kind is not None:
            where = float(ends[:, k].mean())
            found.append((0.0 if abs(where) < 1e-9 * (u[-1] - u[0]) else where, kind))
    return found


def _misfit(a: Array, b: Array, length: Array) -> Array:
    """Return how far two ends are from a curve that bends little; inf if only one is defined.

    What the slopes make of the length is compared with the difference, and they with each other.
    """
    with np.errstate(all="ignore"):
        misfit = np.abs(b[0] - a[0] - length * np.nan_to_num(a[1] + b[1]) / 2)
        misfit += length * np.abs(np.nan_to_num(b[1] - a[1]))
    is_edge = np.isnan(a[0]) != np.isnan(b[0])
    return np.where(is_edge, np.inf, np.where(np.isnan(misfit), -1, misfit))


def _kind(
    first: Array, half_way: Array, last: Array, sizes: tuple[float, float]
) -> BreakKind | None:
    """Name what the ends of an interval (rows: forward, slope in each) tell, when it has shrunk.

    `sizes` are the largest function and slope of the whole curve.
    """
    largest = [_largest(values[:, 0]) for values in (first, half_way, last)]
    grows = largest[2] > 1.2 * largest[1] and largest[2] > 1.5 * largest[0]
    if grows or largest[2] > 1e6 * max(sizes[0], largest[0]):
        return "pole"
    with np.errstate(all="ignore"):
        step, bend = np.abs(np.diff(last, axis=0))[0]
        first_step, first_bend = np.abs(np.diff(first, axis=0))[0]
    if step > max(0.5 * first_step, NOTHING * sizes[0]):
        return "jump"
    return "kink" if bend > max(0.3 * first_bend, NOTHING * sizes[1]) else None


def _largest(values: Array) -> float:
    return float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))


def _flatness(samples: Samples, x: float, slope: float, marks: list[Mark]) -> float | None:
    """Return abs(slope) by the largest in the window, None where it is not flat around `x`.

    Where the function jumps or has a pole, being flat elsewhere is no news.
    """
    if any(mark.kind != "kink" for mark in marks) or not math.isfinite(slope):
        return None
    u, steep = samples.u, np.abs(samples.slope)
    with np.errstate(all="ignore"):
        # A rise may be so steep that no sample lies on it.
        most = max(_largest(steep), _largest(np.diff(samples.f) / np.diff(u)))
    near = steep[np.abs(u - x) <= NEAR * (u[-1] - u[0])]
    is_flat = 0 < most < math.inf and max(abs(slope), _largest(near)) < FLAT * most
    return abs(slope) / most if is_flat else None
