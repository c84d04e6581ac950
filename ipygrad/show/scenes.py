"""What is drawn of each group of a folded graph: its items in columns, and edges between them.

A group is drawn as one box, or, unfolded in place, as a frame around its scene. So a scene has two
nodes of size 0, where edges come in from outside the group and go out of it, and the front end only
has to make room for frames. Groups that look the same, such as the turns of a loop, share a shape.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from ipygrad.show.arrange import arrange
from ipygrad.show.folding import ROOT
from ipygrad.show.layering import MADE, Edge
from ipygrad.show.sizes import function_size, port, variable_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ipygrad.capture.graph import Graph
    from ipygrad.show.arrange import Shape
    from ipygrad.show.folding import Folding, Item
    from ipygrad.show.sizes import Size

GROUP_SIZE = (160.0, 50.0)
"""Of a group's box: two rows of text in any language, px."""
WIDTH_STEP = 24.0
"""Widths are rounded up to multiples of this, so that more groups look the same, px."""
CAREFULLY = 40
"""So many shapes are laid out as carefully as a whole graph; more share that effort."""
MOST_SHAPES = 100
"""Where more would differ, boxes in the same place of groups of the same kind are equally wide."""
ENTRY, EXIT = "i", "o"
"""What stands, as an item of a group, for what comes from outside and for what goes there."""

End = tuple[int, int, int]
"""An edge in a group: numbers of two of its nodes, and which input or output of a function it is;
where one end is a group, an entry or an exit, several are one, and that is 0."""


class Scenes(NamedTuple):
    """The scenes of a folded graph.

    Attributes
    ----------
    shapes
        All that are different.
    of
        For each group the number of its shape, and the items that are the nodes of it.
    """

    shapes: tuple[Shape, ...]
    of: tuple[tuple[int, tuple[Item, ...]], ...]

    def height(self, number: int = ROOT) -> float:
        """Return how high a group is while one group in it is open, and one in that, and so on."""
        shape, items = self.of[number]
        inner = [self.height(group) for kind, group in items if kind == "g"]
        return self.shapes[shape].height + max(inner, default=0.0)


def make_scenes(graph: Graph, folding: Folding, texts: Sequence[str]) -> Scenes:
    """Lay out each group of a folded graph.

    Parameters
    ----------
    texts
        What is shown as the value of each variable.
    """
    members = list(_members(graph, folding))
    plans = [
        _Plan(
            "".join(kind for kind, _ in items),
            tuple(_sizes(graph, items, ends, texts)),
            tuple(_joined(graph, items, ends)),
            tuple(position for _, _, position in ends),
        )
        for items, ends in members
    ]
    distinct = dict.fromkeys(plans)
    if len(distinct) > MOST_SHAPES:
        plans = _as_wide_as_the_widest(plans)
        distinct = dict.fromkeys(plans)
    numbers = {plan: number for number, plan in enumerate(distinct)}
    effort = min(1.0, CAREFULLY / len(numbers))
    shapes = tuple(_shape(plan, effort) for plan in numbers)
    of = ((numbers[plan], items) for plan, (items, _) in zip(plans, members, strict=True))
    return Scenes(shapes, tuple(of))


class _Plan(NamedTuple):
    """What a shape follows from: kinds and sizes of the items, and edges with their positions."""

    kinds: str
    sizes: tuple[Size, ...]
    edges: tuple[Edge, ...]
    positions: tuple[int, ...]


def _as_wide_as_the_widest(plans: Sequence[_Plan]) -> list[_Plan]:
    """Give plans that differ in nothing but the widths of boxes the same widths."""
    alike: dict[tuple[object, ...], list[_Plan]] = {}
    keys = [(plan.kinds, plan.edges, plan.positions) for plan in plans]
    for key, plan in zip(keys, plans, strict=True):
        alike.setdefault(key, []).append(plan)
    widest = {
        key: tuple(
            (max(width for width, _ in sizes), max(height for _, height in sizes))
            for sizes in zip(*(plan.sizes for plan in dict.fromkeys(same)), strict=True)
        )
        for key, same in alike.items()
    }
    return [plan._replace(sizes=widest[key]) for key, plan in zip(keys, plans, strict=True)]


