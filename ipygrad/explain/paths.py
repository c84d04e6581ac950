"""The paths of a pass from its result to each variable, and what arrives along each of them."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ipygrad.capture.quiet import called_quietly
from ipygrad.engine.core import as_tuple
from ipygrad.explain.calls import data_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array, Function
    from ipygrad.explain.products import Slope

    Slopes = Callable[[BareStep], Sequence[Slope]]

MOST_PATHS = 8
MOST_EDGES = 8
SHOWN_ENDS = MOST_EDGES // 2
"""Of a longer path the middle is left out where it is shown: it has so many edges at each end."""


class Edge(NamedTuple):
    """From an output of a function to one of its inputs, with the slope where it is a number."""

    start: int
    end: int
    slope: float | None


@dataclass(frozen=True, eq=False)
class Path:
    """A path from the result to a variable.

    Attributes
    ----------
    contribution
        What arrives there along this path alone; None where backward fails, or would have to run
        too often.
    head, tail
        All edges and nothing, or of a long path the first and the last ones.
    length
        Number of its edges.
    is_of_numbers
        Whether every edge has a slope.
    """

    contribution: Array | None
    head: tuple[Edge, ...]
    tail: tuple[Edge, ...]
    length: int
    is_of_numbers: bool

    @cached_property
    def size(self) -> float:
        """Sum of the magnitudes of what arrives; what is not finite counts most."""
        return _size(self.contribution)


@dataclass(frozen=True, eq=False)
class _Trail:
    """A path that is still walked.

    Attributes
    ----------
    last
        Its last edge, None at the result.
    before
        The path without its last edge.
    first
        Its first edges, at most `MOST_EDGES`.
    """

    contribution: Array | None
    last: Edge | None = None
    before: _Trail | None = None
    first: tuple[Edge, ...] = ()
    length: int = 0
    is_of_numbers: bool = True

    @cached_property
    def size(self) -> float:
        """That of the path."""
        return _size(self.contribution)

    def longer(self, edge: Edge, contribution: Array | None) -> _Trail:
        """Return the path with one more edge."""
        first = self.first if self.length >= MOST_EDGES else (*self.first, edge)
        is_of_numbers = self.is_of_numbers and edge.slope is not None
        return _Trail(contribution, edge, self, first, self.length + 1, is_of_numbers)

    def path(self) -> Path:
        """Return it as a path."""
        is_long = self.length > MOST_EDGES
        head = self.first[:SHOWN_ENDS] if is_long else self.first
        tail = self._tail() if is_long else ()
        return Path(self.contribution, head, tail, self.length, self.is_of_numbers)

    def _tail(self) -> tuple[Edge, ...]:
        tail: list[Edge] = []
        trail: _Trail | None = self
        while trail is not None and trail.last is not None and len(tail) < SHOWN_ENDS:
            tail.insert(0, trail.last)
            trail = trail.before
        return tuple(tail)


def _size(contribution: Array | None) -> float:
    if contribution is None:
        return 0.0
    size = float(np.sum(np.abs(contribution)))
    return size if math.isfinite(size) else math.inf


class Paths:
    """The paths to all variables of a small pass, found together, in one walk along its steps.

    The number of paths is the sum over the edges that lead to a variable of the numbers of paths to
    where they come from. In the same way each variable keeps the eight paths that contribute most.
    For numbers these are the largest of all, since the larger of two products stays so when both
    are multiplied; for arrays, where the magnitudes are summed, they are the largest of those that
    were kept so far. Along one path only the gradient is sent that arrives along it: so each step
    runs backward at most eight times for each output.

    Parameters
    ----------
    slopes
        For a step the local derivative for each input.
    """

    def __init__(self, graph: Graph, run: BackwardRun, slopes: Slopes) -> None:
        self._graph = graph
        result = graph.results[0]
        self._counts: Counter[int] = Counter({result: 1})
        self._kept: dict[int, list[_Trail]] = {result: [_Trail(run.cotangent)]}
        with np.errstate(all="ignore"):
            for step in run.steps:
                self._take(step, slopes(step))

    def to(self, variable: int) -> list[Path]:
        """Return the paths that contribute most to a variable, the largest first."""
        kept = self._kept.get(variable, [])
        return [trail.path() for trail in nlargest(MOST_PATHS, kept, key=lambda trail: trail.size)]

    def count(self, variable: int) -> int:
        """Return how many paths lead to a variable."""
        return self._counts[variable]

    def _take(self, step: BareStep, slopes: Sequence[Slope]) -> None:
        node = self._graph.functions[step.function]
        reached = [argnum for argnum, c in enumerate(step.contributions) if c is not None]
        for position, output in enumerate(node.outputs):
            if output is None or output not in self._counts:
                continue
            for argnum in reached:
                self._counts[node.inputs[argnum]] += self._counts[output]
            for trail in self._kept[output]:
                contributions = self._along(step, slopes, position, trail.contribution)
                for argnum in reached:
                    slope = slopes[argnum]
                    number = float(slope) if slope is not None and np.ndim(slope) == 0 else None
                    x = node.inputs[argnum]
                    self._keep(x, trail.longer(Edge(output, x, number), contributions[argnum]))

    def _keep(self, variable: int, trail: _Trail) -> None:
        trails = self._kept.setdefault(variable, [])
        trails.append(trail)
        if len(trails) > MOST_PATHS:
            self._kept[variable] = nlargest(MOST_PATHS, trails, key=lambda trail: trail.size)

    def _along(
        self, step: BareStep, slopes: Sequence[Slope], position: int, arriving: Array | None
    ) -> Sequence[Array | None]:
        """Return what one path's gradient, arriving at one output, contributes to each input."""
        if arriving is None:
            return [None] * len(step.contributions)
        if all(
            c is None or (slope is not None and np.ndim(slope) == 0 and not np.ndim(arriving))
            for slope, c in zip(slopes, step.contributions, strict=True)
        ):
            return [None if slope is None else np.asarray(arriving * slope) for slope in slopes]
        return sent_back(self._graph.functions[step.function].function, step, position, arriving)


def sent_back(
    function: Function, step: BareStep, position: int, arriving: Array
) -> Sequence[Array | None]:
    """Run a step's backward with a gradient at one of its outputs alone.

    Parameters
    ----------
    position
        Of the output among the function's.
    arriving
        The gradient, of that output's shape.

    Returns
    -------
    One contribution for each input, None where backward gives none or fails.
    """
    cotangents = [np.zeros_like(cotangent) for cotangent in step.cotangents]
    cotangents[position] = arriving
    contributions: list[Array | None] = []
    with called_quietly(function) as own, suppress(Exception):
        returned = as_tuple(own.backward(*cotangents))
        contributions = [None if c is None else np.array(data_of(c)) for c in returned]
    return [*contributions, *[None] * len(step.contributions)][: len(step.contributions)]
