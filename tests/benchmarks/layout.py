"""How our layout compares with `dot`: crossings of the edges as drawn, and time.

Run ``python tests/benchmarks/layout.py``. Both lay out boxes of the same sizes with the same
ports; crossings are counted on the drawn curves of both by the same code.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from functools import partial
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ipygrad.capture.graph import FunctionNode, Graph, VariableNode
from ipygrad.show.layout import GraphLayout, lay_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ipygrad.show.arrange import Point

    Call = tuple[str, Sequence[str], Sequence[str]]

ALLOWED_RATIO = 1.2
POINTS_PER_INCH = 72


def graph_of(calls: Iterable[Call]) -> Graph:
    """Make a graph of calls: a label, names of inputs, names of outputs."""
    number: dict[str, int] = {}
    creator: dict[int, int] = {}
    functions = []
    for index, (label, inputs, outputs) in enumerate(calls):
        before = tuple(number.setdefault(name, len(number)) for name in inputs)
        after = tuple(number.setdefault(name, len(number)) for name in outputs)
        creator |= dict.fromkeys(after, index)
        live = cast("Any", object())
        functions.append(FunctionNode(index, label, before, after, 0, None, None, live))
    used = {variable for function in functions for variable in function.inputs}
    variables = [
        VariableNode(
            index,
            name,
            np.array(0.0),
            "leaf" if index not in creator else "intermediate" if index in used else "result",
            creator.get(index),
            None,
            cast("Any", object()),
        )
        for name, index in number.items()
    ]
    results = tuple(variable.index for variable in variables if variable.kind == "result")
    return Graph(tuple(variables), tuple(functions), results)


def chain(length: int) -> Graph:
    """One function after the other."""
    return graph_of(("exp", [f"v{i}"], [f"v{i + 1}"]) for i in range(length))


def diamonds(count: int) -> Graph:
    """Add the square and the exponential of a variable, and so on from their sum."""
    calls: list[Call] = []
    for i in range(count):
        calls += [
            ("square", [f"x{i}"], [f"a{i}"]),
            ("exp", [f"x{i}"], [f"b{i}"]),
            ("add", [f"a{i}", f"b{i}"], [f"x{i + 1}"]),
        ]
    return graph_of(calls)


def shared_inputs() -> Graph:
    """Use two leaves early and late, x and y of ((x² + xy + y²) x - y)(x² + xy)."""
    calls: list[Call] = [
        ("mul", ["x", "x"], ["xx"]),
        ("mul", ["x", "y"], ["xy"]),
        ("mul", ["y", "y"], ["yy"]),
        ("add", ["xx", "xy"], ["s"]),
        ("add", ["s", "yy"], ["t"]),
        ("mul", ["t", "x"], ["u"]),
        ("sub", ["u", "y"], ["v"]),
        ("mul", ["v", "s"], ["z"]),
    ]
    return graph_of(calls)


def neurons(*widths: int) -> Graph:
    """Fully connected layers of scalar neurons, tanh(w · x + b), as micrograd has them."""
    calls: list[Call] = []
    for layer, (before, after) in enumerate(pairwise(widths), start=1):
        for j in range(after):
            total = f"b{layer}.{j}"
            for i in range(before):
                at = f"{layer}.{j}.{i}"
                calls.append(("mul", [f"w{at}", f"x{layer - 1}.{i}"], [f"p{at}"]))
                calls.append(("add", [total, f"p{at}"], [f"s{at}"]))
                total = f"s{at}"
            calls.append(("tanh", [total], [f"x{layer}.{j}"]))
    return graph_of(calls)


def random_program(functions: int, recent: int, seed: int) -> Graph:
    """Functions of one or two of the most recent variables, or now and then of a new leaf."""
    rng = random.Random(seed)  # noqa: S311
    names = ["x0"]
    calls: list[Call] = []
    for i in range(functions):
        inputs = []
        for _ in range(rng.choice([1, 2, 2])):
            if rng.random() < 0.25:
                names.append(f"x{len(names)}")
            inputs.append(rng.choice(names[-recent:]))
        calls.append((("exp", "add")[len(inputs) - 1], inputs, [f"v{i}"]))
        names.append(f"v{i}")
    return graph_of(calls)


def sampled(points: Sequence[Point], per_piece: int = 12) -> np.ndarray:
    """Points (n, 2) on a curve of cubic Bezier pieces."""
    control = np.array(points)
    t = np.linspace(0, 1, per_piece + 1)[:, None]
    pieces = [
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        for a, b, c, d in zip(
            control[:-1:3], control[1::3], control[2::3], control[3::3], strict=True
        )
    ]
    return np.concatenate([pieces[0][:1], *[piece[1:] for piece in pieces]])


def drawn_crossings(curves: Sequence[Sequence[Point]]) -> int:
    """Count how often drawn curves cross properly; curves that meet in an end do not."""
    lines = [sampled(curve) for curve in curves]
    starts = np.concatenate([line[:-1] for line in lines])
    ends = np.concatenate([line[1:] for line in lines])
    owner = np.concatenate([np.full(len(line) - 1, i) for i, line in enumerate(lines)])
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    total = 0
    for i, line in enumerate(lines):
        later = owner > i
        later &= (low <= line.max(axis=0)).all(axis=1) & (high >= line.min(axis=0)).all(axis=1)
        if not later.any():
            continue
        c, d = starts[later], ends[later]
        for a, b in pairwise(line):
            near = (np.minimum(c, d) <= np.maximum(a, b)).all(axis=1)
            near &= (np.maximum(c, d) >= np.minimum(a, b)).all(axis=1)
            if near.any():
                p, q = c[near], d[near]
                total += int(
                    np.sum(
                        (_side(a, b, p) * _side(a, b, q) < 0)
                        & (_side(p, q, a) * _side(p, q, b) < 0)
                    )
                )
    return total


def _side(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Twice the signed area of the triangle a, b, c: on which side of ab c lies."""
    along, to = b - a, c - a
    return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])


