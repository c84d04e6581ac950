"""The layout of the graph: what holds for its drawing, on examples and on random graphs."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipygrad.capture.graph import FunctionNode, Graph, VariableNode
from ipygrad.show.arrange import BOX_GAP, MARGIN, RANK_GAP
from ipygrad.show.labels import LABEL_COLUMN, LABEL_HEIGHT
from ipygrad.show.layering import Edge, crossings, layered
from ipygrad.show.layout import Box, GraphLayout, lay_out
from ipygrad.show.ranks import latest_ranks, shortest_ranks
from ipygrad.show.sizes import NAME_COLUMNS, shorten, text_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.show.arrange import Point

    # Label, names of the inputs, names of the outputs ("-" for one that was dropped).
    Call = tuple[str, str, str]

SEED: list[Call] = [("square", "x", "a"), ("exp", "a", "b"), ("square", "b", "y")]
DIAMOND: list[Call] = [("square", "x", "a"), ("exp", "x", "b"), ("add", "a b", "y")]
LAYER: list[Call] = [
    call
    for i in range(4)
    for call in (
        ("mul", f"w{i} x", f"p{i}"),
        ("add", f"p{i} b{i}", f"s{i}"),
        ("tanh", f"s{i}", f"h{i}"),
    )
]


PAIRS = list(combinations(range(5), 2))


def graph_of(calls: Sequence[Call], leaves: str = "") -> Graph:
    number = {name: index for index, name in enumerate(leaves.split())}
    creator: dict[int, int] = {}
    functions = []
    for index, (label, inputs, outputs) in enumerate(calls):
        before = tuple(number.setdefault(name, len(number)) for name in inputs.split())
        after = tuple(
            None if name == "-" else number.setdefault(name, len(number))
            for name in outputs.split()
        )
        creator |= {variable: index for variable in after if variable is not None}
        live = cast("Any", object())
        functions.append(FunctionNode(index, label, before, after, 0, None, None, live))
    used = {variable for function in functions for variable in function.inputs}
    results = tuple(index for index in number.values() if index not in used)
    variables = tuple(
        VariableNode(
            index,
            name,
            np.array(0.5),
            "leaf" if index not in creator else "result" if index in results else "intermediate",
            creator.get(index),
            None,
            cast("Any", object()),
        )
        for name, index in number.items()
    )
    return Graph(variables, tuple(functions), results)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = ["x0"]
    calls = []
    for i in range(draw(st.integers(0, 14))):
        inputs = []
        for _ in range(draw(st.integers(1, 3))):
            pick = draw(st.integers(0, len(names)))
            if pick == len(names):
                names.append(f"x{len(names)}" + "w" * draw(st.integers(0, 20)))
            inputs.append(names[pick])
        made = st.lists(st.sampled_from([f"v{i}", f"u{i}", "-"]), min_size=1, unique=True)
        outputs = draw(made)
        names += [name for name in outputs if name != "-"]
        calls.append(("f" * draw(st.integers(1, 12)), " ".join(inputs), " ".join(outputs)))
    return graph_of(calls, "x0")


def middle(box: Box) -> float:
    return round(box.y + box.height / 2, 6)


def sampled(points: Sequence[Point], count: int = 24) -> list[Point]:
    """Points on a curve of cubic Bezier pieces."""
    curve = np.array(points)
    t = np.linspace(0, 1, count)[:, None]
    basis = np.hstack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
    pieces = [basis @ curve[i : i + 4] for i in range(0, len(curve) - 1, 3)]
    return [(float(x), float(y)) for x, y in np.concatenate(pieces)]


def check(graph: Graph, layout: GraphLayout) -> None:
    """Everything that holds for the drawing of any graph."""
    boxes = [*layout.variables, *layout.functions]
    assert len(layout.variables) == len(graph.variables)
    assert len(layout.functions) == len(graph.functions)
    for box in boxes:
        assert box.x >= MARGIN - 0.06
        assert box.y >= MARGIN - 0.06
        assert box.x + box.width <= layout.width - MARGIN + 0.06
        assert box.y + box.height <= layout.height - MARGIN + 0.06
    for a, b in combinations(boxes, 2):
        aside = max(a.x - b.x - b.width, b.x - a.x - a.width) >= RANK_GAP - 0.11
        above = max(a.y - b.y - b.height, b.y - a.y - a.height) >= BOX_GAP - 1e-6
        assert aside or above
    wanted = [
        (function.index, variable, role, position)
        for function in graph.functions
        for role, ends in (("input", function.inputs), ("output", function.outputs))
        for position, variable in enumerate(ends)
        if variable is not None
    ]
    assert [edge[:4] for edge in layout.edges] == wanted
    for edge in layout.edges:
        tail, head = layout.variables[edge.variable], layout.functions[edge.function]
        if edge.role == "output":
            tail, head = head, tail
        (x, y), (to_x, to_y) = edge.points[0], edge.points[-1]
        assert x == pytest.approx(tail.x + tail.width)
        assert to_x == pytest.approx(head.x)
        assert x + RANK_GAP <= to_x + 0.11
        assert tail.y < y < tail.y + tail.height
        assert head.y < to_y < head.y + head.height
        assert len(edge.points) % 3 == 1
        assert all(a[0] <= b[0] for a, b in pairwise(edge.points)), "runs backward"
        for box in boxes:
            if box is not tail and box is not head:
                assert not any(
                    box.x < px < box.x + box.width and box.y < py < box.y + box.height
                    for px, py in sampled(edge.points)
                )
        assert all(0 <= py <= layout.height for _, py in edge.points)


def label_boxes(layout: GraphLayout, labels: Sequence[str]) -> list[Box]:
    found = []
    for edge in layout.edges:
        if edge.label:
            (x, y), width = edge.label, LABEL_COLUMN * text_columns(labels[edge.variable])
            found.append(Box(x - width / 2, y - LABEL_HEIGHT / 2, width, LABEL_HEIGHT))
    return found


def overlap(a: Box, b: Box) -> bool:
    beside = max(a.x - b.x - b.width, b.x - a.x - a.width) >= -0.11
    return not beside and max(a.y - b.y - b.height, b.y - a.y - a.height) < -0.11


def check_labels(layout: GraphLayout, labels: Sequence[str]) -> None:
    """Labels stand beside their variables, and touch neither a box nor one another."""
    placed = label_boxes(layout, labels)
    boxes = [*layout.variables, *layout.functions]
    assert not any(overlap(label, box) for label in placed for box in boxes)
    assert not any(overlap(a, b) for a, b in combinations(placed, 2))
    for edge in layout.edges:
        if edge.label:
            assert labels[edge.variable]
            assert edge.points[0][0] < edge.label[0] < edge.points[-1][0]


def test_the_seed_example_is_one_straight_line() -> None:
    graph = graph_of(SEED)
    layout = lay_out(graph)
    check(graph, layout)
    assert len({middle(box) for box in (*layout.variables, *layout.functions)}) == 1
    xs = [
        box.x for pair in zip(layout.variables, layout.functions, strict=False) for box in pair
    ] + [layout.variables[-1].x]
    assert xs == sorted(xs)
    for edge in layout.edges:
        assert len(edge.points) == 4
        assert len({y for _, y in edge.points}) == 1
    assert layout.height == 62 + 2 * MARGIN


def test_a_long_chain_is_one_straight_line() -> None:
    layout = lay_out(graph_of([("exp", f"v{i}", f"v{i + 1}") for i in range(500)]))
    assert len({middle(box) for box in (*layout.variables, *layout.functions)}) == 1


def test_a_diamond_is_symmetric() -> None:
    layout = lay_out(graph_of(DIAMOND))
    x, a, b, y = layout.variables
    assert a.x == b.x
    assert middle(x) == middle(y)
    assert middle(a) + middle(b) == pytest.approx(2 * middle(x), abs=0.2)


def test_equal_neurons_stand_in_one_column() -> None:
    graph = graph_of(LAYER)
    layout = lay_out(graph)
    check(graph, layout)
    for kind in "psh":
        places = {layout.variables[v.index].x for v in graph.variables if v.name.startswith(kind)}
        assert len(places) == 1
    for label in ("mul", "add", "tanh"):
        places = {layout.functions[f.index].x for f in graph.functions if f.label == label}
        assert len(places) == 1


def test_a_leaf_stands_beside_the_function_that_uses_it_first() -> None:
    graph = graph_of([*SEED, ("mul", "y w", "z")])
    layout = lay_out(graph)
    names = {v.name: layout.variables[v.index] for v in graph.variables}
    assert names["w"].x == names["y"].x


def test_inputs_arrive_at_points_of_their_own_in_their_order() -> None:
    layout = lay_out(graph_of([("stack", " ".join("abcdefgh"), "y")]))
    arrivals = [edge.points[-1][1] for edge in layout.edges if edge.role == "input"]
    assert min(b - a for a, b in pairwise(arrivals)) >= 7.9


def test_outputs_leave_at_points_of_their_own_in_their_order() -> None:
    layout = lay_out(graph_of([("split", "x", "a - b c")]))
    outputs = [edge for edge in layout.edges if edge.role == "output"]
    assert [edge.position for edge in outputs] == [0, 2, 3]
    leaving = [edge.points[0][1] for edge in outputs]
    assert min(b - a for a, b in pairwise(leaving)) >= 7.9


def test_edges_leave_a_variable_and_arrive_at_it_in_the_middle() -> None:
    layout = lay_out(graph_of(DIAMOND))
    for edge in layout.edges:
        box = layout.variables[edge.variable]
        _, y = edge.points[0] if edge.role == "input" else edge.points[-1]
        assert y == pytest.approx(middle(box), abs=0.06)


@pytest.mark.parametrize(
    "calls",
    [
        [("mul", "x x", "y")],
        [("exp", "x", "a"), ("exp", "a", "b"), ("stack", "x b x", "y")],
        [("mul", "x x", "a"), ("mul", "w w", "b"), ("mul", "z z", "c"), ("stack", "a b c", "y")],
        [("mul", "x x", "a"), *[("exp", "x", f"e{i}") for i in range(9)]],
    ],
)
def test_two_edges_between_two_boxes_part_and_stay_apart(calls: list[Call]) -> None:
    layout = lay_out(graph_of(calls))
    inputs = [edge for edge in layout.edges if edge.role == "input"]
    twins = [
        (a, b)
        for a, b in combinations(inputs, 2)
        if (a.function, a.variable) == (b.function, b.variable)
    ]
    assert twins
    for a, b in twins:
        away = [p for p in sampled(a.points) if p[0] > a.points[0][0] + 30]
        gaps = [
            min(np.hypot(px - qx, py - qy) for qx, qy in sampled(b.points, 200)) for px, py in away
        ]
        assert min(gaps) > 3.0


def test_parts_that_are_not_connected_and_several_results() -> None:
    graph = graph_of([*SEED, ("exp", "p", "q"), ("split", "q", "r s"), ("neg", "a", "t")], "alone")
    layout = lay_out(graph)
    check(graph, layout)
    names = {v.name: layout.variables[v.index] for v in graph.variables}
    assert names["r"].x == names["s"].x == names["y"].x
    assert names["t"].x == names["b"].x, "a result stands right behind what it comes from"


def test_an_unused_output_stands_right_behind_its_function() -> None:
    graph = graph_of([("split", "x", "a unused"), ("exp", "a", "b"), ("exp", "b", "c")])
    layout = lay_out(graph)
    names = {v.name: layout.variables[v.index] for v in graph.variables}
    assert names["unused"].x == names["a"].x


def test_nothing_and_a_single_variable() -> None:
    empty = lay_out(Graph((), (), ()))
    assert (empty.width, empty.height) == (2 * MARGIN, 2 * MARGIN)
    assert empty.edges == ()
    alone = lay_out(graph_of([], "x"))
    assert alone.variables == (Box(MARGIN, MARGIN, 96, 62),)
    assert (alone.width, alone.height) == (96 + 2 * MARGIN, 62 + 2 * MARGIN)


def test_the_same_graph_gives_the_same_drawing() -> None:
    assert lay_out(graph_of(LAYER)) == lay_out(graph_of(LAYER))


def test_numbers_are_rounded_to_a_tenth() -> None:
    layout = lay_out(graph_of([*LAYER, ("stack", "h0 h1 h2 h3 x", "y")]))
    points = [value for edge in layout.edges for point in edge.points for value in point]
    boxes = [value for box in (*layout.variables, *layout.functions) for value in box]
    for value in (layout.width, layout.height, *points, *boxes):
        assert value == round(value, 1)


def test_boxes_are_as_wide_as_their_text() -> None:
    graph = graph_of([("f", "x", "a_rather_long_name"), ("a_long_function", "x", "y")])
    plain = lay_out(graph)
    widths = [box.width for box in plain.variables]
    assert widths == [96, pytest.approx(18 * 7.8 + 20), 96]
    assert [box.width for box in plain.functions] == [56, pytest.approx(15 * 7.8 + 20)]
    told = lay_out(graph, ["x" * 14, "1", "가" * 40])
    assert [box.width for box in told.variables] == [
        pytest.approx(14 * 7.8 + 20),
        pytest.approx(18 * 7.8 + 20),
        pytest.approx(17 * 7.8 + 20),
    ]


def test_texts_are_one_for_each_variable() -> None:
    with pytest.raises(ValueError, match="a text for each of 4 variables, not 1"):
        lay_out(graph_of(SEED), ["0.5"])
    with pytest.raises(ValueError, match="a label for each of 4 variables, not 1"):
        lay_out(graph_of(SEED), labels=["(3,)"])


def test_gaps_are_as_wide_as_their_labels() -> None:
    labels = ["(64, 784)", "(64, 10)", "", ""]
    layout = lay_out(graph_of(SEED), labels=labels)
    check_labels(layout, labels)
    assert [edge.label is not None for edge in layout.edges] == [True, True, True] + 3 * [False]
    widths = [round(edge.points[-1][0] - edge.points[0][0], 1) for edge in layout.edges]
    assert widths[0] > 9 * LABEL_COLUMN + 20
    assert widths[0] > widths[1] == widths[2] > widths[3] == RANK_GAP


def test_labels_of_a_layer_all_find_room() -> None:
    graph = graph_of([("matmul", "x W", "p"), ("add", "p b", "s"), ("relu", "s", "h")])
    labels = ["(4, 3)"] * len(graph.variables)
    layout = lay_out(graph, labels=labels)
    check_labels(layout, labels)
    for edge in layout.edges:
        assert edge.label
        x, y = edge.label
        assert min(np.hypot(x - px, y - py) for px, py in sampled(edge.points, 200)) < 1


def test_labels_of_edges_that_turn_early_stay_beside_the_box() -> None:
    # The lower edge of two between the same boxes turns on the side of the gap where it starts.
    calls = [
        ("f", "x w x", "a"),
        *[("exp", "w", f"e{i}") for i in range(9)],
        *[("exp", "x", name) for name in "cd"],
        ("mul", "x a", "y"),
    ]
    graph = graph_of(calls, "w")
    labels = ["(4, 3)"] * len(graph.variables)
    check_labels(lay_out(graph, labels=labels), labels)


def test_edges_that_run_together_share_a_label() -> None:
    layout = lay_out(graph_of([("mul", "x x", "y")]), labels=["(3,)", ""])
    assert [edge.label is not None for edge in layout.edges] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("x", "x"),
        ("a" * 18, "a" * 18),
        ("a" * 19, "a" * 17 + "…"),
        ("exp(a) + exp(b) + c", "exp(a) + exp(b) +…"),
        ("손" * 9, "손" * 9),
        ("손실 함수의 값을 더한 것", "손실 함수의 값을…"),
        ("", ""),
    ],
)
def test_shorten(text: str, short: str) -> None:
    assert shorten(text) == short
    assert text_columns(short) <= NAME_COLUMNS


def test_ranks_without_a_choice_are_the_latest() -> None:
    pairs = [(0, 1), (1, 2), (3, 2), (0, 2)]
    assert shortest_ranks(5, pairs, [1] * 4) == latest_ranks(5, pairs) == [0, 1, 2, 1, 2]


def test_a_branch_that_ends_early_stays_where_it_leaves() -> None:
    pairs = [*pairwise(range(6)), (0, 6), (6, 7)]
    assert latest_ranks(8, pairs)[6:] == [4, 5]
    assert shortest_ranks(8, pairs, [1] * 7)[6:] == [1, 2]


@pytest.mark.parametrize("ends", [{}, {"first": 0}, {"last": 4}, {"first": 0, "last": 4}])
@settings(derandomize=True, deadline=None, max_examples=40)
@given(weights=st.dictionaries(st.sampled_from(PAIRS), st.integers(1, 3), max_size=9))
def test_ranks_have_the_least_sum_and_are_the_latest_with_it(
    ends: dict[str, int], weights: dict[tuple[int, int], int]
) -> None:
    pairs = [*weights, *list(weights)[:2]]
    counts = [weights[pair] for pair in pairs]
    top = max(latest_ranks(5, pairs))
    possible = [
        ranks
        for ranks in product(range(top + 1), repeat=5)
        if all(ranks[tail] < ranks[head] for tail, head in pairs)
        and ("first" not in ends or ranks[0] == 0)
        and ("last" not in ends or ranks[4] == top)
    ]
    sums = [
        sum(n * (ranks[b] - ranks[a]) for (a, b), n in zip(pairs, counts, strict=True))
        for ranks in possible
    ]
    least = [ranks for ranks, total in zip(possible, sums, strict=True) if total == min(sums)]
    latest = [max(values) for values in zip(*least, strict=True)]
    assert shortest_ranks(5, pairs, counts, **ends) == latest


def test_ranks_that_take_too_long_to_find_are_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipygrad.show.ranks.EFFORT", 1)
    pairs = [*pairwise(range(6)), (0, 6), (6, 7)]
    assert shortest_ranks(8, pairs, [1] * 7) == latest_ranks(8, pairs)


@settings(derandomize=True, deadline=None)
@given(graphs())
def test_what_a_function_makes_stands_beside_it(graph: Graph) -> None:
    layout = lay_out(graph)
    columns = sorted({round(box.x + box.width / 2, 1) for box in layout.functions})
    for edge in layout.edges:
        if edge.role == "output":
            start, end = edge.points[0][0], edge.points[-1][0]
            assert not any(start < x < end for x in columns)


def test_a_cycle_is_an_error() -> None:
    with pytest.raises(ValueError, match="cycle"):
        layered(2, [Edge(0, 1), Edge(1, 0)])


def test_trees_are_drawn_without_crossings() -> None:
    edges = [
        Edge(child, (child - 1) // 2, head_port=(child % 2 == 0) / 3) for child in range(1, 63)
    ]
    assert crossings(layered(63, edges)) == 0


def test_leaves_that_everything_uses_cross_as_little_as_dot_draws_them() -> None:
    calls = [
        ("mul", "x x", "xx"),
        ("mul", "x y", "xy"),
        ("mul", "y y", "yy"),
        ("add", "xx xy", "s"),
        ("add", "s yy", "t"),
        ("mul", "t x", "u"),
        ("sub", "u y", "v"),
        ("mul", "v s", "z"),
    ]
    layout = lay_out(graph_of(calls))
    lines = [sampled(edge.points) for edge in layout.edges]
    assert sum(_lines_cross(a, b) for a, b in combinations(lines, 2)) <= 3


def _lines_cross(a: list[Point], b: list[Point]) -> int:
    return sum(
        _side(p, q, r) * _side(p, q, s) < 0 and _side(r, s, p) * _side(r, s, q) < 0
        for (p, q), (r, s) in product(pairwise(a), pairwise(b))
    )


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@st.composite
def edge_lists(draw: st.DrawFn) -> tuple[int, list[Edge]]:
    size = draw(st.integers(2, 12))
    ends = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    ports = st.sampled_from([-0.25, 0.0, 0.25])
    pairs = draw(st.lists(ends.filter(lambda end: end[0] != end[1]), max_size=25))
    return size, [Edge(min(p), max(p), draw(ports), draw(ports)) for p in pairs]


@settings(derandomize=True, deadline=None)
@given(edge_lists())
def test_crossings_are_counted_as_by_comparing_all_pairs(case: tuple[int, list[Edge]]) -> None:
    layers = layered(*case)
    place = {node: i for nodes in layers.order for i, node in enumerate(nodes)}
    total = 0
    for nodes in layers.order:
        links = [
            (place[node] + here, place[head] + there)
            for node in nodes
            for head, there, here in layers.right[node]
        ]
        total += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in combinations(links, 2))
    assert crossings(layers) == total


@settings(derandomize=True, deadline=None)
@given(edge_lists())
def test_ranks_hold_every_node_once_and_links_join_neighbouring_ranks(
    case: tuple[int, list[Edge]],
) -> None:
    size, edges = case
    layers = layered(size, edges)
    rank = {node: r for r, nodes in enumerate(layers.order) for node in nodes}
    assert sorted(rank) == list(range(len(layers.left)))
    assert sum(map(len, layers.order)) == len(rank)
    assert all(any(node < size for node in nodes) for nodes in layers.order)
    for edge, path in zip(edges, layers.paths, strict=True):
        assert (path[0], path[-1]) == (edge.tail, edge.head)
        assert [rank[node] - rank[path[0]] for node in path] == list(range(len(path)))


@settings(derandomize=True, deadline=None)
@given(graphs())
def test_any_graph_is_drawn_without_overlaps(graph: Graph) -> None:
    layout = lay_out(graph)
    check(graph, layout)
    assert lay_out(graph) == layout
    labels = ["(4, 3)" if v.index % 3 else "" for v in graph.variables]
    labelled = lay_out(graph, labels=labels)
    check(graph, labelled)
    check_labels(labelled, labels)
