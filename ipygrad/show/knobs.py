"""Knobs: the numbers at the leaves of a graph that a reader may turn, and how far."""

from __future__ import annotations

from math import ceil, isfinite, log10
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array

MOST_KNOBS = 24
"""Of the numbers at the leaves so many, the first ones, have a knob."""


class Knob(NamedTuple):
    """One number of a leaf.

    Attributes
    ----------
    variable
        Number of the leaf.
    at
        Where in its data; () for a leaf that is a number.
    name
        ``x``, or ``w[0, 1]`` for an element.
    value
        What the cell gave it.
    bound
        The knob goes from minus this to this, at first.
    """

    variable: int
    at: tuple[int, ...]
    name: str
    value: float
    bound: float


def knobs_of(graph: Graph) -> tuple[list[Knob], int]:
    """Return the knobs of a graph, and how many numbers of leaves have none."""
    leaves = [node for node in graph.variables if node.kind == "leaf"]
    knobs: list[Knob] = []
    for node in leaves:
        for at in np.ndindex(node.value.shape):
            if len(knobs) == MOST_KNOBS:
                break
            name = f"{node.name}[{', '.join(map(str, at))}]" if at else node.name
            value = float(node.value[at])
            knobs.append(Knob(node.index, at, name, value, bound(value)))
    return knobs, sum(node.value.size for node in leaves) - len(knobs)


def bound(value: float) -> float:
    """Return 1, 2 or 5 times a power of ten: the first that is at least twice a value's size."""
    least = 2 * abs(value)
    if not isfinite(least):
        return abs(value) if isfinite(value) else 1.0
    if least == 0:
        return 1.0
    power = 10.0 ** (ceil(log10(least)) - 1)
    return next((times * power for times in (1, 2, 5) if times * power >= least), 10 * power)


def turned(graph: Graph, knobs: Sequence[Knob], values: Mapping[int, float]) -> dict[int, Array]:
    """Return the leaves, by number, whose knobs have been turned.

    Parameters
    ----------
    values
        By the place of a knob among `knobs`.
    """
    leaves: dict[int, Array] = {}
    for place, value in values.items():
        knob = knobs[place]
        leaf = leaves.setdefault(knob.variable, graph.variables[knob.variable].value.copy())
        leaf[knob.at] = value
    return leaves
