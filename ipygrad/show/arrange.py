"""Where the boxes of a drawing stand: ranks as columns, in each of them boxes below one another.

What is arranged are plain boxes with edges between them: the boxes of a graph drawn whole, or those
of one group of a graph that is folded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ipygrad.show.coordinates import place
from ipygrad.show.layering import layered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.show.layering import Edge, Layers
    from ipygrad.show.sizes import Size

Point = tuple[float, float]
Column = tuple[float, float]
"""Left and right end of a rank, px."""

MARGIN = 12.0
"""Free space around the drawing, px."""
BOX_GAP, EDGE_GAP, PASSING_GAP = 18.0, 10.0, 14.0
"""Least distance in a column between two boxes, two passing edges, an edge and a box, px."""
ROUNDING = 0.1
"""What rounding to 0.1 px can take away from a distance."""
RANK_GAP, MOST_RANK_GAP = 52.0, 140.0
"""Least and greatest distance between two columns, px."""
SLOPE = 5.0
"""How far an edge may climb for each px of the gap before the gap grows (to MOST_RANK_GAP)."""


class Line(NamedTuple):
    """An edge of a shape, px.

    Attributes
    ----------
    tail, head
        The boxes that it joins.
    ports
        Where on their sides it ends, from 0 at the top to 1.
    turns
        The end of the tail's column; beginning and end of each column between; the beginning of the
        head's column.
    levels
        How far down it passes each column between.
    bend
        How far to the side its steep parts stand, from -½ to ½ of a gap.
    position
        Which input or output of a function it is; 0 where none of its ends is a function.
    label
        What is written on it.
    label_at
        The middle of that; None without a label.
    """

    tail: int
    head: int
    ports: tuple[float, float]
    turns: tuple[float, ...]
    levels: tuple[float, ...]
    bend: float = 0.0
    position: int = 0
    label: str = ""
    label_at: Point | None = None


class Shape(NamedTuple):
    """A drawing as boxes and lines in which a front end can make room, px.

    Attributes
    ----------
    width, height
        Of all of it, margins included.
    boxes
        How far to the right the left side is, and how far down the middle; width and height. What
        may be opened is as wide as its column.
    lines
        Between the boxes.
    """

    width: float
    height: float
    boxes: tuple[tuple[float, float, float, float], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Arrangement:
    """Boxes in ranks and rows, px, rounded to 0.1; y runs downward.

    Attributes
    ----------
    sizes, edges
        Of the boxes, and between them.
    layers
        Boxes and dummies in ranks.
    rank, middles
        For each box and dummy the number of its rank, and how far down its middle stands.
    height
        Of the drawing, margins included.
    """

    sizes: Sequence[Size]
    edges: Sequence[Edge]
    layers: Layers
    rank: Sequence[int]
    middles: Sequence[float]
    height: float

    def columns(self, needs: Sequence[float] | None = None) -> list[Column]:
        """Give each rank its place, with at least the gap that it needs before it, px.

        Where edges climb high, the gap is wider.
        """
        columns: list[Column] = []
        layers, middles = self.layers, self.middles
        for nodes, least in zip(layers.order, needs or [RANK_GAP] * len(layers.order), strict=True):
            climbs = [
                abs(middles[node] - middles[other])
                for node in nodes
                for other, _, _ in layers.left[node]
            ]
            gap = max(least, min(max(climbs, default=0.0) / SLOPE, MOST_RANK_GAP))
            left = columns[-1][1] + gap if columns else MARGIN
            width = max(self.sizes[node][0] for node in nodes if node < layers.size)
            columns.append((round(left, 1), round(left + width, 1)))
        return columns

    def shape(self, columns: Sequence[Column]) -> Shape:
        """Return the drawing with such columns."""
        rank, middles = self.rank, self.middles
        boxes = []
        for node, (width, height) in enumerate(self.sizes):
            left, right = columns[rank[node]]
            boxes.append((round((left + right - width) / 2, 1), middles[node], width, height))
        lines = []
        for edge, path in zip(self.edges, self.layers.paths, strict=True):
            passed = [x for node in path for x in columns[rank[node]]]
            ports = edge.tail_port + 0.5, edge.head_port + 0.5
            levels = tuple(middles[dummy] for dummy in path[1:-1])
            lines.append(Line(edge.tail, edge.head, ports, tuple(passed[1:-1]), levels))
        width = columns[-1][1] + MARGIN if columns else 2 * MARGIN
        return Shape(round(width, 1), self.height, tuple(boxes), tuple(lines))


def arrange(
    sizes: Sequence[Size],
    edges: Sequence[Edge],
    *,
    first: int | None = None,
    last: int | None = None,
    effort: float = 1.0,
) -> Arrangement:
    """Arrange boxes from left to right along their edges: the same boxes, the same arrangement.

    Parameters
    ----------
    sizes
        One for each box. One of no height is no box but the end of an edge.
    edges
        Between the boxes, by their numbers.
    first, last
        A box without edges to it that is to stand in the first rank, and one without edges from it
        that is to stand in the last.
    effort
        Share of the usual effort, where much is arranged at once.

    Raises
    ------
    ValueError
        If the edges form a cycle.
    """
    layers = layered(len(sizes), edges, first=first, last=last, effort=effort)
    heights = [height for _, height in sizes] + [0.0] * (len(layers.left) - len(sizes))

    def spacing(above: int, below: int) -> float:
        return _spacing(heights[above], heights[below])

    middles = place(layers, heights, spacing, effort)
    top = min((y - height / 2 for y, height in zip(middles, heights, strict=True)), default=0.0)
    # Rounded once, here: what is level stays level to the last digit.
    middles = [round(y - top + MARGIN, 1) for y in middles]
    bottoms = [y + height / 2 for y, height in zip(middles, heights, strict=True)]
    rank = [0] * len(heights)
    for number, nodes in enumerate(layers.order):
        for node in nodes:
            rank[node] = number
    return Arrangement(
        sizes, edges, layers, rank, middles, round(max(bottoms, default=MARGIN) + MARGIN, 1)
    )


def _spacing(above: float, below: float) -> float:
    """How far the middles of two neighbours in a column must be apart; an edge has no height."""
    gap = (EDGE_GAP, PASSING_GAP, BOX_GAP)[(above > 0) + (below > 0)]
    return (above + below) / 2 + gap + ROUNDING
