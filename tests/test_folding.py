"""Large graphs, folded: what holds for the groups and their scenes, on examples and at random."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from ipygrad import Variable, sin
from ipygrad.capture.graph import Graph, capture_graph
from ipygrad.show import folding as folding_module
from ipygrad.show.folding import MOST_WEIGHT, ROOT, Folding, fold
from ipygrad.show.scenes import Scenes, make_scenes
from tests.test_layout import graph_of, graphs

if TYPE_CHECKING:
    from ipygrad.show.folding import Item
    from tests.shell import Shell


def labels_at(folding: Folding, group: int) -> list[object]:
    return [
        folding.groups[number].label for kind, number in folding.groups[group].items if kind == "g"
    ]


def check_folding(graph: Graph, folding: Folding) -> None:
    """Each item stands in one group, and no group's functions are divided by those of others."""
    placed = [item for group in folding.groups for item in group.items]
    wanted: list[Item] = [("v", node.index) for node in graph.variables]
    wanted += [("f", node.index) for node in graph.functions]
    wanted += [("g", number) for number in range(1, len(folding.groups))]
    assert sorted(placed) == sorted(wanted)
    for number, group in enumerate(folding.groups):
        functions = [
            node for node in graph.functions if ("g", number) in folding.path(("f", node.index))
        ]
        assert group.size == (len(functions) if number else len(graph.functions))


def check_scenes(graph: Graph, folding: Folding, scenes: Scenes) -> None:
    """No two boxes overlap, lines run to the right, and each edge can be followed."""
    drawn = set()
    for number, (shape, items) in enumerate(scenes.of):
        width, height, boxes, lines = scenes.shapes[shape]
        assert set(folding.groups[number].items) <= set(items)
        assert len(boxes) == len(items)
        for (x, middle, wide, high), (left, other, width_, height_) in combinations(boxes, 2):
            beside = x + wide <= left or left + width_ <= x
            assert beside or abs(middle - other) >= (high + height_) / 2
        for x, middle, wide, high in boxes:
            assert x >= 0
            assert x + wide <= width
            assert middle - high / 2 >= 0
            assert middle + high / 2 <= height
        for line in lines:
            tail, head = boxes[line.tail], boxes[line.head]
            assert len(line.turns) == 2 * len(line.levels) + 2
            stops = [tail[0] + tail[2], *line.turns, head[0]]
            assert all(before <= after for before, after in pairwise(stops))
            drawn.add((items[line.tail], items[line.head]))
    for node in graph.functions:
        function = ("f", node.index)
        ends = [(("v", x), function) for x in node.inputs]
        ends += [(function, ("v", y)) for y in node.outputs if y is not None]
        for start, end in ends:
            out, into = folding.path(start), folding.path(end)
            depth = next(
                i for i, pair in enumerate(zip(out, into, strict=False)) if pair[0] != pair[1]
            )
            way = [(out[depth], into[depth])]
            way += [(item, ("o", group)) for (_, group), item in pairwise(out[depth:])]
            way += [(("i", group), item) for (_, group), item in pairwise(into[depth:])]
            assert drawn.issuperset(way)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(graphs())
def test_any_graph_is_folded_without_overlaps_and_cycles(graph: Graph) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # So that small graphs have groups within groups.
        patch.setattr(folding_module, "MOST_WEIGHT", 4)
        patch.setattr(folding_module, "MOST_BANDS", 2)
        folding = fold(graph)
    check_folding(graph, folding)
    # A cycle would raise.
    scenes = make_scenes(graph, folding, ["0.5"] * len(graph.variables))
    check_scenes(graph, folding, scenes)
    assert make_scenes(graph, fold_again(graph), ["0.5"] * len(graph.variables)) == scenes


def fold_again(graph: Graph) -> Folding:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding_module, "MOST_WEIGHT", 4)
        patch.setattr(folding_module, "MOST_BANDS", 2)
        return fold(graph)


def chain(length: int) -> Graph:
    y = Variable(0.5, name="x")
    for _ in range(length):
        y = sin(y)
    return capture_graph([y])


def test_a_chain_is_bands_within_bands_in_a_row() -> None:
    graph = chain(400)
    folding = fold(graph)
    check_folding(graph, folding)
    assert labels_at(folding, ROOT) == ["66 sin", "67 sin", "67 sin", "66 sin", "67 sin", "67 sin"]
    scenes = make_scenes(graph, folding, ["0.5"] * 401)
    assert all(len({middle for _, middle, *_ in shape.boxes}) == 1 for shape in scenes.shapes)
    # Most bands look the same.
    assert len(scenes.shapes) < len(folding.groups) / 2


