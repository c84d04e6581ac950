"""The calls of the forward pass, as the payload has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipygrad.explain.forward import describe_call, in_order_of_calls
from ipygrad.show.steps import said_step, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipygrad.capture.graph import FunctionNode
    from ipygrad.show.payload import Kept, Pass

MOST_CALLS = 1_000
"""Of a longer computation the forward pass is not put into words."""

Json = dict[str, Any]


def calls_of(shown: Pass, kept: Kept) -> list[Json]:
    """Return a step for each call, in the order in which they were made; none for too many."""
    nodes = [node for node in in_order_of_calls(shown.graph) if node.index in kept.functions]
    if len(nodes) > MOST_CALLS:
        return []
    return [
        said_step(
            describe_call(shown.words, shown.graph, node, index, len(nodes)),
            kept.functions[node.index],
            node.line,
            factors=_factors(shown, node),
        )
        for index, node in enumerate(nodes, start=1)
    ]


def _factors(shown: Pass, node: FunctionNode) -> list[tuple[str, Json, str]]:
    """Return what a function was given, itself, and what it made, each in a box of its style."""

    def named(numbers: Iterable[int | None]) -> tuple[str, Json]:
        variables = [shown.graph.variables[number] for number in numbers if number is not None]
        numerals = [written(shown.words, variable.value) for variable in variables]
        texts = {key: "; ".join(one[key] for one in numerals) for key in ("text", "exact")}
        return ", ".join(variable.name for variable in variables), texts

    label = {"text": node.label, "exact": node.label}
    return [
        (*named(node.inputs), "local"),
        (shown.words("column_function"), label, "local"),
        (*named(node.outputs), "result"),
    ]
