"""Where the boxes and edges of a graph are drawn: a layered layout from leaves (left) to results.

Each rank of the graph is a column. Edges run level through the columns, where boxes are, and bend
only in the gaps between them: so none can cross a box that it does not end at.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from ipygrad.show.arrange import RANK_GAP, arrange
from ipygrad.show.labels import LABEL_COLUMN, LABEL_ROOM, place_labels
from ipygrad.show.layering import MADE, Edge
from ipygrad.show.sizes import function_size, port, text_columns, variable_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.capture.graph import Graph
    from ipygrad.show.arrange import Point, Shape
    from ipygrad.show.layering import Layers
    from ipygrad.show.sizes import Size

Role = Literal["input", "output"]

STAGGER = 0.8
"""How far apart edges from one box to the top and bottom of another turn, as a share of the gap."""


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
    shape
        All of that as columns, boxes (variables before functions) and lines.
    """

    width: float
    height: float
    variables: tuple[Box, ...]
    functions: tuple[Box, ...]
    edges: tuple[EdgePath, ...]
    shape: Shape


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
    labels = _one_each(graph, labels, "label")
    label_widths = [LABEL_COLUMN * text_columns(label) for label in labels]
    sizes = _sizes(graph, texts)
    ends, edges = _edges(graph)
    arranged = arrange(sizes, edges)
    layers, rank, middles = arranged.layers, arranged.rank, arranged.middles
    # A label stands in the gap beside its variable; a gap has the number of the rank after it.
    gaps = [
        rank[edge.tail] + 1 if role == "input" else rank[edge.head]
        for (_, _, role, _), edge in zip(ends, edges, strict=True)
    ]
    widths = [label_widths[variable] for _, variable, _, _ in ends]
    needs = [RANK_GAP] * len(layers.order)
    for gap, width in zip(gaps, widths, strict=True):
        needs[gap] = max(needs[gap], width + LABEL_ROOM)
    columns = arranged.columns(needs)
    boxes = _boxes(layers, sizes, middles, columns)
    shape = arranged.shape(columns)
    paths, crossed, lines = [], [], []
    for end, edge, path, gap, line in zip(
        ends, edges, layers.paths, gaps, shape.lines, strict=True
    ):
        function, variable, role, position = end
        waypoints = _waypoints(edge, path, boxes, middles, columns[rank[edge.tail] :])
        twin = graph.functions[function].inputs.count(variable) > 1
        bend = STAGGER * edge.head_port if twin else 0.0
        paths.append(EdgePath(function, variable, role, position, _curve(waypoints, bend)))
        before = 2 * (gap - rank[edge.tail]) - 1
        crossed.append(_curve(waypoints[before : before + 2], bend))
        lines.append(line._replace(bend=bend, position=position))
    places = place_labels(crossed, widths)
    count = len(graph.variables)
    return GraphLayout(
        width=shape.width,
        height=shape.height,
        variables=tuple(boxes[:count]),
        functions=tuple(boxes[count:]),
        edges=tuple(path._replace(label=place) for path, place in zip(paths, places, strict=True)),
        shape=shape._replace(
            lines=tuple(
                line._replace(label=labels[end[1]] if place else "", label_at=place)
                for end, line, place in zip(ends, lines, places, strict=True)
            )
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


def _sizes(graph: Graph, texts: Sequence[str]) -> list[Size]:
    """Width and height of every box, variables before functions."""
    return [
        *(
            variable_size(node.name, text)
            for node, text in zip(graph.variables, texts, strict=True)
        ),
        *(function_size(f.label, max(len(f.inputs), len(f.outputs))) for f in graph.functions),
    ]


def _edges(graph: Graph) -> tuple[list[tuple[int, int, Role, int]], list[Edge]]:
    """List the edges twice: what they mean, and which nodes they join (variables first)."""
    ends: list[tuple[int, int, Role, int]] = []
    edges = []
    for function in graph.functions:
        node = len(graph.variables) + function.index
        for position, variable in enumerate(function.inputs):
            ends.append((function.index, variable, "input", position))
            edges.append(Edge(variable, node, head_port=port(position, len(function.inputs))))
        for position, output in enumerate(function.outputs):
            if output is not None:
                ends.append((function.index, output, "output", position))
                out = port(position, len(function.outputs))
                edges.append(Edge(node, output, tail_port=out, weight=MADE))
    return ends, edges


def _boxes(
    layers: Layers,
    sizes: Sequence[Size],
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
