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
    from ipygrad.engine.core import Array
    from ipygrad.explain.products import Slope

    Slopes = Callable[[BareStep], Sequence[Slope]]

MOST_PATHS = 8
MOST_EDGES = 8
"""Of a longer path the middle is left out where it is shown."""


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
        What arrives there along this path alone; None where backward fails.
    last
        Its last edge, None at the result.
    before
        The path without its last edge.
    first
        Its first edges, at most `MOST_EDGES`.
    length
        Number of its edges.
    is_of_numbers
        Whether every edge has a slope.
    """

    contribution: Array | None
    last: Edge | None = None
    before: Path | None = None
    first: tuple[Edge, ...] = ()
    length: int = 0
    is_of_numbers: bool = True

    @cached_property
    def size(self) -> float:
        """Sum of the magnitudes of what arrives; what is not finite counts most."""
        if self.contribution is None:
            return 0.0
        size = float(np.sum(np.abs(self.contribution)))
        return size if math.isfinite(size) else math.inf

    def longer(self, edge: Edge, contribution: Array | None) -> Path:
        """Return the path with one more edge."""
        first = self.first if self.length >= MOST_EDGES else (*self.first, edge)
        is_of_numbers = self.is_of_numbers and edge.slope is not None
        return Path(contribution, edge, self, first, self.length + 1, is_of_numbers)

    def ends(self) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
        """Return all edges and nothing, or of a long path the first and the last ones."""
        if self.length <= MOST_EDGES:
            return self.first, ()
        tail: list[Edge] = []
        path: Path | None = self
        while path is not None and path.last is not None and len(tail) < MOST_EDGES // 2:
            tail.insert(0, path.last)
            path = path.before
        return self.first[: MOST_EDGES // 2], tuple(tail)


class Paths:
    """The paths to all variables of one pass, found together, in one walk along its steps.

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

    Attributes
    ----------
    counts
        For each variable that the pass reaches, by number, how many paths lead to it.
    """

    def __init__(self, graph: Graph, run: BackwardRun, slopes: Slopes) -> None:
        self._graph = graph
        result = graph.results[0]
        self.counts: Counter[int] = Counter({result: 1})
        self._kept: dict[int, list[Path]] = {result: [Path(run.cotangent)]}
        with np.errstate(all="ignore"):
            for step in run.steps:
                self._take(step, slopes(step))

    def to(self, variable: int) -> list[Path]:
        """Return the paths that contribute most to a variable, the largest first."""
        return nlargest(MOST_PATHS, self._kept.get(variable, []), key=lambda path: path.size)

    def _take(self, step: BareStep, slopes: Sequence[Slope]) -> None:
        node = self._graph.functions[step.function]
        reached = [argnum for argnum, c in enumerate(step.contributions) if c is not None]
        for position, output in enumerate(node.outputs):
            if output is None or output not in self.counts:
                continue
            for argnum in reached:
                self.counts[node.inputs[argnum]] += self.counts[output]
            for path in self._kept[output]:
                contributions = self._along(step, slopes, position, path)
                for argnum in reached:
                    slope = slopes[argnum]
                    number = float(slope) if slope is not None and np.ndim(slope) == 0 else None
                    x = node.inputs[argnum]
                    self._keep(x, path.longer(Edge(output, x, number), contributions[argnum]))

    def _keep(self, variable: int, path: Path) -> None:
        paths = self._kept.setdefault(variable, [])
        paths.append(path)
        if len(paths) > MOST_PATHS:
            self._kept[variable] = nlargest(MOST_PATHS, paths, key=lambda path: path.size)

    def _along(
        self, step: BareStep, slopes: Sequence[Slope], position: int, path: Path
    ) -> list[Array | None]:
        """Return what one path's gradient, arriving at one output, contributes to each input."""
        arriving = path.contribution
        if arriving is None:
            return [None] * len(step.contributions)
        if all(
            c is None or (slope is not None and np.ndim(slope) == 0 and not np.ndim(arriving))
            for slope, c in zip(slopes, step.contributions, strict=True)
        ):
            return [None if slope is None else np.asarray(arriving * slope) for slope in slopes]
        cotangents = [np.zeros_like(cotangent) for cotangent in step.cotangents]
        cotangents[position] = arriving
        function = self._graph.functions[step.function].function
        contributions: list[Array | None] = []
        with called_quietly(function) as own, suppress(Exception):
            returned = as_tuple(own.backward(*cotangents))
            contributions = [None if c is None else np.array(data_of(c)) for c in returned]
        return [*contributions, *[None] * len(step.contributions)][: len(step.contributions)]
