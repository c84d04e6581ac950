"""The chain rule from the result to one variable: the product along every path, and their sum."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from heapq import nlargest
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ipygrad.capture.backward import final_gradients
from ipygrad.capture.quiet import called_quietly
from ipygrad.engine.core import Variable, as_tuple
from ipygrad.explain.formula import Formula, Product, Sum, Symbol
from ipygrad.explain.terms import Derivative, Equation, equal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.products import Slope
    from ipygrad.explain.words import Words

    Slopes = Callable[[BareStep], Sequence[Slope]]

MOST_PATHS = 8
MOST_FACTORS = 8
"""Of a longer path the middle is left out."""
TOLERANCE, ROUNDINGS = 1e-6, 8
"""How far the sum over the paths may be from the gradient, relative to the sum of their sizes: the
larger of this and so many roundings an edge."""
LARGEST_COUNT = 10**6
"""Above it a number of paths is told with a power of ten."""


@dataclass(frozen=True)
class Chain:
    """How a variable's gradient comes about.

    Attributes
    ----------
    heading
        ∂y/∂x.
    paths
        ∂y/∂b · ∂b/∂a · ∂a/∂x = 2.568 · 1.284 · 1 = 3.297, for at most eight paths, those that
        contribute most first.
    count
        Number of all paths.
    more
        "and 14 more paths", empty when all are there.
    total
        ∂y/∂x = 1 + 2 = 3, the sum over the paths; None for a single one. Where all paths are known
        and do not add up to what the pass found (some backward is not linear in the gradient
        arriving, say) it says so: ∂y/∂x = 6 ≠ 1 + 2 = 3.
    """

    heading: Formula
    paths: tuple[Formula, ...]
    count: int
    more: str
    total: Formula | None

    @property
    def text(self) -> str:
        """All of it in lines of plain text."""
        lines = [self.heading.text, *(f"  {path.text}" for path in self.paths)]
        lines += [f"  {self.more}"] if self.more else []
        lines += [] if self.total is None else [self.total.text]
        return "\n".join(lines)


class _Edge(NamedTuple):
    """From an output of a function to one of its inputs, with the slope where it is a number."""

    start: int
    end: int
    slope: float | None


@dataclass(frozen=True, eq=False)
class _Path:
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
        Its first edges, at most `MOST_FACTORS`.
    length
        Number of its edges.
    is_of_numbers
        Whether every edge has a slope.
    """

    contribution: Array | None
    last: _Edge | None = None
    before: _Path | None = None
    first: tuple[_Edge, ...] = ()
    length: int = 0
    is_of_numbers: bool = True

    @cached_property
    def size(self) -> float:
        """Sum of the magnitudes of what arrives; what is not finite counts most."""
        if self.contribution is None:
            return 0.0
        size = float(np.sum(np.abs(self.contribution)))
        return size if math.isfinite(size) else math.inf

    def longer(self, edge: _Edge, contribution: Array | None) -> _Path:
        """Return the path with one more edge."""
        first = self.first if self.length >= MOST_FACTORS else (*self.first, edge)
        is_of_numbers = self.is_of_numbers and edge.slope is not None
        return _Path(contribution, edge, self, first, self.length + 1, is_of_numbers)

    def ends(self) -> tuple[tuple[_Edge, ...], tuple[_Edge, ...]]:
        """Return all edges and nothing, or of a long path the first and the last ones."""
        if self.length <= MOST_FACTORS:
            return self.first, ()
        tail: list[_Edge] = []
        path: _Path | None = self
        while path is not None and path.last is not None and len(tail) < MOST_FACTORS // 2:
            tail.insert(0, path.last)
            path = path.before
        return self.first[: MOST_FACTORS // 2], tuple(tail)


class Chains:
    """The chains of all variables of one pass: found together, in one walk along its steps.

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

    def __init__(self, words: Words, graph: Graph, run: BackwardRun, slopes: Slopes) -> None:
        self._words = words
        self._graph = graph
        self._found = final_gradients(graph, run)
        result = graph.results[0]
        self._start = run.cotangent
        self._counts: Counter[int] = Counter({result: 1})
        self._paths: dict[int, list[_Path]] = {result: [_Path(run.cotangent)]}
        with np.errstate(all="ignore"):
            for step in run.steps:
                self._take(step, slopes(step))

    def _take(self, step: BareStep, slopes: Sequence[Slope]) -> None:
        node = self._graph.functions[step.function]
        reached = [argnum for argnum, c in enumerate(step.contributions) if c is not None]
        for position, output in enumerate(node.outputs):
            if output is None or output not in self._counts:
                continue
            for argnum in reached:
                self._counts[node.inputs[argnum]] += self._counts[output]
            for path in self._paths[output]:
                contributions = self._along(step, slopes, position, path)
                for argnum in reached:
                    slope = slopes[argnum]
                    number = float(slope) if slope is not None and np.ndim(slope) == 0 else None
                    x = node.inputs[argnum]
                    self._keep(x, path.longer(_Edge(output, x, number), contributions[argnum]))

    def _keep(self, variable: int, path: _Path) -> None:
        paths = self._paths.setdefault(variable, [])
        paths.append(path)
        if len(paths) > MOST_PATHS:
            self._paths[variable] = nlargest(MOST_PATHS, paths, key=lambda path: path.size)

    def _along(
        self, step: BareStep, slopes: Sequence[Slope], position: int, path: _Path
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
            contributions = [None if c is None else np.array(_data(c)) for c in returned]
        return [*contributions, *[None] * len(step.contributions)][: len(step.contributions)]

    def of(self, variable: int) -> Chain | None:
        """Return the chain of a variable, None where the pass does not reach it."""
        if variable not in self._found or variable not in self._paths:
            return None
        paths = nlargest(MOST_PATHS, self._paths[variable], key=lambda path: path.size)
        count = self._counts[variable]
        heading = Derivative(self._name(self._graph.results[0]), self._name(variable))
        total = self._total(heading, paths, count, self._found[variable])
        written = tuple(self._written(path) for path in paths)
        return Chain(heading, written, count, self._more(count - len(paths)), total)

    def _written(self, path: _Path) -> Formula:
        """Return a path's product in derivatives and, for numbers, in numbers."""
        result = self._graph.results[0]
        is_plain = bool(path.length) and bool(np.all(self._start == 1))
        start = _Edge(result, result, None)

        def product(factor: Callable[[_Edge], Formula], first: Formula) -> Formula:
            head, tail = ([factor(edge) for edge in edges] for edges in path.ends())
            factors = [
                *([] if is_plain else [first]),
                *head,
                *([Symbol("…")] if tail else []),
                *tail,
            ]
            return Product(tuple(factors), " · ") if len(factors) > 1 else factors[0]

        sides = [product(self._derivative, self._derivative(start))]
        if path.is_of_numbers and path.length > is_plain:
            sides.append(product(lambda edge: self._value(edge.slope), self._value(self._start)))
        return equal(*sides, self._value(path.contribution))

    def _derivative(self, edge: _Edge) -> Formula:
        return Derivative(self._name(edge.start), self._name(edge.end))

    def _total(
        self, heading: Formula, paths: Sequence[_Path], count: int, found: Array
    ) -> Formula | None:
        known = [path.contribution for path in paths if path.contribution is not None]
        is_complete = count == len(known)
        with np.errstate(all="ignore"):
            end = np.asarray(sum(known[1:], start=known[0])) if is_complete else found
        differs = not _is_close(end, found, paths)
        if count == 1 and not differs:
            return None
        terms: list[Formula] = [self._value(path.contribution) for path in paths]
        if count > len(paths):
            terms.append(Symbol("…"))
        added = [*([Sum(tuple(terms))] if len(terms) > 1 else []), self._value(end)]
        if not differs:
            return equal(heading, *added)
        sides = (heading, self._value(found), *added)
        return Equation(sides, ("=", "≠", *("=",) * (len(added) - 1)))

    def _more(self, count: int) -> str:
        if not count:
            return ""
        if count == 1:
            return self._words("chain_more_one")
        # A whole number may be too large for a float, or to be written out.
        magnitude = math.floor(math.log10(count))
        rounded = f"about 1e{magnitude}" if count > LARGEST_COUNT else f"{count:,}"
        return self._words("chain_more", count=rounded)

    def _name(self, variable: int) -> Symbol:
        return Symbol(self._graph.variables[variable].name)

    def _value(self, value: Array | float | None) -> Symbol:
        return Symbol(self._words.number(value), value)


def _is_close(total: Array, found: Array, paths: Sequence[_Path]) -> bool:
    """Tell whether a sum over paths is what the pass found, but for rounding."""
    roundings = ROUNDINGS * max(path.length for path in paths) * float(np.finfo(found.dtype).eps)
    relative = max(TOLERANCE, roundings)
    # The paths may cancel; what they are rounded to goes by their own size.
    size = sum(path.size for path in paths)
    absolute = relative * size if math.isfinite(size) else 0.0
    return np.allclose(total, found, relative, absolute, equal_nan=True)


def _data(contribution: object) -> object:
    return contribution.data if isinstance(contribution, Variable) else contribution


def chain_of(
    words: Words, graph: Graph, run: BackwardRun, variable: int, slopes: Slopes
) -> Chain | None:
    """Return how one variable's gradient comes about; for several variables use `Chains`.

    Parameters
    ----------
    variable
        Number of the variable in the graph.
    slopes
        For a step the local derivative for each input: a number, an array or None.

    Returns
    -------
    Chain or None
        None for a constant and for what the pass does not reach.
    """
    return Chains(words, graph, run, slopes).of(variable)
