"""The calls of the forward pass, as the payload has them."""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.explain.forward import CALL_TEXTS, describe_call, in_order_of_calls
from ipygrad.show.room import LONGEST_TEXTS
from ipygrad.show.steps import said_step

if TYPE_CHECKING:
    from ipygrad.capture.graph import FunctionNode
    from ipygrad.show.payload import Kept, Pass

MOST_CALLS = 1_000
"""Of a longer computation the front end puts the calls into words."""

Json = dict[str, Any]


class Calls(NamedTuple):
    """The calls of the forward pass.

    Attributes
    ----------
    told
        A step for each call, in the order in which they were made; of a long computation for those
        alone that need most room.
    bare
        Of a long computation the functions in that order, and the texts to tell of each.
    """

    told: list[Json]
    bare: Json | None


def calls_of(shown: Pass, kept: Kept) -> Calls:
    """Put the calls into words or, if there are too many, into their order."""
    graph, words = shown.graph, shown.words
    nodes = [node for node in in_order_of_calls(graph) if node.index in kept.functions]
    numbered = list(enumerate(nodes, start=1))
    is_long = len(nodes) > MOST_CALLS
    if is_long:
        lengths = [len(node.name) for node in graph.variables]

        def length(call: tuple[int, FunctionNode]) -> int:
            return sum(map(lengths.__getitem__, call[1].inputs))

        numbered = nlargest(LONGEST_TEXTS, numbered, key=length)
    told = [
        said_step(
            describe_call(words, graph, node, index, len(nodes)),
            kept.functions[node.index],
            node.line,
        )
        for index, node in numbered
    ]
    texts = {key: words.template(key) for key in CALL_TEXTS}
    functions = [kept.functions[node.index] for node in nodes]
    return Calls(told, {"functions": functions, "texts": texts} if is_long else None)
