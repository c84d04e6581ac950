"""The calls of a forward pass in words: what ran, which link was tied, what came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygrad.explain.words import StepWords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipygrad.capture.graph import FunctionNode, Graph, VariableNode
    from ipygrad.explain.words import Words

CALL_TEXTS = (
    *("heading", "call_status", "call_made", "call_made_elsewhere", "call_tied", "call_tied_many"),
    *("call_value", "list", "and", "between"),
)
"""Keys of the texts that `describe_call` fills, with the names and values of variables."""


def in_order_of_calls(graph: Graph) -> list[FunctionNode]:
    """Return the functions in the order in which they were called.

    What an earlier cell called, and so nobody saw, comes first, inputs before outputs.
    """
    return sorted(
        graph.functions,
        key=lambda node: (-1 if node.made is None else node.made.order, node.index),
    )


def describe_call(
    words: Words, graph: Graph, node: FunctionNode, index: int, count: int
) -> StepWords:
    """Say what one call of the forward pass does.

    Parameters
    ----------
    index, count
        Its number, from 1, and that of all calls.
    """
    inputs = [graph.variables[v] for v in dict.fromkeys(node.inputs)]
    outputs = [graph.variables[v] for v in node.outputs if v is not None]
    made = words(
        "call_made_elsewhere" if node.line is None else "call_made",
        line=node.line,
        function=node.label,
        inputs=words.enumerate([_with_value(words, x) for x in inputs]),
    )
    names = words.enumerate([y.name for y in outputs])
    key = "call_tied" if len(outputs) == 1 else "call_tied_many"
    tied = words(key, outputs=names, function=node.label)
    value = words("call_value", values=words.enumerate([_with_value(words, y) for y in outputs]))

    def status(sentences: Sequence[str]) -> str:
        return words("call_status", index=index, count=count, sentence=words.join(sentences))

    return StepWords(
        heading=words(
            "heading",
            function=node.label,
            outputs=words.enumerate([x.name for x in inputs]),
            inputs=names,
        ),
        sentence=words.join([made, tied, value]),
        status=status([made, tied, value]),
        parts=(status([made]), status([made, tied])),
    )


def _with_value(words: Words, node: VariableNode) -> str:
    value = words.number(node.value)
    return value if value == node.name else f"{node.name} = {value}"
