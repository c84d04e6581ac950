"""The paths to one variable of a large pass that contribute most, found when they are asked for."""

from __future__ import annotations

from heapq import heappop, heappush, nsmallest
from itertools import count
from math import isfinite, log, prod, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ipygrad.explain.paths import MOST_EDGES, MOST_PATHS, SHOWN_ENDS, Edge, Path, sent_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array
    from ipygrad.explain.paths import Slopes

MOST_SENT = 100
"""To find what arrives along the paths to a variable, backward runs at most so often."""
FARTHEST = 1e9
"""Logarithm that stands for those of 0 and of what is not finite, so that none is infinite."""


class _Route(NamedTuple):
    """The largest path to a variable, or the largest with a certain last edge.

    Attributes
    ----------
    before
        The largest path to where that edge comes from; None for the path of none, at the result.
    end
        Number of the variable.
    size
        Logarithm of the product of what the edges multiply the gradient with.
    slope
        The local derivative of the last edge, where it is a number.
    step, position, argnum
        Number of the step, and which output and input of its function the last edge joins.
    paths
        Number of all paths to the variable or, with that edge, of all to where it comes from.
    detours
        Last edges of routes for which to leave this one, those first that lose least.
    """

    before: _Route | None
    end: int
    size: float = 0.0
    slope: float | None = None
    step: int = 0
    position: int = 0
    argnum: int = 0
    paths: int = 1
    detours: tuple[_Detour, ...] = ()


class _Detour(NamedTuple):
    """A route beside the largest one, and by how much its product is smaller, as a logarithm."""

    loss: float
    route: _Route


class LargestPaths:
    """The largest paths to any variable of one pass.

    In a large graph it would take too long to keep the paths to every variable. So there is one
    walk along the functions, in which each variable keeps the largest path to it alone, how many
    there are, and the seven edges at which leaving that path loses least. The paths to a variable
    are then found best first, each from one before it by one more detour (Eppstein, Finding the k
    shortest paths, 1998, with logarithms for lengths).

    The size of a path is the product of what its edges multiply the gradient with: for numbers the
    local derivatives, so that these are the largest paths of all; for arrays, by how much the norm
    of what was contributed in the pass differs from that of what arrived. Largest and not shortest
    first, since the question is where a gradient comes from. Only along the paths that are found is
    the gradient sent that arrives along them alone.

    Parameters
    ----------
    slopes
        For a step the local derivative for each input.
    """

    def __init__(self, graph: Graph, run: BackwardRun, slopes: Slopes) -> None:
        self._graph = graph
        self._run = run
        self._start = run.cotangent
        result = graph.results[0]
        self._routes = {result: _Route(None, result)}
        # Of variables to which several edges lead, until all of these are known.
        self._others: dict[int, list[_Route]] = {}
        turns = {step.function: step for step in run.steps}
        with np.errstate(all="ignore"):
            # In a wrong order of turns, too, users come before what they use.
            for number in sorted(turns, reverse=True):
                step = turns[number]
                are_numbers = len(step.cotangents) == 1 and not step.cotangents[0].ndim
                self._take(step, slopes(step) if are_numbers else ())

    def count(self, variable: int) -> int:
        """Return how many paths lead to a variable."""
        route = self._route(variable)
        return 0 if route is None else route.paths

    def to(self, variable: int) -> list[Path]:
        """Return the paths that contribute most to a variable, the largest first."""
        route = self._route(variable)
        if route is None:
            return []
        sent: dict[tuple[int, int], Array | None] = {}
        with np.errstate(all="ignore"):
            paths = [self._path(edges, sent) for edges in _largest(route)]
        return sorted(paths, key=lambda path: path.size, reverse=True)

    def _take(self, step: BareStep, slopes: Sequence[float | Array | None]) -> None:
        """Go on from the outputs of a function to its inputs."""
        routes, node = self._routes, self._graph.functions[step.function]
        for position, output in enumerate(node.outputs):
            before = None if output is None else self._route(output)
            if before is None:
                continue
            size, paths, detours = before.size, before.paths, before.detours
            for argnum, contribution in enumerate(step.contributions):
                if contribution is None:
                    continue
                slope = slopes[argnum] if slopes else None
                if isinstance(slope, float):
                    factor = _log(slope)
                else:
                    slope = None
                    factor = _log_norm(contribution) - _log_norm(step.cotangents[position])
                end = node.inputs[argnum]
                found = _Route(
                    before, end, size + factor, slope, step.index, position, argnum, paths, detours
                )
                if end in routes:
                    self._others.setdefault(end, []).append(found)
                else:
                    routes[end] = found

    def _route(self, variable: int) -> _Route | None:
        """Return the largest path to a variable, once all edges that lead to it are known."""
        route = self._routes.get(variable)
        if route is not None and variable in self._others:
            routes = [route, *self._others.pop(variable)]
            best = max(routes, key=lambda one: one.size)
            own = [_Detour(best.size - one.size, one) for one in routes if one is not best]
            detours = nsmallest(MOST_PATHS - 1, (*best.detours, *own), key=lambda one: one.loss)
            route = self._routes[variable] = best._replace(
                paths=sum(one.paths for one in routes), detours=tuple(detours)
            )
        return route

    def _path(self, edges: Sequence[_Route], sent: dict[tuple[int, int], Array | None]) -> Path:
        slopes = [edge.slope for edge in edges if edge.slope is not None]
        is_of_numbers = len(slopes) == len(edges)
        contribution = (
            np.asarray(prod(slopes, start=self._start.item()))
            if is_of_numbers and not self._start.ndim
            else self._sent(edges, sent)
        )
        is_long = len(edges) > MOST_EDGES
        head = tuple(map(_edge, edges[:SHOWN_ENDS] if is_long else edges))
        tail = tuple(map(_edge, edges[-SHOWN_ENDS:] if is_long else ()))
        return Path(contribution, head, tail, len(edges), is_of_numbers)

    def _sent(
        self, edges: Sequence[_Route], sent: dict[tuple[int, int], Array | None]
    ) -> Array | None:
        """Send the gradient along one path; `sent` has what was found along those before it."""
        arriving: Array | None = self._start
        alone = [number for number, edge in enumerate(edges) if self._is_alone(edge)]
        if alone:
            # Up to there it is what the pass itself has sent.
            last = edges[alone[-1]]
            arriving = self._step(last).contributions[last.argnum]
            edges = edges[alone[-1] + 1 :]
        for edge in edges:
            key = id(arriving), id(edge)
            if key not in sent:
                if arriving is None or len(sent) == MOST_SENT:
                    return None
                sent[key] = self._through(edge, arriving)
            arriving = sent[key]
        return arriving

    def _through(self, edge: _Route, arriving: Array) -> Array | None:
        if edge.slope is not None and not arriving.ndim:
            return np.asarray(arriving * edge.slope)
        step = self._step(edge)
        function = self._graph.functions[step.function].function
        return sent_back(function, step, edge.position, arriving)[edge.argnum]

    def _is_alone(self, edge: _Route) -> bool:
        """Tell whether nothing but one path has arrived where an edge comes from."""
        is_single = edge.before is None or edge.before.paths == 1
        return is_single and len(self._step(edge).cotangents) == 1

    def _step(self, edge: _Route) -> BareStep:
        return self._run.steps[edge.step - 1]


