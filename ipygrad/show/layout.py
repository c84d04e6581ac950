"""Where the boxes and edges of a graph are drawn: a layered layout from leaves (left) to results.

Each rank of the graph is a column. Edges run level through the columns, where boxes are, and bend
only in the gaps between them: so none can cross a box that it does not end at.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple
from unicodedata import east_asian_width

from ipygrad.show.coordinates import place
from ipygrad.show.labels import LABEL_COLUMN, LABEL_ROOM, place_labels
from ipygrad.show.layering import Edge, layered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.capture.graph import Graph
    from ipygrad.show.layering import Layers

Point = tuple[float, float]
Role = Literal["input", "output"]

NAME_COLUMNS = 18
"""Longest text of a row in a box, in columns of a terminal: a wide character takes two."""
COLUMN_WIDTH = 7.8
"""Estimated width of a column in the drawing's 13 px font, px."""
PADDING = 20.0
"""What a box is wider than its text, px."""
VARIABLE_HEIGHT, VARIABLE_WIDTH = 62.0, 96.0
"""Height and least width of a variable's box (three rows of text), px."""
FUNCTION_HEIGHT, FUNCTION_WIDTH = 34.0, 56.0
"""Least height and width of a function's box (one row of text), px."""
PORT_GAP = 8.0
"""Least distance between the ends of two edges on one side of a function's box, px."""
MARGIN = 12.0
"""Free space around the drawing, px."""
BOX_GAP, EDGE_GAP, PASSING_GAP = 18.0, 10.0, 14.0
"""Least distance in a column between two boxes, two passing edges, an edge and a box, px."""
ROUNDING = 0.1
"""What rounding to 0.1 px can take away from a distance."""
RANK_GAP, MOST_RANK_GAP = 52.0, 140.0
"""Least and greatest distance between two columns, px."""
STAGGER = 0.8
"""How far apart edges from one box to the top and bottom of another turn, as a share of the gap."""
SLOPE = 5.0
"""How far an edge may climb for each px of the gap before the gap grows (to MOST_RANK_GAP)."""


class Box(NamedTuple):
    """A rectangle in px, x and y being its top left corner."""

    x: float
    y: float
    width: float
    height: float


class EdgePath(NamedTuple):
    """The curve of one edge: a start point, then three points for each cubic Bezier piece.

    It runs from left to right: from the variable to the function for an input, from the function to
    the variable for an output. position says which input or output of the function it is, and label
    where the middle of its label stands; None where it has none, or no room for one.
    """

    function: int
    variable: int
    role: Role
    position: int
    points: tuple[Point, ...]
    label: Point | None = None


@dataclass(frozen=True)
class GraphLayout:
    """Coordinates of a graph's drawing, in px, rounded to 0.1; y runs downward.

    Attributes
    ----------
    width, height
        Size of the drawing, margins included.
    variables, functions
        Boxes in the order of the graph.
    edges
        Function by function, its inputs before its outputs. A dropped output has none.
    """

    width: float
    height: float
    variables: tuple[Box, ...]
    functions: tuple[Box, ...]
    edges: tuple[EdgePath, ...]


