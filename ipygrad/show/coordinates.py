"""Coordinates: how far down the nodes of a layered graph stand, so that its edges run level.

Every rank is moved as a whole to where its nodes are nearest to their neighbours, order and spacing
kept: an isotonic regression, by the pool-adjacent-violators algorithm (Barlow, Bartholomew, Bremner
and Brunk 1972). That leaves slight slopes; the lines of the drawing are then made level one by one.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ipygrad.show.layering import Layers

    # Who pulls, where it wants the node relative to its own middle (px), and how strongly.
    Pull = tuple[int, float, float]
    Neighbour = tuple[int, float]

# Nodes (dummies included) that all sweeps together may move; see layering.EFFORT.
EFFORT = 24_000
LEAST_SWEEPS, MOST_SWEEPS = 4, 16
# A long edge wants to be level more than a short one: by how many ends of a link are dummies.
STRENGTHS = (1.0, 2.0, 8.0)
# And so does a link between two nodes that have no other on that side.
LINE = 4.0
# What ranks are spread by beyond what is asked, px: the play that lets lines be made level.
PLAY = 4.0


def place(
    layers: Layers,
    heights: Sequence[float],
    spacing: Callable[[int, int], float],
    effort: float = 1.0,
) -> list[float]:
    """Give the vertical position of the middle of each node, dummies included, in px downward.

    Parameters
    ----------
    layers
        The graph in ranks.
    heights
        Height of each node in px.
    spacing
        How far apart the middles of two neighbours in a rank must be at least, in px.
    effort
        Share of the usual effort, where many graphs are laid out at once.
    """
    count = len(layers.left)
    y = [0.0] * count
    offsets = [0.0] * count
    for nodes in layers.order:
        for above, below in pairwise(nodes):
            offsets[below] = offsets[above] + spacing(above, below) + PLAY
        for node in nodes:
            y[node] = offsets[node] - offsets[nodes[-1]] / 2
    left, right = _pulls(layers, heights)
    both = [near + far for near, far in zip(left, right, strict=True)]
    sweeps = min(MOST_SWEEPS, max(LEAST_SWEEPS, int(effort * EFFORT) // max(count, 1)))
    for sweep in range(sweeps):
        forward = sweep % 2 == 1
        pulls = both if 2 * sweep >= sweeps else left if forward else right
        for nodes in layers.order if forward else reversed(layers.order):
            _settle(nodes, y, offsets, pulls)
    lines = _lines(layers)
    spread = _Spread(layers, y, offsets, left, right)
    for sweep in range(max(2, sweeps // 2)):
        for line in lines if sweep % 2 else reversed(lines):
            spread.straighten(line)
    return y


def _pulls(layers: Layers, heights: Sequence[float]) -> tuple[list[list[Pull]], list[list[Pull]]]:
    """Turn the links to the left and to the right of each node into wishes to stand level with."""
    left: list[list[Pull]] = [[] for _ in heights]
    right: list[list[Pull]] = [[] for _ in heights]
    for tail, links in enumerate(layers.right):
        for head, there, here in links:
            strength = STRENGTHS[(tail >= layers.size) + (head >= layers.size)]
            if len(links) == len(layers.left[head]) == 1:
                strength = max(strength, LINE)
            shift = here * heights[tail] - there * heights[head]
            left[head].append((tail, shift, strength))
            right[tail].append((head, -shift, strength))
    return left, right


def _settle(
    nodes: Sequence[int], y: list[float], offsets: Sequence[float], pulls: Sequence[Sequence[Pull]]
) -> None:
    """Move one rank to where the sum of squared distances from its nodes' wishes is least."""
    blocks: list[tuple[float, float, int]] = []
    for node in nodes:
        weight = wish = 0.0
        for other, shift, strength in pulls[node]:
            weight += strength
            wish += strength * (y[other] + shift)
        if weight:
            mean = wish / weight - offsets[node]
        else:
            weight, mean = STRENGTHS[0] / 16, y[node] - offsets[node]
        size = 1
        while blocks and blocks[-1][0] > mean:
            above, heavy, many = blocks.pop()
            mean = (above * heavy + mean * weight) / (heavy + weight)
            weight += heavy
            size += many
        blocks.append((mean, weight, size))
    levels = [mean for mean, _, size in blocks for _ in range(size)]
    for node, level in zip(nodes, levels, strict=True):
        y[node] = level + offsets[node]


def _lines(layers: Layers) -> list[list[int]]:
    """Divide the nodes into paths without a branch, as long as can be: what could be level."""
    follower: dict[int, int] = {}
    for node, near in enumerate(layers.right):
        if len(near) == 1 and near[0].here == near[0].there == 0:
            head = near[0].node
            if len(layers.left[head]) == 1:
                follower[node] = head
    inner = set(follower.values())
    lines = []
    for nodes in layers.order:
        for node in nodes:
            if node not in inner:
                line = [node]
                while line[-1] in follower:
                    line.append(follower[line[-1]])
                lines.append(line)
    return lines


class _Spread:
    """Moves lines within the free space that the neighbours in their ranks leave them."""

    def __init__(
        self,
        layers: Layers,
        y: list[float],
        offsets: Sequence[float],
        left: Sequence[Sequence[Pull]],
        right: Sequence[Sequence[Pull]],
    ) -> None:
        self.size, self.y, self.left, self.right = layers.size, y, left, right
        self.above: list[Neighbour | None] = [None] * len(y)
        self.below: list[Neighbour | None] = [None] * len(y)
        for nodes in layers.order:
            for above, below in pairwise(nodes):
                distance = offsets[below] - offsets[above] - PLAY
                self.above[below] = above, distance
                self.below[above] = below, distance

    def straighten(self, line: Sequence[int]) -> None:
        """Lay a line in as few level runs as the free space allows."""
        start, low, high = 0, -inf, inf
        for place, node in enumerate(line):
            above, below = self.above[node], self.below[node]
            least = self.y[above[0]] + above[1] if above else -inf
            most = self.y[below[0]] - below[1] if below else inf
            if place > start and max(low, least) > min(high, most):
                self._level(line[start:place], low, high)
                start, low, high = place, -inf, inf
            low, high = max(low, least), min(high, most)
        self._level(line[start:], low, high)

    def _level(self, run: Sequence[int], low: float, high: float) -> None:
        """Put a run between two bounds where its ends want it."""
        pulls = (*self.left[run[0]], *self.right[run[-1]])
        if not pulls:
            return
        wishes = [self.y[other] + shift for other, shift, _ in pulls]
        level = sum(wishes) / len(wishes)
        if run[0] >= self.size and run[-1] >= self.size:
            # Level with one end, an edge bends once instead of twice.
            level = next((wish for wish in wishes if low <= wish <= high), level)
        level = min(max(level, low), high)
        for node in run:
            self.y[node] = level
