"""A graph that is too large to be drawn, folded into a few boxes.

Functions are gathered into bands of neighbouring generations, in each about as many, and what the
functions of one band make becomes one box, and so do the leaves that a band is the first to use. So
an overview is a graph again (the quotient of the whole by its bands) and is laid out and drawn as
any other.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ipygrad.capture.graph import FunctionNode, Graph, VariableNode

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BANDS = 5


class Overview(NamedTuple):
    """A folded graph.

    Attributes
    ----------
    graph
        Its functions are bands; its variables are groups.
    values, gradients
        For each group that of its variable; empty where it has several.
    band_of
        For each function of the whole graph the number of its band.
    """

    graph: Graph
    values: list[str]
    gradients: list[str | None]
    band_of: list[int]


def overview(graph: Graph, values: Sequence[str], gradients: Sequence[str | None]) -> Overview:
    """Fold a graph, with a short text for the value and the gradient of each variable.

    A band is named after the functions that it has most of, and how many others it has: a box
    ``64 multiply + 48`` stands for 112 functions. Constants are left out.
    """
    band_of = _bands(graph)
    group_of, groups = _groups(graph, band_of)
    members: list[list[FunctionNode]] = [[] for _ in range(max(band_of) + 1)]
    for node, band in zip(graph.functions, band_of, strict=True):
        members[band].append(node)
    variables = tuple(_group(graph, number, *group) for number, group in enumerate(groups))
    functions = tuple(_band(number, nodes, group_of) for number, nodes in enumerate(members))
    return Overview(
        Graph(variables, functions, tuple({group_of[result]: None for result in graph.results})),
        [values[group[0]] if len(group) == 1 else "" for _, group in groups],
        [gradients[group[0]] if len(group) == 1 else "" for _, group in groups],
        band_of,
    )


def _bands(graph: Graph) -> list[int]:
    """Return the band of each function: generations stay whole, and so their order."""
    sizes = Counter(node.generation for node in graph.functions)
    before, total = 0, len(graph.functions)
    bands: dict[int, int] = {}
    for generation in sorted(sizes):
        bands[generation] = MOST_BANDS * (before + sizes[generation] // 2) // total
        before += sizes[generation]
    # Where one generation fills several bands, numbers in between are left out.
    numbers = {band: number for number, band in enumerate(sorted(set(bands.values())))}
    return [numbers[bands[node.generation]] for node in graph.functions]


Members = tuple["int | None", list[int]]
"""The band that made the variables of a group, None for leaves, and their numbers."""


def _groups(graph: Graph, band_of: Sequence[int]) -> tuple[dict[int, int], list[Members]]:
    """Gather the variables that a band takes from outside; each result stays alone."""
    made: dict[tuple[bool, int, int], list[int]] = {}
    used_in: dict[int, set[int]] = {}
    for node, band in zip(graph.functions, band_of, strict=True):
        for number in node.inputs:
            used_in.setdefault(number, set()).add(band)
    for variable in graph.variables:
        if variable.kind == "constant":
            continue
        used = used_in.get(variable.index, set())
        alone = variable.index if variable.index in graph.results else -1
        if variable.creator is None:
            made.setdefault((True, min(used, default=0), alone), []).append(variable.index)
        elif alone >= 0 or used - {band_of[variable.creator]}:
            key = (False, band_of[variable.creator], alone)
            made.setdefault(key, []).append(variable.index)
    groups: list[Members] = [
        (None if is_leaf else band, numbers) for (is_leaf, band, _), numbers in made.items()
    ]
    group_of = {number: at for at, (_, numbers) in enumerate(groups) for number in numbers}
    return group_of, groups


def _group(graph: Graph, number: int, band: int | None, members: list[int]) -> VariableNode:
    first = graph.variables[members[0]]
    what = "leaves" if band is None else "variables"
    return VariableNode(
        index=number,
        name=first.name if len(members) == 1 else f"{len(members):,} {what}",
        value=first.value,
        kind=first.kind,
        creator=band,
        line=None,
        variable=first.variable,
    )


def _band(number: int, nodes: Sequence[FunctionNode], group_of: dict[int, int]) -> FunctionNode:
    ((label, count),) = Counter(node.label for node in nodes).most_common(1)
    rest = len(nodes) - count
    inputs = {group_of[x]: None for node in nodes for x in node.inputs if x in group_of}
    outputs = {
        group_of[y]: None for node in nodes for y in node.outputs if y is not None and y in group_of
    }
    return FunctionNode(
        index=number,
        label=(label if count == 1 else f"{count:,} {label}") + (f" + {rest:,}" if rest else ""),
        inputs=tuple(group for group in inputs if group not in outputs),
        outputs=tuple(outputs),
        generation=number,
        line=None,
        source=None,
        function=nodes[0].function,
    )
