"""The calls of the forward pass, as the payload has them."""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING, Any

from ipygrad.explain.forward import describe_call, in_order_of_calls
from ipygrad.show.room import LONGEST_TEXTS
from ipygrad.show.steps import said_step, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ipygrad.capture.graph import FunctionNode
    from ipygrad.show.payload import Kept, Pass

MOST_CALLS = 1_000
"""Of a longer computation most calls are not put into words until somebody asks for them."""

Json = dict[str, Any]


def calls_of(shown: Pass, kept: Kept) -> list[Json | int]:
    """Return a step for each call, in the order in which they were made.

    Of a long computation only those calls are told that need most room, which is kept for all; of
    the others the function is returned, by its place in the payload.
    """
    nodes = _calls(shown, kept)
    told: Iterable[int] = range(len(nodes))
    if len(nodes) > MOST_CALLS:
        lengths = [len(node.name) for node in shown.graph.variables]
        sizes = [sum(lengths[number] for number in node.inputs) for node in nodes]
        told = nlargest(LONGEST_TEXTS, told, key=sizes.__getitem__)
    in_words = {place: _told(shown, kept, nodes, place) for place in told}
    return [in_words.get(place, kept.functions[node.index]) for place, node in enumerate(nodes)]


def tell_call(shown: Pass, kept: Kept, number: int) -> Json | None:
    """Return one call in words, the last one being -1; None where there is none."""
    nodes = _calls(shown, kept)
    place = len(nodes) + number
    return _told(shown, kept, nodes, place) if 0 <= place < len(nodes) else None


def _calls(shown: Pass, kept: Kept) -> list[FunctionNode]:
    return [node for node in in_order_of_calls(shown.graph) if node.index in kept.functions]


def _told(shown: Pass, kept: Kept, nodes: list[FunctionNode], place: int) -> Json:
    node = nodes[place]
    return said_step(
        describe_call(shown.words, shown.graph, node, place + 1, len(nodes)),
        kept.functions[node.index],
        node.line,
        factors=_factors(shown, node),
    )


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