def text_columns(text: str) -> int:
    """Count the columns that a text takes in a terminal: two for a wide East Asian character."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def shorten(text: str, columns: int = NAME_COLUMNS) -> str:
    """Cut a text to a number of columns; an ellipsis, one of them, stands for what is missing."""
    if text_columns(text) <= columns:
        return text
    kept = ""
    free = columns - 1
    for character in text:
        free -= text_columns(character)
        if free < 0:
            break
        kept += character
    return kept.rstrip() + "…"


def lay_out(
    graph: Graph, texts: Sequence[str] | None = None, labels: Sequence[str] | None = None
) -> GraphLayout:
    """Lay a graph out from left to right: the same graph, the same drawing.

    Parameters
    ----------
    graph
        It may have several results, and parts that are not connected.
    texts
        What is shown as the value of each variable; None to make room for names only.
    labels
        What is written on the edges of each variable; None, or an empty text, for nothing.

    Raises
    ------
    ValueError
        If there is not one text or label for each variable, or the graph has a cycle.
    """
    texts = _one_each(graph, texts, "text")
    label_widths = [LABEL_COLUMN * text_columns(s) for s in _one_each(graph, labels, "label")]
    sizes = _sizes(graph, texts)
    ends, edges = _edges(graph)
    layers = layered(len(sizes), edges)
    heights = [height for _, height in sizes] + [0.0] * (len(layers.left) - len(sizes))
    middles = place(layers, heights, lambda above, below: _spacing(heights[above], heights[below]))
    tops = [y - height / 2 for y, height in zip(middles, heights, strict=True)]
    # Rounded once, here: what is level stays level to the last digit.
    middles = [round(y - min(tops) + MARGIN, 1) for y in middles]
    bottoms = [y + height / 2 for y, height in zip(middles, heights, strict=True)]
    rank = {node: place for place, nodes in enumerate(layers.order) for node in nodes}
    # A label stands in the gap beside its variable; a gap has the number of the rank after it.
    gaps = [
        rank[edge.tail] + 1 if role == "input" else rank[edge.head]
        for (_, _, role, _), edge in zip(ends, edges, strict=True)
    ]
    widths = [label_widths[variable] for _, variable, _, _ in ends]
    needs = [RANK_GAP] * len(layers.order)
    for gap, width in zip(gaps, widths, strict=True):
        needs[gap] = max(needs[gap], width + LABEL_ROOM)
    columns = _columns(layers, sizes, middles, needs)
    boxes = _boxes(layers, sizes, middles, columns)
    paths, crossed = [], []
    for end, edge, path, gap in zip(ends, edges, layers.paths, gaps, strict=True):
        function, variable, role, position = end
        waypoints = _waypoints(edge, path, boxes, middles, columns[rank[edge.tail] :])
        twin = graph.functions[function].inputs.count(variable) > 1
        bend = STAGGER * edge.head_port if twin else 0.0
        paths.append(EdgePath(function, variable, role, position, _curve(waypoints, bend)))
        before = 2 * (gap - rank[edge.tail]) - 1
        crossed.append(_curve(waypoints[before : before + 2], bend))
    count = len(graph.variables)
    return GraphLayout(
        width=round(columns[-1][1] + MARGIN, 1) if columns else 2 * MARGIN,
        height=round(max(bottoms, default=MARGIN) + MARGIN, 1),
        variables=tuple(boxes[:count]),
        functions=tuple(boxes[count:]),
        edges=tuple(
            path._replace(label=label)
            for path, label in zip(paths, place_labels(crossed, widths), strict=True)
        ),
    )


def _one_each(graph: Graph, given: Sequence[str] | None, what: str) -> Sequence[str]:
    """Return what is given for each variable; nothing for each when nothing is given."""
    count = len(graph.variables)
    if given is None:
        return [""] * count
    if len(given) != count:
        raise ValueError(f"lay_out needs a {what} for each of {count} variables, not {len(given)}.")
    return given


def _sizes(graph: Graph, texts: Sequence[str]) -> list[tuple[float, float]]:
    """Width and height of every box, variables before functions."""
    sizes = [
        (_width(VARIABLE_WIDTH, variable.name, text), VARIABLE_HEIGHT)
        for variable, text in zip(graph.variables, texts, strict=True)
    ]
    for function in graph.functions:
        ends = max(len(function.inputs), len(function.outputs))
        height = max(FUNCTION_HEIGHT, PORT_GAP * (ends + 1))
        sizes.append((_width(FUNCTION_WIDTH, function.label), height))
    return sizes


def _width(least: float, *rows: str) -> float:
    """Estimate how wide a box has to be for its rows of text, px."""
    columns = max(text_columns(shorten(row)) for row in rows)
    return max(least, round(columns * COLUMN_WIDTH + PADDING, 1))


def _edges(graph: Graph) -> tuple[list[tuple[int, int, Role, int]], list[Edge]]:
    """List the edges twice: what they mean, and which nodes they join (variables first)."""
    ends: list[tuple[int, int, Role, int]] = []
    edges = []
    for function in graph.functions:
        node = len(graph.variables) + function.index
        for position, variable in enumerate(function.inputs):
            ends.append((function.index, variable, "input", position))
            edges.append(Edge(variable, node, head_port=_port(position, len(function.inputs))))
        for position, output in enumerate(function.outputs):
            if output is not None:
                ends.append((function.index, output, "output", position))
                edges.append(Edge(node, output, tail_port=_port(position, len(function.outputs))))
    return ends, edges


def _port(position: int, count: int) -> float:
    """Spread ends evenly along a side, from -½ (its top) to +½ (its bottom)."""
    return (position + 1) / (count + 1) - 0.5


def _spacing(above: float, below: float) -> float:
    """How far the middles of two neighbours in a column must be apart; an edge has no height."""
    gap = (EDGE_GAP, PASSING_GAP, BOX_GAP)[(above > 0) + (below > 0)]
    return (above + below) / 2 + gap + ROUNDING


def _columns(
    layers: Layers,
    sizes: Sequence[tuple[float, float]],
    middles: Sequence[float],
    needs: Sequence[float],
) -> list[tuple[float, float]]:
    """Left and right end of each rank, with at least the gap that it needs before it.

    Where edges climb high, the gap is wider.
    """
    columns: list[tuple[float, float]] = []
    for nodes, least in zip(layers.order, needs, strict=True):
        climbs = [
            abs(middles[node] - middles[other])
            for node in nodes
            for other, _, _ in layers.left[node]
        ]
        gap = max(least, min(max(climbs, default=0.0) / SLOPE, MOST_RANK_GAP))
        left = columns[-1][1] + gap if columns else MARGIN
        width = max(sizes[node][0] for node in nodes if node < layers.size)
        columns.append((round(left, 1), round(left + width, 1)))
    return columns


def _boxes(
    layers: Layers,
    sizes: Sequence[tuple[float, float]],
    middles: Sequence[float],
    columns: Sequence[tuple[float, float]],
) -> list[Box]:
    """Stand every box in the middle of its column."""
    boxes = {}
    for nodes, (left, right) in zip(layers.order, columns, strict=True):
        for node in nodes:
            if node < layers.size:
                width, height = sizes[node]
                x, y = (left + right - width) / 2, middles[node] - height / 2
                boxes[node] = Box(round(x, 1), round(y, 1), width, height)
    return [boxes[node] for node in range(layers.size)]


def _waypoints(
    edge: Edge,
    path: Sequence[int],
    boxes: Sequence[Box],
    middles: Sequence[float],
    columns: Sequence[tuple[float, float]],
) -> list[Point]:
    """Where an edge enters and leaves the columns that it passes, in each of which it is level."""
    tail, head = boxes[edge.tail], boxes[edge.head]
    levels = [middles[node] for node in path]
    levels[0] = round(levels[0] + edge.tail_port * tail.height, 1)
    levels[-1] = round(levels[-1] + edge.head_port * head.height, 1)
    points = [(x, y) for y, column in zip(levels, columns, strict=False) for x in column]
    points[0] = round(tail.x + tail.width, 1), levels[0]
    points[1] = columns[0][1], levels[0]
    points[-1] = head.x, levels[-1]
    return points


def _curve(waypoints: Sequence[Point], bend: float) -> tuple[Point, ...]:
    """Join waypoints by level lines and S-shaped Bezier pieces that are level at both ends.

    bend (from -½ to ½) moves the steep part of each S to the side, so that two edges between the
    same two boxes do not run into one another: that to the higher port stays above the other.
    """
    corners = [waypoints[0]]
    for point, after in zip(waypoints[1:], [*waypoints[2:], None], strict=True):
        level = after is not None and corners[-1][1] == point[1] == after[1]
        if not level and point != corners[-1]:
            corners.append(point)
    points = [corners[0]]
    for (x, y), (to_x, to_y) in pairwise(corners):
        if y == to_y:
            first, second = (2 * x + to_x) / 3, (x + 2 * to_x) / 3
        else:
            side = bend if to_y < y else -bend
            first = second = x + (to_x - x) * (0.5 + side)
        points += [(round(first, 1), y), (round(second, 1), to_y), (to_x, to_y)]
    return tuple(points)
