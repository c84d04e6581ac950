"""The backward pass that a learner's own engine ran, or that was called by hand, as bare steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.adapters.mirror import MirrorFunction
from ipygrad.capture.backward import BackwardRun, BareStep, final_gradients
from ipygrad.capture.calls import Call
from ipygrad.capture.orders import Fault, with_faults
from ipygrad.capture.sources import running_source
from ipygrad.engine.core import BackwardError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ipygrad.capture.adapters.mirror import Translation
    from ipygrad.capture.calls import Turn
    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.engine.core import Array


def own_run(
    graph: Graph,
    translation: Translation,
    turns: Iterable[Turn],
    right: BackwardRun,
    names: Mapping[int, str],
) -> BackwardRun:
    """Return a pass with the turns that were taken, and what went wrong in them.

    Parameters
    ----------
    graph
        The mirror's.
    translation
        Between a learner's variables and those of the mirror.
    turns
        In the order in which they were taken; those of functions that are not in the graph do not
        count.
    right
        The pass as it should be.
    names
        What the user calls functions, by their numbers as objects.
    """
    steps: list[BareStep] = []
    taken: dict[int, Turn] = {}
    error: BackwardError | None = None
    failed: int | None = None
    for turn in turns:
        node = node_of(graph, turn)
        if node is None:
            continue
        message = _missing_gradient(graph, node, turn, taken, names) or _slip(node, turn, names)
        taken[node.index] = turn
        if message is not None:
            error, failed = BackwardError(message, node.function), node.index
            break
        steps.append(_step(len(steps) + 1, graph, translation, node, turn))
    faulty = with_faults(graph, steps, final_gradients(graph, right))
    return replace(right, steps=faulty, error=error, failed=failed)


def left_out(graph: Graph, run: BackwardRun) -> list[FunctionNode]:
    """Return the functions that have had no turn, those nearest to the result first."""
    taken = {step.function for step in run.steps}
    return [node for node in reversed(graph.functions) if node.index not in taken]


def name_of(node: FunctionNode, names: Mapping[int, str]) -> str:
    """Return what the user calls a function: its name in the notebook, else that of its class."""
    return names.get(id(_foreign(node)), node.label)


def node_of(graph: Graph, turn: Turn) -> FunctionNode | None:
    """Return the function in the graph whose turn it was."""
    nodes = [node for node in graph.functions if _foreign(node) is turn.function]
    inputs = [*map(id, turn.inputs)]
    for node in nodes:
        function = node.function
        if isinstance(function, MirrorFunction) and isinstance(function.foreign, Call):
            if not inputs or inputs == [*map(id, function.foreign.inputs)]:
                return node
    return None


def _foreign(node: FunctionNode) -> Any:
    function = node.function
    foreign = function.foreign if isinstance(function, MirrorFunction) else None
    return foreign.function if isinstance(foreign, Call) else None


def _missing_gradient(
    graph: Graph,
    node: FunctionNode,
    turn: Turn,
    taken: Mapping[int, Turn],
    names: Mapping[int, str],
) -> str | None:
    """Say which gradient a function was called too early for; None where it got all."""
    for y, cotangent in zip(node.outputs, turn.cotangents, strict=False):
        if y is None or cotangent is not None:
            continue
        missing = f"{graph.variables[y].name}.grad"
        message = f"{missing} is None when {name_of(node, names)}.backward needs it: "
        users = [n for n in graph.functions if y in n.inputs]
        for user in users:
            slip = _slip(user, taken[user.index], names) if user.index in taken else None
            if slip is not None:
                return slip
        if not users:
            return f"{message}assign {missing} = np.array(1.0) first"
        return f"{message}run {name_of(users[-1], names)}.backward first"
    return None


def _slip(node: FunctionNode, turn: Turn, names: Mapping[int, str]) -> str | None:
    """Say what was wrong with what a function returned; None where nothing was."""
    name = f"{name_of(node, names)}.backward"
    if turn.has_raised:
        return f"{name} raised an error"
    if turn.returned is None:
        return f'{name} returned None: did you forget "return gx"?'
    counts = len(turn.contributions), len(node.inputs)
    if counts[0] != counts[1]:
        return (
            f"{name} returned {counts[0]} contributions for {counts[1]} inputs: return one for "
            "each input"
        )
    return None


def _step(
    index: int, graph: Graph, translation: Translation, node: FunctionNode, turn: Turn
) -> BareStep:
    count = len(node.inputs)
    before = turn.before if len(turn.before) == count else (None,) * count
    after = turn.after if len(turn.after) == count else (None,) * count
    return BareStep(
        index=index,
        function=node.index,
        cotangents=tuple(np.asarray(c) for c in turn.cotangents if c is not None),
        contributions=tuple(
            None if graph.variables[x].kind == "constant" else c
            for x, c in zip(node.inputs, turn.contributions, strict=True)
        ),
        before=before,
        after=after,
        faults=_misled(graph, translation, node, turn),
        source=running_source(turn.code, turn.values),
    )


def _misled(
    graph: Graph, translation: Translation, node: FunctionNode, turn: Turn
) -> tuple[Fault, ...]:
    """Tell whether a function was given the gradient of a variable that it has not made."""
    outputs = {y for y in node.outputs if y is not None}
    givers = {
        variable.index
        for variable in graph.variables
        for given in turn.given
        if given is getattr(translation.origin_of(variable.variable), "grad", None)
    }
    wrong = sorted(givers - outputs) if not givers & outputs else []
    return tuple(Fault("misled", number) for number in wrong)