def _largest(route: _Route) -> list[list[_Route]]:
    """Return the edges of the largest paths to a variable, for each from the result on."""
    taken: list[tuple[_Route, ...]] = [()]
    waiting: list[tuple[float, int, tuple[_Route, ...], tuple[_Detour, ...], int]] = []
    order = count()

    def offer(loss: float, before: tuple[_Route, ...], among: tuple[_Detour, ...], i: int) -> None:
        if i < len(among):
            heappush(waiting, (loss + among[i].loss, next(order), before, among, i))

    offer(0.0, (), route.detours, 0)
    while waiting and len(taken) < MOST_PATHS:
        loss, _, before, among, i = heappop(waiting)
        detour = among[i]
        taken.append((*before, detour.route))
        offer(loss - detour.loss, before, among, i + 1)
        offer(loss, taken[-1], detour.route.detours, 0)
    return [_edges(route, detours) for detours in taken]


def _edges(route: _Route, detours: Sequence[_Route]) -> list[_Route]:
    """Return the edges of the path that leaves the largest one for some detours, the last first."""
    edges: list[_Route] = []
    coming = iter((*detours, None))
    detour = next(coming)
    last: _Route | None = route
    while last is not None:
        if detour is not None and last.end == detour.end:
            last, detour = detour, next(coming)
        edges.append(last)
        last = last.before
    # The first one is that of none, at the result.
    return edges[-2::-1]


def _edge(route: _Route) -> Edge:
    start = route if route.before is None else route.before
    return Edge(start.end, route.end, route.slope)


def _log_norm(array: Array) -> float:
    return _log(sqrt(abs(np.vdot(array, array))))


def _log(number: float) -> float:
    """Return the logarithm of a number's magnitude, which is finite."""
    if isfinite(number):
        return log(abs(number)) if number else -FARTHEST
    return FARTHEST
