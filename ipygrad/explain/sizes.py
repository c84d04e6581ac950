"""How large the gradient is along the pass, and where it dies or hardly gets through."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.capture.backward import BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.findings import Findings

SMALL = 0.05
"""Only a slope below this is looked at for saturation, which takes a curve."""
MOST_CURVES, LONG_CURVES = 100, 10
"""Of so many functions at most, the first ones: a curve takes a millisecond. In a pass that is too
long to be told in words it is fewer."""


class Sizes(NamedTuple):
    """The gradients that arrive, in the order of the pass; the start is the first.

    Attributes
    ----------
    largest
        The largest absolute value of an element; nan where there is none.
    low, high
        Powers of ten around all that are finite and not 0.
    dead
        Numbers of the steps of functions of one input that let nothing through.
    saturated
        And of those that stand on the flat part of their curve.
    """

    largest: list[float]
    low: int
    high: int
    dead: list[int]
    saturated: list[int]


def gradient_sizes(
    graph: Graph,
    cotangent: Array,
    steps: Sequence[BareStep],
    findings: Findings,
    most_curves: int = MOST_CURVES,
) -> Sizes:
    """Find how large the gradients are that arrive at functions.

    Parameters
    ----------
    cotangent
        What the pass started with.
    steps
        Those that are looked at: of a long pass the first ones.
    most_curves
        Of how many functions it is found out whether they are saturated.
    """
    largest = [_largest([cotangent]), *(_largest(step.cotangents) for step in steps)]
    with np.errstate(divide="ignore"):
        powers = np.log10(largest)
    powers = powers[np.isfinite(powers)]
    low, high = (floor(powers.min()), ceil(powers.max())) if powers.size else (0, 0)
    single = [step for step in steps if len(graph.functions[step.function].inputs) == 1]
    dead = {step.index: None for step in single if _is_dead(step)}
    small = [s for s in single if s.index not in dead and _is_small(findings.slopes(s)[0])]
    saturated = [s.index for s in small[:most_curves] if _is_flat(findings, s)]
    return Sizes(largest, low if low < high else low - 1, high, list(dead), saturated)


def _largest(arrays: Sequence[Array]) -> float:
    if len(arrays) == 1 and not arrays[0].ndim:
        return abs(float(arrays[0]))
    return float(max((np.abs(a).max() for a in arrays if a.size), default=np.nan))


def _is_dead(step: BareStep) -> bool:
    (contribution,) = step.contributions
    is_nothing = contribution is not None and not contribution.any()
    return is_nothing and any(cotangent.any() for cotangent in step.cotangents)


def _is_small(slope: object) -> bool:
    if isinstance(slope, float):
        return abs(slope) < SMALL
    return slope is not None and bool(np.all(np.abs(np.asarray(slope)) < SMALL))


def _is_flat(findings: Findings, step: BareStep) -> bool:
    (local,) = findings.local_derivatives(step)
    return local is not None and any(mark.kind == "flat" for mark in local.marks)
