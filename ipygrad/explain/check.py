"""Does a function's backward tell the truth? Its contributions beside differences of its forward.

The function is called forward a few times near the recorded inputs. The change of its outputs along
one random direction, weighted by the gradient arriving, must be the change that the contributions
promise. Forward runs twice for each input where the two agree; where they do not, up to 20 times
more, to find out whether the difference is to be trusted and what the slip may be.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ipygrad.capture.quiet import called_quietly
from ipygrad.engine.core import as_array, as_tuple
from ipygrad.engine.mode import no_grad

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipygrad.capture.backward import BareStep
    from ipygrad.engine.core import Array, Function

Status = Literal["agrees", "disagrees", "not checked"]
Reason = Literal[
    "random", "kink", "large", "not finite", "nothing arrives", "forward fails", "late", "off"
]
Slip = Literal[
    "sign", "factor", "gradient forgotten", "gradient squared", "local forgotten", "transposed",
    "swapped", "constant",
]  # fmt: skip

RELATIVE, ROUNDINGS = 1e-5, 100
"""How far the two may be apart, relatively: the larger of this and so many roundings in the
precision of the contribution."""
DIFFERENCES = ((1e-4, 2), (1e-3, 4), (1e-5, 4), (1e-7, 4))
"""Half the width, for elements of size 1 and less, and the order of the differences that are tried
until one agrees. The first is the cheapest, and enough where the function is smooth."""
SIDES = (1e-3, 1e-5)
"""How far to both sides a kink is looked for."""
MOST_ELEMENTS = 2**18
"""Of all inputs and outputs together; above, checking would take longer than a reader waits."""
LARGEST_FACTOR = 10
SURE = 1e-5
"""How near a contribution must be, relatively, to what a slip would give."""
ROUNDING = 8 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Check:
    """What a comparison of a step's contributions with differences of forward has shown.

    Attributes
    ----------
    status
        ``"agrees"``, ``"disagrees"`` or ``"not checked"``.
    reason
        Why it was not checked: ``"random"`` (forward draws random numbers), ``"kink"`` (the slopes
        to both sides differ), ``"large"``, ``"not finite"``, ``"nothing arrives"`` (0 times
        anything is 0) or ``"forward fails"``; else None.
    argnum
        The input for which they disagree most, counted from 0; None when they agree.
    ratio
        The contribution to it over what it should be, along one random direction for arrays; nan
        when that should be 0.
    slip
        What may have gone wrong, where that can be told: ``"sign"``, ``"factor"``, ``"gradient
        forgotten"`` (not multiplied by the gradient arriving), ``"gradient squared"``, ``"local
        forgotten"`` (the gradient arriving handed on as it is), ``"transposed"``, ``"swapped"``
        (with another input's contribution), ``"constant"`` (0 instead of a slope).
    slopes
        Measured local derivative for each input of a function of numbers, in units of output per
        unit of input; None for arrays, for constants and where it was not measured.
    """

    status: Status
    reason: Reason | None = None
    argnum: int | None = None
    ratio: float | None = None
    slip: Slip | None = None
    slopes: tuple[float | None, ...] = ()


def check_step(function: Function, step: BareStep) -> Check:
    """Compare the contributions of a step with central differences of its function's forward.

    Parameters
    ----------
    function
        The function whose turn it was. It is not called itself, unless it is one of the library,
        which keep nothing.
    step
        Its turn.

    Notes
    -----
    The differences are those of Abramowitz and Stegun, 25.3.4 and 25.3.6, of second and fourth
    order, in float64, along a direction whose elements have random signs and sizes; the seed is
    fixed.
    """
    contributions = step.contributions
    size = sum(x.size for x in function.inputs) + sum(c.size for c in step.cotangents)
    if size > MOST_ELEMENTS:
        return Check("not checked", "large")
    values = [*step.cotangents, *(c for c in contributions if c is not None)]
    if not all(np.isfinite(value).all() for value in values):
        return Check("not checked", "not finite")
    if not any(cotangent.any() for cotangent in step.cotangents):
        return Check("not checked", "nothing arrives")
    with called_quietly(function) as own, no_grad():
        found = [
            None if contribution is None else _compare(_Neighbourhood(own, argnum), step, argnum)
            for argnum, contribution in enumerate(contributions)
        ]
    slopes = tuple(None if comparison is None else comparison.slope for comparison in found)
    made = [comparison for comparison in found if comparison is not None]
    wrong = [comparison for comparison in made if comparison.status == "disagrees"]
    if wrong:
        worst = max(wrong, key=lambda comparison: comparison.off)
        return Check("disagrees", None, worst.argnum, worst.ratio, worst.slip, slopes)
    unclear = next((comparison for comparison in made if comparison.reason), None)
    if unclear is not None:
        return Check("not checked", unclear.reason, slopes=slopes)
    return Check("agrees", slopes=slopes)


@dataclass(frozen=True)
class _Comparison:
    """For one input; `off` is the relative difference."""

    argnum: int
    status: Status
    reason: Reason | None = None
    off: float = 0.0
    ratio: float = math.nan
    slip: Slip | None = None
    slope: float | None = None


class _Change(NamedTuple):
    """How the outputs change along a direction, in float64.

    Attributes
    ----------
    slopes
        Of each output, in units of output per unit of the direction.
    blur
        How far rounding in forward may throw each of them off.
    """

    slopes: list[Array]
    blur: list[Array]

    def weighted(self, weights: Sequence[Array]) -> float:
        return float(sum(np.sum(w * y) for w, y in zip(weights, self.slopes, strict=True)))

    def uncertainty(self, weights: Sequence[Array]) -> float:
        return float(sum(np.sum(np.abs(w) * y) for w, y in zip(weights, self.blur, strict=True)))


class _Neighbourhood:
    """A function's outputs near its recorded inputs, in float64; one input is moved."""

    def __init__(self, function: Function, argnum: int) -> None:
        self._function = function
        self._argnum = argnum
        self._inputs = [x.data.astype(np.float64) for x in function.inputs]
        x = self._inputs[argnum]
        self.direction = np.maximum(1.0, np.abs(x))
        if x.ndim:
            rng = np.random.default_rng(0)
            signs = rng.choice([-1.0, 1.0], size=x.shape)
            self.direction = signs * rng.uniform(0.5, 1, size=x.shape) * self.direction

    def outputs(self, move: Array | float) -> list[Array]:
        """Return the outputs with `move` added to the input."""
        # Copies, because a user's forward may work in place.
        arrays = [np.array(x) for x in self._inputs]
        arrays[self._argnum] += move
        return [as_array(y).astype(np.float64) for y in as_tuple(self._function.forward(*arrays))]

    def change(self, h: float, order: int) -> _Change:
        """Return the central difference of order 2, with steps of h, or 4, with 2 h as well."""
        moved = [self.outputs(steps * h * self.direction) for steps in (1, -1, 2, -2)[:order]]
        if order == 2:
            slopes = [(a - b) / (2 * h) for a, b in zip(*moved, strict=True)]
        else:
            slopes = [(8 * (a - b) - (c - d)) / (12 * h) for a, b, c, d in zip(*moved, strict=True)]
        return _Change(slopes, [ROUNDING / h * np.abs(y) for y in moved[0]])

    def side(self, h: float) -> _Change:
        """Return the difference to one side: ahead for a positive h, behind for a negative."""
        pairs = zip(self.outputs(h * self.direction), self.outputs(0.0), strict=True)
        return _Change([(y - y0) / h for y, y0 in pairs], [])

    def has_kink(self, weights: Sequence[Array]) -> bool:
        """Tell whether the slopes to both sides differ, and go on to do so nearer to the point."""
        gaps = []
        for h in SIDES:
            ahead, behind = self.side(h).weighted(weights), self.side(-h).weighted(weights)
            size = max(abs(ahead), abs(behind))
            gaps.append(abs(ahead - behind) / size if size else 0.0)
        # Of a smooth function the two come together as h shrinks, by its second derivative.
        return not gaps[1] < max(0.1 * gaps[0], 1e-3)

    def is_random(self) -> bool:
        """Tell whether forward gives something else when it runs again at the same point."""
        pairs = zip(self.outputs(0.0), self.outputs(0.0), strict=True)
        return not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _compare(near: _Neighbourhood, step: BareStep, argnum: int) -> _Comparison:
    contribution: Any = step.contributions[argnum]
    promised = float(np.sum(contribution * near.direction))
    size = float(np.sum(np.abs(contribution * near.direction)))
    relative = max(RELATIVE, ROUNDINGS * float(np.finfo(contribution.dtype).eps))
    first: _Change | None = None
    for h, order in DIFFERENCES:
        change, measured = None, math.nan
        with suppress(Exception):  # a user's forward may raise whatever it likes
            change = near.change(h, order)
            measured = change.weighted(step.cotangents)
        if change is None or not math.isfinite(measured):
            continue
        if order == 4:
            first = first or change
        tolerance = relative * max(size, abs(measured)) + change.uncertainty(step.cotangents)
        if abs(measured - promised) <= tolerance:
            return _Comparison(argnum, "agrees", slope=_slope(near, change))
    if first is None:
        return _Comparison(argnum, "not checked", "forward fails")
    if near.is_random():
        return _Comparison(argnum, "not checked", "random")
    if near.has_kink(step.cotangents):
        return _Comparison(argnum, "not checked", "kink")
    measured = first.weighted(step.cotangents)
    return _Comparison(
        argnum,
        "disagrees",
        off=abs(measured - promised) / max(size, abs(measured)),
        ratio=promised / measured if measured else math.nan,
        slip=_slip(near.direction, step, argnum, first),
        slope=_slope(near, first),
    )


def _slope(near: _Neighbourhood, change: _Change) -> float | None:
    if near.direction.ndim or len(change.slopes) > 1 or change.slopes[0].ndim:
        return None
    return float(change.slopes[0] / near.direction)


def _slip(direction: Array, step: BareStep, argnum: int, change: _Change) -> Slip | None:
    """Find the most likely mistake that would give just this contribution."""
    contribution: Any = step.contributions[argnum]
    cotangents = step.cotangents
    promised, right = float(np.sum(contribution * direction)), change.weighted(cotangents)

    def would_be(other: Array) -> bool:
        return math.isclose(float(np.sum(other * direction)), right, rel_tol=SURE)

    def is_with(weights: Sequence[Array], factor: float = 1.0) -> bool:
        return math.isclose(promised, factor * change.weighted(weights), rel_tol=SURE)

    others = [c for number, c in enumerate(step.contributions) if number != argnum]
    factors = [f for k in range(2, LARGEST_FACTOR + 1) for f in (k, -k, 1 / k, -1 / k)]
    tests: dict[Slip, Callable[[], bool]] = {
        "constant": lambda: not contribution.any(),
        "local forgotten": lambda: any(_alike(w, contribution) for w in cotangents),
        "gradient forgotten": lambda: is_with([np.ones_like(w) for w in cotangents]),
        "gradient squared": lambda: is_with([w * w for w in cotangents]),
        "sign": lambda: is_with(cotangents, -1.0),
        "transposed": lambda: (
            (contribution.ndim == 2 and contribution.shape == contribution.T.shape)
            and would_be(contribution.T)
        ),
        "swapped": lambda: any(
            c is not None and c.shape == contribution.shape and would_be(c) for c in others
        ),
        "factor": lambda: any(is_with(cotangents, factor) for factor in factors),
    }
    return next((slip for slip, holds in tests.items() if holds()), None)


def _alike(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=SURE, atol=0)