def dot_curves(graph: Graph, layout: GraphLayout, dot: str) -> list[list[Point]]:
    """Edges as `dot` draws them, as Bezier points; boxes and ports are those of our layout."""
    lines = ["digraph { rankdir=LR; nodesep=0.25; ranksep=0.61; node [shape=record fixedsize=true]"]
    for i, box in enumerate(layout.variables):
        lines.append(f'v{i} [label="" {_size(box.width, box.height)}]')
    for i, box in enumerate(layout.functions):
        function = graph.functions[i]
        fields = "|".join(
            "{" + "|".join(f"<{side}{k}>" for k in range(count)) + "}"
            for side, count in (("i", len(function.inputs)), ("o", len(function.outputs)))
        )
        lines.append(f'f{i} [label="{{{fields}}}" {_size(box.width, box.height)}]')
    for edge in layout.edges:
        variable, function_port = f"v{edge.variable}", f"f{edge.function}:{edge.role[0]}"
        if edge.role == "input":
            lines.append(f"{variable}:e -> {function_port}{edge.position}:w [arrowhead=none]")
        else:
            lines.append(f"{function_port}{edge.position}:e -> {variable}:w [arrowhead=none]")
    drawn = subprocess.run(  # noqa: S603
        [dot, "-Tjson"], input="\n".join([*lines, "}"]), capture_output=True, text=True, check=True
    )
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in edge["pos"].split())]
        for edge in json.loads(drawn.stdout)["edges"]
    ]


def _size(width: float, height: float) -> str:
    return f"width={width / POINTS_PER_INCH} height={height / POINTS_PER_INCH}"


def best_time(run: Callable[[], object], repeats: int = 5) -> float:
    """Shortest of some runs, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return 1000 * min(times)


GRAPHS: dict[str, list[Graph]] = {
    "chain": [chain(30)],
    "diamonds": [diamonds(4)],
    "shared inputs": [shared_inputs()],
    "neurons 2-3-1": [neurons(2, 3, 1)],
    "neurons 3-4-4-1": [neurons(3, 4, 4, 1)],
    "10 random, near": [random_program(12, 6, seed) for seed in range(10)],
    "10 random, far": [random_program(12, 1000, seed) for seed in range(10)],
    "6 random, near": [random_program(43, 8, seed) for seed in range(6)],
    "6 random, far": [random_program(43, 1000, seed) for seed in range(6)],
    "2 random, near": [random_program(130, 10, seed) for seed in range(2)],
    "2 random, far": [random_program(130, 1000, seed) for seed in range(2)],
    "a long chain": [chain(500)],
}


def main() -> None:
    """Print the comparison: boxes and ms are means over the graphs of a row, crossings are sums."""
    dot = shutil.which("dot")
    if dot is None:
        print("dot is not installed: our crossings and times only.")
    print(f"{'graphs':18}{'boxes':>7}{'ours':>7}{'dot':>7}{'ratio':>7}{'ms':>8}")
    behind = []
    for name, graphs in GRAPHS.items():
        layouts = [lay_out(graph) for graph in graphs]
        boxes = sum(len(layout.variables) + len(layout.functions) for layout in layouts)
        ours = sum(drawn_crossings([e.points for e in layout.edges]) for layout in layouts)
        theirs, ratio = "-", "-"
        if dot is not None:
            count = sum(
                drawn_crossings(dot_curves(graph, layout, dot))
                for graph, layout in zip(graphs, layouts, strict=True)
            )
            theirs = str(count)
            if count:
                ratio = f"{ours / count:.2f}"
            if ours > ALLOWED_RATIO * count:
                behind.append(name)
        time = sum(best_time(partial(lay_out, graph)) for graph in graphs) / len(graphs)
        mean = round(boxes / len(graphs))
        print(f"{name:18}{mean:7}{ours:7}{theirs:>7}{ratio:>7}{time:8.1f}", flush=True)
    if dot is not None:
        print(f"Above {ALLOWED_RATIO} times the crossings of dot: {', '.join(behind) or 'none'}.")


if __name__ == "__main__":
    main()
