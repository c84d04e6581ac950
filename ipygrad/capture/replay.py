"""What a graph would hold if its leaves had other values: the same calls, made once more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ipygrad.capture.graph import FunctionNode, Graph, VariableNode
from ipygrad.capture.quiet import private_copy, quietly
from ipygrad.engine.core import Constant, Variable, apply, as_tuple
from ipygrad.engine.mode import recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipygrad.engine.core import Array


class CannotReplayError(ValueError):
    """A function cannot be called on other values; the message says which and why."""


def replay(graph: Graph, values: Mapping[int, Array]) -> Graph:
    """Call copies of a graph's functions on other leaves; nobody notices.

    The calls stay those of the recording: a branch that the cell did not take is not taken here,
    and what a function drew at random stays as it was.

    Parameters
    ----------
    values
        For some leaves, by number, other values of the same shape.

    Returns
    -------
    Graph
        With the same numbers and names, and variables and functions of its own.

    Raises
    ------
    CannotReplayError
        When a function raises, or makes something of another shape.
    """
    variables: dict[int, Variable] = {}
    functions: list[Any] = []
    for node in graph.variables:
        if node.creator is None:
            kind = Constant if node.kind == "constant" else Variable
            value = values.get(node.index, node.value).astype(node.value.dtype)
            variables[node.index] = kind(value, node.variable.name)
    with quietly(), recorded():
        for called in graph.functions:
            made = _call(called, [variables[x] for x in called.inputs])
            functions.append(made[0].creator)
            for number, y in zip(called.outputs, made, strict=True):
                if number is not None:
                    variables[number] = _checked(y, called, graph.variables[number])
    return Graph(
        tuple(
            replace(node, variable=variables[node.index], value=variables[node.index].data.copy())
            for node in graph.variables
        ),
        tuple(
            replace(node, function=function)
            for node, function in zip(graph.functions, functions, strict=True)
        ),
        graph.results,
    )


def _call(node: FunctionNode, inputs: Sequence[Variable]) -> tuple[Variable, ...]:
    try:
        return as_tuple(apply(private_copy(node.function), *inputs))
    except Exception as error:
        raise CannotReplayError(
            f"{node.label} cannot be called again on these values: {error or type(error).__name__}"
        ) from error


def _checked(y: Variable, maker: FunctionNode, before: VariableNode) -> Variable:
    if y.shape != before.value.shape:
        raise CannotReplayError(
            f"{maker.label} makes {before.name} of shape {y.shape} now, not {before.value.shape}"
        )
    y.name = before.variable.name
    return y
