"""The elements of arrays, and which others each was made of, as the payload has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipygrad.explain.feeding import MOST_ELEMENTS, feeding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.capture.graph import FunctionNode, VariableNode
    from ipygrad.show.payload import Kept, Pass

MOST_CALLS = 2_000
"""Functions are called so often, at most, to find what feeds the elements of arrays."""

Json = dict[str, Any]


def elements_of(shown: Pass, kept: Kept) -> Mapping[int, Json]:
    """Return the elements of each array, by the number of its variable; of a large one how many.

    What feeds them is found where the functions can be called again, for the first ones of the
    forward pass until `MOST_CALLS` is used up.
    """
    graph, calls = shown.graph, MOST_CALLS if shown.findings.can_replay else 0
    elements: dict[int, Json] = {}
    for node in graph.variables:
        if node.index not in kept.variables or node.value.size < 2:
            continue
        if node.value.size > MOST_ELEMENTS:
            count, most = f"{node.value.size:,}", str(MOST_ELEMENTS)
            more = shown.words("elements_more", count=count, most=most)
            elements[node.index] = {"columns": 1, "texts": [], "feeds": [], "more": more}
            continue
        feeds: list[list[str]] = []
        if node.creator is not None:
            creator = graph.functions[node.creator]
            calls -= 1 + sum(graph.variables[v].value.size for v in creator.inputs)
            feeds = _feeds(creator, kept) if calls >= 0 else []
        elements[node.index] = _written(shown, node, feeds)
    return elements


def _written(shown: Pass, node: VariableNode, feeds: list[list[str]]) -> Json:
    number = shown.words.number
    return {
        "columns": node.value.shape[-1],
        "texts": [number(element) for element in node.value.flat],
        "feeds": feeds,
    }


def _feeds(creator: FunctionNode, kept: Kept) -> list[list[str]]:
    found = feeding(creator.function)
    if found is None:
        return []
    inputs = [kept.variables[v] for v in creator.inputs]
    return [
        list(
            dict.fromkeys(
                f"v{v}[{element}]"
                for v, fed in zip(inputs, found, strict=True)
                for element in fed[place].nonzero()[0]
            )
        )
        for place in range(len(found[0]))
    ]