def test_no_group_holds_too_much() -> None:
    graph = chain(3_000)
    folding = fold(graph)
    for group in folding.groups:
        weight = {"f": 2, "g": 1, "v": 0}
        assert sum(weight[kind] for kind, _ in group.items) <= MOST_WEIGHT


def test_leaves_of_one_user_are_a_group() -> None:
    names = " ".join(f"w{i}" for i in range(40))
    graph = graph_of(
        [("stack", names, "s"), *(("sin", f"s{i or ''}", f"s{i + 1}") for i in range(30))]
    )
    folding = fold(graph)
    check_folding(graph, folding)
    labels = [group.label for group in folding.groups if not group.size]
    assert ("group_leaves", {"count": "40"}) in labels
    assert ("group_leaves", {"count": "20"}) in labels


def folded_cell(shell: Shell, before: str, cell: str) -> tuple[Graph, Folding]:
    shell.run(before)
    ran = shell.run(f"%%grad -o bp -q\n{cell}")
    assert ran.is_fine, ran.text
    graph = shell.ipython.user_ns["bp"].graph
    folding = fold(graph)
    check_folding(graph, folding)
    return graph, folding


def test_a_network_is_folded_into_layers_and_neurons(shell: Shell) -> None:
    pytest.importorskip("micrograd")
    before = "import random\nrandom.seed(1)\nfrom micrograd import nn\nm = nn.MLP(2, [16, 16, 1])"
    cell = "score = m([0.5, -0.3])\nloss = (1 + -score).relu()"
    graph, folding = folded_cell(shell, before, cell)
    assert len(graph.functions) == 643
    (network,) = folding.alone()
    assert folding.groups[network[1]].label == "MLP"
    assert labels_at(folding, network[1]) == ["Layer"] * 3
    layer = next(item for item in folding.groups[network[1]].items if item[0] == "g")
    assert labels_at(folding, layer[1]) == ["Neuron"] * 16
    scenes = make_scenes(graph, folding, ["0.5"] * len(graph.variables))
    check_scenes(graph, folding, scenes)
    shape, items = scenes.of[layer[1]]
    neurons = [
        box for item, box in zip(items, scenes.shapes[shape].boxes, strict=True) if item[0] == "g"
    ]
    assert len({x for x, *_ in neurons}) == 1


def test_turns_of_a_loop_are_groups(shell: Shell) -> None:
    cell = """\
y = x
for _ in range(20):
    a = np.sin(y)
    b = np.exp(-a) * x
    y = a + b
z = y * y"""
    _, folding = folded_cell(shell, "x = Variable(0.5)", cell)
    turns = [("group_turn", {"turn": f"{turn}"}) for turn in range(1, 21)]
    assert labels_at(folding, ROOT) == turns


def test_functions_of_the_cell_are_groups_in_turns(shell: Shell) -> None:
    cell = """\
def layer(v, w):
    h = v * w
    return np.tanh(h + x)

y = x
for w in ws:
    y = layer(y, w)"""
    before = "x = Variable(0.5)\nws = [Variable(float(i)) for i in range(10)]"
    _, folding = folded_cell(shell, before, cell)
    assert labels_at(folding, ROOT) == ["layer"] * 10


def test_lines_are_groups_where_there_are_no_calls(shell: Shell) -> None:
    cell = "a = np.sin(x) * x + x ** 3 - x\n" + "".join(
        f"a = np.sin(a) * x + a ** {i} - x\n" for i in range(2, 8)
    )
    _, folding = folded_cell(shell, "x = Variable(0.5)", cell)
    assert labels_at(folding, ROOT) == [("group_line", {"line": f"{line}"}) for line in range(2, 9)]


def test_it_is_known_in_which_order_and_calls_functions_were_called(shell: Shell) -> None:
    cell = "def f(v):\n    return np.exp(v)\na = np.sin(x)\nb = f(a)\ny = np.sin(b)"
    graph, _ = folded_cell(shell, "x = Variable(0.5)", cell)
    made = [node.made for node in graph.functions if node.made is not None]
    assert [[call.name for call in one.calls] for one in made] == [[], ["f"], []]
    assert [one.order for one in made] == sorted(one.order for one in made)