def _members(graph: Graph, folding: Folding) -> Iterator[tuple[tuple[Item, ...], tuple[End, ...]]]:
    """Yield for each group its items, entry and exit among them, and the edges between them."""
    edges: list[dict[tuple[Item, Item, int], None]] = [{} for _ in folding.groups]
    home, paths = folding.home, folding.paths()
    for tail, head, position in _edges(graph, folding):
        from_group, to_group = home[tail], home[head]
        if from_group == to_group:
            edges[from_group][tail, head, position] = None
            continue
        path_to_tail, path_to_head = (*paths[from_group], tail), (*paths[to_group], head)
        for group, start, end in _route(path_to_tail, path_to_head):
            is_whole = (start, end) == (tail, head)
            edges[group][start, end, position if is_whole else 0] = None
    for whole, joined in zip(folding.groups, edges, strict=True):
        outside = (item for start, end, _ in joined for item in (start, end))
        members = dict.fromkeys(whole.items)
        members |= {item: None for item in outside if item[0] in (ENTRY, EXIT)}
        number = {item: i for i, item in enumerate(members)}
        yield tuple(members), tuple((number[a], number[b], position) for a, b, position in joined)


def _edges(graph: Graph, folding: Folding) -> Iterator[tuple[Item, Item, int]]:
    """Yield the edges of the graph between variables and functions."""
    for node in graph.functions:
        function = ("f", node.index)
        if function in folding.home:
            for position, number in enumerate(node.inputs):
                yield ("v", number), function, position
            for position, output in enumerate(node.outputs):
                if output is not None:
                    yield function, ("v", output), position


def _route(tail: Sequence[Item], head: Sequence[Item]) -> Iterator[tuple[int, Item, Item]]:
    """Yield the pieces of an edge: the group that each is in, and the two items that it joins.

    It goes out of the groups around its tail and into those around its head.
    """
    depth = 0
    while tail[depth] == head[depth]:
        depth += 1
    yield tail[depth - 1][1] if depth else 0, tail[depth], head[depth]
    for (_, group), item in zip(tail[depth:], tail[depth + 1 :], strict=False):
        yield group, item, (EXIT, group)
    for (_, group), item in zip(head[depth:], head[depth + 1 :], strict=False):
        yield group, (ENTRY, group), item


def _sizes(
    graph: Graph, items: Sequence[Item], ends: Sequence[End], texts: Sequence[str]
) -> Iterator[Size]:
    """Yield the size of each node."""
    inputs, outputs = [0] * len(items), [0] * len(items)
    for tail, head, _ in ends:
        outputs[tail] += 1
        inputs[head] += 1
    for node, (kind, number) in enumerate(items):
        width, height = 0.0, 0.0
        if kind == "v":
            width, height = variable_size(graph.variables[number].name, texts[number])
        elif kind == "f":
            most = max(inputs[node], outputs[node])
            width, height = function_size(graph.functions[number].label, most)
        elif kind == "g":
            width, height = GROUP_SIZE
        yield ceil(width / WIDTH_STEP) * WIDTH_STEP if kind in "vf" else width, height


def _joined(graph: Graph, items: Sequence[Item], ends: Sequence[End]) -> Iterator[Edge]:
    """Yield the edges with the places on their boxes where they end."""
    for tail, head, position in ends:
        (kind, start), (other, end) = items[tail], items[head]
        if (kind, other) == ("v", "f"):
            into = port(position, len(graph.functions[end].inputs))
            yield Edge(tail, head, 0.0, round(into, 4))
        elif (kind, other) == ("f", "v"):
            out = port(position, len(graph.functions[start].outputs))
            yield Edge(tail, head, round(out, 4), 0.0, MADE)
        else:
            yield Edge(tail, head, 0.0, 0.0)


def _shape(plan: _Plan, effort: float) -> Shape:
    first, last = (plan.kinds.find(kind) for kind in (ENTRY, EXIT))
    arranged = arrange(
        plan.sizes,
        plan.edges,
        first=None if first < 0 else first,
        last=None if last < 0 else last,
        effort=effort,
    )
    columns = arranged.columns()
    shape = arranged.shape(columns)
    boxes = list(shape.boxes)
    for node, kind in enumerate(plan.kinds):
        if kind == "g":
            left, right = columns[arranged.rank[node]]
            boxes[node] = left, boxes[node][1], round(right - left, 1), boxes[node][3]
    lines = zip(shape.lines, plan.positions, strict=True)
    return shape._replace(
        boxes=tuple(boxes),
        lines=tuple(line._replace(position=position) for line, position in lines),
    )
