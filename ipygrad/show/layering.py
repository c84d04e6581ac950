"""Order: where in its column each node of a directed acyclic graph stands, so that few edges cross.

The second phase of the layered method of Sugiyama, Tagawa and Toda (1981), with the median sweeps
and the exchanges of Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs"
(1993); the first is in `ranks`. Nodes are plain numbers; nothing here knows of variables, functions
or pixels.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil, inf
from typing import TYPE_CHECKING, NamedTuple

from ipygrad.show.ranks import shortest_ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

# Weight of the edge from a function to what it makes: that stands beside it.
MADE = 16
# Nodes (dummies included) that all sweeps together may visit. A graph is laid out while its reader
# waits, so a large one gets few sweeps and a small one as many as do any good.
EFFORT = 12_000
LEAST_SWEEPS, MOST_SWEEPS = 2, 12
# Sweeps in a row without progress after which another start is tried.
PATIENCE = 4
# Pairs of passes of exchanges over the best order in the end.
POLISH = 6


class Edge(NamedTuple):
    """An edge between two nodes.

    Attributes
    ----------
    tail, head
        The nodes.
    tail_port, head_port
        Where on a side of them it ends: -½ is the top, 0 the middle.
    weight
        How much it counts that it is short.
    """

    tail: int
    head: int
    tail_port: float = 0.0
    head_port: float = 0.0
    weight: int = 1


class Link(NamedTuple):
    """A piece of an edge as one of its two ends sees it."""

    node: int
    there: float
    here: float


@dataclass(frozen=True)
class Layers:
    """A graph in ranks, each linked to the next only: dummies stand in for long edges between.

    Attributes
    ----------
    size
        How many nodes are real; the numbers from there on are dummies.
    order
        The nodes of each rank, from the top down.
    left, right
        For each node its links to the rank before and to the rank after, by the port here.
    paths
        For each edge its nodes: tail, dummies, head.
    """

    size: int
    order: list[list[int]]
    left: list[list[Link]]
    right: list[list[Link]]
    paths: list[list[int]]


def layered(
    size: int,
    edges: Sequence[Edge],
    *,
    first: int | None = None,
    last: int | None = None,
    effort: float = 1.0,
) -> Layers:
    """Rank the nodes, break long edges by dummies and order the ranks so that few edges cross.

    Parameters
    ----------
    size
        Number of nodes; they are ``range(size)``.
    edges
        A directed acyclic graph; two nodes may have several edges.
    first, last
        A node without edges to it that is to stand in the first rank, and one without edges from
        it that is to stand in the last.
    effort
        Share of the usual effort, where many graphs are laid out at once.
    """
    pairs = [(edge.tail, edge.head) for edge in edges]
    weights = [edge.weight for edge in edges]
    rank = shortest_ranks(size, pairs, weights, first=first, last=last)
    left: list[list[Link]] = [[] for _ in range(size)]
    right: list[list[Link]] = [[] for _ in range(size)]
    paths = []
    for edge in edges:
        path = [edge.tail]
        for dummy_rank in range(rank[edge.tail] + 1, rank[edge.head]):
            path.append(len(rank))
            rank.append(dummy_rank)
            left.append([])
            right.append([])
        path.append(edge.head)
        paths.append(path)
        start = edge.tail_port
        for tail, head in pairwise(path):
            end = edge.head_port if head == edge.head else 0.0
            right[tail].append(Link(head, end, start))
            left[head].append(Link(tail, start, end))
            start = 0.0
    for links in (*left, *right):
        if len(links) > 1:
            links.sort(key=lambda link: link.here)
    layers = Layers(size, [[] for _ in range(max(rank, default=-1) + 1)], left, right, paths)
    _uncross(layers, rank, effort)
    return layers


def crossings(layers: Layers) -> int:
    """Count the pairs of links that cross; links that meet in a port do not."""
    position = _positions(layers)
    return sum(_crossings_after(nodes, layers.right, position) for nodes in layers.order[:-1])


def _positions(layers: Layers) -> list[float]:
    position = [0.0] * len(layers.left)
    for nodes in layers.order:
        for place, node in enumerate(nodes):
            position[node] = place
    return position


def _crossings_after(nodes: list[int], right: list[list[Link]], position: list[float]) -> int:
    """Count the inversions among the heads of links that are in the order of their tails."""
    heads: list[float] = []
    total = 0
    for node in nodes:
        links = right[node]
        if len(links) > 1:
            ends = sorted((here, position[head] + there) for head, there, here in links)
        else:
            ends = [(here, position[head] + there) for head, there, here in links]
        for _, end in ends:
            above = bisect_right(heads, end)
            total += len(heads) - above
            heads.insert(above, end)
    return total


def _uncross(layers: Layers, rank: Sequence[int], effort: float) -> None:
    """Order the ranks by sweeps from several starts, and keep the best order that was met."""
    best: list[list[int]] = []
    fewest = inf
    left = int(effort * EFFORT) // max(len(rank), 1)
    for from_leaves, mirrored in product((False, True), repeat=2):
        _depth_first(layers, rank, from_leaves=from_leaves)
        if mirrored:
            for nodes in layers.order:
                nodes.reverse()
        low, stale = inf, 0
        for sweep in range(MOST_SWEEPS):
            found = crossings(layers)
            if found < fewest:
                best, fewest = [list(nodes) for nodes in layers.order], found
            low, stale = (found, 0) if found < low else (low, stale + 1)
            if not fewest or stale == PATIENCE or (left <= 0 and sweep >= LEAST_SWEEPS):
                break
            forward = (from_leaves != mirrored) == (sweep % 2 == 0)
            _sweep(layers, forward=forward, ties_turn=sweep % 4 > 1)
            _exchange(layers, ties_turn=sweep % 2 == 1)
            left -= 1
        if not fewest or left <= 0:
            break
    layers.order[:] = [list(nodes) for nodes in best]
    for _ in range(ceil(effort * POLISH) if fewest else 0):
        # An exchange that gains nothing often makes room for one that does.
        _exchange(layers, ties_turn=True)
        _exchange(layers, ties_turn=False)
        found = crossings(layers)
        if found < fewest:
            best, fewest = [list(nodes) for nodes in layers.order], found
    layers.order[:] = best


def _depth_first(layers: Layers, rank: Sequence[int], *, from_leaves: bool) -> None:
    """Fill the ranks from one side, following links in the order of their ports.

    Going back from the last nodes, this draws a tree without crossings.
    """
    links, others = layers.left, layers.right
    if from_leaves:
        links, others = others, links
    for nodes in layers.order:
        nodes.clear()
    seen = [False] * len(rank)
    for first in range(layers.size):
        stack = [] if others[first] else [first]
        while stack:
            node = stack.pop()
            if not seen[node]:
                seen[node] = True
                layers.order[rank[node]].append(node)
                stack += [link.node for link in reversed(links[node])]


def _sweep(layers: Layers, *, forward: bool, ties_turn: bool) -> None:
    """Sort each rank by the medians of its nodes' neighbours in the rank before (or after)."""
    order = layers.order if forward else layers.order[::-1]
    links = layers.left if forward else layers.right
    position = _positions(layers)
    for nodes in order:
        medians = {}
        for node in nodes:
            near = links[node]
            if len(near) == 1:
                medians[node] = position[near[0].node] + near[0].there
            elif near:
                ends = sorted(position[other] + there for other, there, _ in near)
                middle = len(ends) // 2
                medians[node] = (ends[middle] + ends[~middle]) / 2
        moving = [node for node in nodes if node in medians]
        if ties_turn:
            moving.reverse()
        moving.sort(key=medians.__getitem__)
        successor = iter(moving)
        nodes[:] = [next(successor) if node in medians else node for node in nodes]
        for place, node in enumerate(nodes):
            position[node] = place


def _exchange(layers: Layers, *, ties_turn: bool) -> None:
    """Exchange neighbours in a rank wherever fewer links cross then (or as few: ties_turn)."""
    position = _positions(layers)
    for nodes in layers.order:
        for place in range(len(nodes) - 1):
            above, below = nodes[place], nodes[place + 1]
            gain = 0
            for links in (layers.left, layers.right):
                ends = [position[other] + there for other, there, _ in links[above]]
                for other, there, _ in links[below]:
                    end = position[other] + there
                    for start in ends:
                        gain += (start > end) - (start < end)
            if gain > 0 or (ties_turn and gain == 0):
                nodes[place], nodes[place + 1] = below, above
                position[below], position[above] = place, place + 1
