"""The chain rule from the result to one variable: the product along every path, and their sum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ipygrad.capture.backward import final_gradients, left_over
from ipygrad.explain.formula import Formula, Product, Sum, Symbol
from ipygrad.explain.largest_paths import LargestPaths
from ipygrad.explain.paths import Edge, Paths
from ipygrad.explain.terms import Derivative, Equation, equal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.paths import Path, Slopes
    from ipygrad.explain.words import Words

TOLERANCE, ROUNDINGS = 1e-6, 8
"""How far the sum over the paths may be from the gradient, relative to the sum of their sizes: the
larger of this and so many roundings an edge."""
MOST_WALKED = 300
"""Boxes of the largest graph whose paths are all found together: so many as are drawn whole."""
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
    edges
        For each of these paths the edge of each derivative that is written, in their order.
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
    edges: tuple[tuple[Edge, ...], ...]
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


class Chains:
    """The chains of all variables of one pass.

    Parameters
    ----------
    slopes
        For a step the local derivative for each input.
    """

    def __init__(self, words: Words, graph: Graph, run: BackwardRun, slopes: Slopes) -> None:
        self._words = words
        self._graph = graph
        self._start = run.cotangent
        held = left_over(graph, run)
        finals = final_gradients(graph, run)
        self._found = {x: g - held[x] if x in held else g for x, g in finals.items()}
        boxes = len(graph.variables) + len(graph.functions)
        kind = Paths if boxes <= MOST_WALKED else LargestPaths
        self._paths = kind(graph, run, slopes)

    def of(self, variable: int) -> Chain | None:
        """Return a variable's chain, None for a constant and what the pass does not reach."""
        paths = self._paths.to(variable)
        if not paths:
            return None
        count = self._paths.count(variable)
        heading = Derivative(self._name(self._graph.results[0]), self._name(variable))
        total = self._total(heading, paths, count, self._found[variable])
        return Chain(
            heading=heading,
            paths=tuple(self._written(path) for path in paths),
            edges=tuple(self._edges(path) for path in paths),
            count=count,
            more=self._more(count - len(paths)),
            total=total,
        )

    def _edges(self, path: Path) -> tuple[Edge, ...]:
        """Return the edges of the derivatives that are written; the first may be ∂y/∂y."""
        return (*([] if self._is_plain(path) else [self._start_edge]), *path.head, *path.tail)

    def _is_plain(self, path: Path) -> bool:
        """Tell whether ∂y/∂y = 1 at the start goes without saying."""
        return bool(path.length) and bool(np.all(self._start == 1))

    @property
    def _start_edge(self) -> Edge:
        result = self._graph.results[0]
        return Edge(result, result, None)

    def _written(self, path: Path) -> Formula:
        """Return a path's product in derivatives and, for numbers, in numbers."""
        is_plain = self._is_plain(path)

        def product(factor: Callable[[Edge], Formula], first: Formula) -> Formula:
            head, tail = ([factor(edge) for edge in edges] for edges in (path.head, path.tail))
            factors = [
                *([] if is_plain else [first]),
                *head,
                *([Symbol("…")] if tail else []),
                *tail,
            ]
            return Product(tuple(factors), " · ") if len(factors) > 1 else factors[0]

        sides = [product(self._derivative, self._derivative(self._start_edge))]
        if path.is_of_numbers and path.length > is_plain:
            sides.append(product(lambda edge: self._value(edge.slope), self._value(self._start)))
        return equal(*sides, self._value(path.contribution))

    def _derivative(self, edge: Edge) -> Formula:
        return Derivative(self._name(edge.start), self._name(edge.end))

    def _total(
        self, heading: Formula, paths: Sequence[Path], count: int, found: Array
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
        is_large = count > LARGEST_COUNT
        rounded = self._words("about", count=f"1e{magnitude}") if is_large else f"{count:,}"
        return self._words("chain_more", count=rounded)

    def _name(self, variable: int) -> Symbol:
        return Symbol(self._graph.variables[variable].name)

    def _value(self, value: Array | float | None) -> Symbol:
        return Symbol(self._words.number(value), value)


def _is_close(total: Array, found: Array, paths: Sequence[Path]) -> bool:
    """Tell whether a sum over paths is what the pass found, but for rounding."""
    roundings = ROUNDINGS * max(path.length for path in paths) * float(np.finfo(found.dtype).eps)
    relative = max(TOLERANCE, roundings)
    # The paths may cancel; what they are rounded to goes by their own size.
    size = sum(path.size for path in paths)
    absolute = relative * size if math.isfinite(size) else 0.0
    return np.allclose(total, found, relative, absolute, equal_nan=True)
