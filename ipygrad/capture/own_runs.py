"""The backward pass that a learner's own engine ran, or that was called by hand, as bare steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ipygrad.capture.adapters.learners import has_backward
from ipygrad.capture.backward import BackwardRun, BareStep, final_gradients
from ipygrad.capture.calls import Call, Calls
from ipygrad.capture.observe import Observer
from ipygrad.capture.orders import Fault, with_faults
from ipygrad.capture.recording import CallRecorder
from ipygrad.capture.shapes import inputs_of, is_function
from ipygrad.capture.sources import Texts, running_source
from ipygrad.capture.wrapping import methods_wrapped
from ipygrad.engine.errors import BackwardError
from ipygrad.engine.reverse import accumulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ipygrad.capture.adapters.captured import Captured
    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.capture.turns import Turn
    from ipygrad.engine.core import Array


Nodes = dict[int, list["FunctionNode"]]


def is_own(graph: Graph) -> bool:
    """Tell whether a graph mirrors one of classes that a learner has typed."""
    return any(_call_of(node) is not None for node in graph.functions[:1])


def names_of_functions(namespace: Mapping[str, object]) -> dict[int, str]:
    """Return what the user calls functions, by their numbers as objects."""
    found: dict[int, str] = {}
    for name, value in namespace.items():
        if not name.startswith("_") and is_function(value):
            found.setdefault(id(value), name)
    return found


class OwnTurns(NamedTuple):
    """What a learner's classes, or a learner by hand, did with a graph.

    Attributes
    ----------
    turns
        The backward methods that were called, in order; none where nobody did.
    is_cut
        Whether there were so many that they are not kept.
    error
        What a ``backward()`` raised that ipygrad has called.
    """

    turns: Sequence[Turn] = ()
    is_cut: bool = False
    error: Exception | None = None


NO_TURNS = OwnTurns()


def run_own_backward(captured: Captured, right: BackwardRun) -> OwnTurns:
    """Let a learner's engine go back by itself, and leave its gradients.

    Where the variables have no ``backward()`` yet, nothing happens.
    """
    translation = captured.translation
    if translation is None:
        return NO_TURNS
    recorder = CallRecorder(Observer(""), Calls())
    objects = [_foreign(node) for node in captured.graph.functions]
    objects += [translation.identity_of(node.variable) for node in captured.graph.variables]
    kinds = dict.fromkeys(kind for o in objects for kind in type(o).__mro__)
    error: Exception | None = None
    with recorder.recording(), methods_wrapped(recorder, kinds, ()):
        try:
            translation.run_backward(right.cotangent)
        except Exception as raised:  # noqa: BLE001 - whatever a learner's backward raises is told
            error = raised
    turns = [turn for run in recorder.runs for turn in run.turns]
    return OwnTurns(turns, recorder.is_cut, error)


def own_run(
    captured: Captured,
    turns: Iterable[Turn],
    right: BackwardRun,
    names: Mapping[int, str],
) -> BackwardRun:
    """Return a pass with the turns that were taken, and what went wrong in them.

    Parameters
    ----------
    captured
        The mirror of the learner's graph.
    turns
        In the order in which they were taken; those of functions that are not in the graph do not
        count. Where there are none, it is the right pass that is returned.
    right
        The pass as it should be.
    names
        What the user calls functions, by their numbers as objects.
    """
    graph = captured.graph
    nodes = nodes_by_function(graph)
    steps: list[BareStep] = []
    taken: dict[int, Turn] = {}
    texts: Texts = {}
    error: BackwardError | None = None
    failed: int | None = None
    for turn in turns:
        node = node_of(nodes, turn)
        if node is None:
            continue
        message = _missing_gradient(graph, node, turn, taken, names) or _slip(node, turn, names)
        taken[node.index] = turn
        if message is not None:
            error, failed = BackwardError(message, node.function), node.index
            break
        steps.append(_step(len(steps) + 1, captured, node, turn, texts))
    if not taken:
        return right
    faulty = with_faults(graph, steps, final_gradients(graph, right))
    return replace(right, steps=faulty, error=error, failed=failed)


def left_out(graph: Graph, run: BackwardRun) -> list[FunctionNode]:
    """Return the functions that have had no turn, those nearest to the result first."""
    taken = {step.function for step in run.steps}
    return [node for node in reversed(graph.functions) if node.index not in taken]


def name_of(node: FunctionNode, names: Mapping[int, str]) -> str:
    """Return what the user calls a function: its name in the notebook, else that of its class."""
    return names.get(id(_foreign(node)), node.label)


def is_measured(node: FunctionNode) -> bool:
    """Tell whether a learner's function has no backward yet, and differences stand in for it."""
    call = _call_of(node)
    return call is not None and not has_backward(call.function)


def called_again(graph: Graph) -> list[FunctionNode]:
    """Return the functions that remember other inputs by now: their objects were called again."""
    found = []
    for node in graph.functions:
        call = _call_of(node)
        remembered = () if call is None else inputs_of(call.function)
        if call is not None and remembered and [*map(id, remembered)] != [*map(id, call.inputs)]:
            found.append(node)
    return found


def unlinked_outputs(node: FunctionNode) -> list[object]:
    """Return the outputs that could know their creator, by their class, and do not."""
    call = _call_of(node)
    outputs = () if call is None else call.outputs
    return [y for y in outputs if getattr(y, "creator", y) is None and y is not None]


def nodes_by_function(graph: Graph) -> Nodes:
    """Return the functions of a graph by the numbers of the learner's objects."""
    nodes: Nodes = {}
    for node in graph.functions:
        nodes.setdefault(id(_foreign(node)), []).append(node)
    return nodes


def node_of(nodes: Nodes, turn: Turn) -> FunctionNode | None:
    """Return the function in a graph whose turn it was; its inputs must be those of then."""
    inputs = [*map(id, turn.inputs)]
    for node in nodes.get(id(turn.function), ()):
        call = _call_of(node)
        if call is not None and inputs in ([], [*map(id, call.inputs)]):
            return node
    return None


def _call_of(node: FunctionNode) -> Call | None:
    foreign = getattr(node.function, "foreign", None)
    return foreign if isinstance(foreign, Call) else None


def _foreign(node: FunctionNode) -> object:
    call = _call_of(node)
    return None if call is None else call.function


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
    if turn.error is not None:
        return f"{name} raised {turn.error}"
    if turn.returned is None:
        return f'{name} returned None: did you forget "return gx"?'
    counts = len(turn.contributions), len(node.inputs)
    if counts[0] != counts[1]:
        return (
            f"{name} returned {counts[0]} contributions for {counts[1]} inputs: return one for "
            "each input"
        )
    return None


def _step(index: int, captured: Captured, node: FunctionNode, turn: Turn, texts: Texts) -> BareStep:
    variables = captured.graph.variables
    contributions = tuple(
        None if variables[x].kind == "constant" else contribution
        for x, contribution in zip(node.inputs, turn.contributions, strict=True)
    )
    before, after = _one_by_one(node.inputs, contributions, turn)
    return BareStep(
        index=index,
        function=node.index,
        cotangents=tuple(np.asarray(c) for c in turn.cotangents if c is not None),
        contributions=contributions,
        before=before,
        after=after,
        faults=_misled(captured, node, turn),
        source=running_source(turn.code, turn.values, texts),
    )


def _one_by_one(
    inputs: tuple[int, ...], contributions: tuple[Array | None, ...], turn: Turn
) -> tuple[tuple[Array | None, ...], tuple[Array | None, ...]]:
    """Return the gradients before and after each contribution, which may go to one variable.

    Only those before and after the whole turn were seen. In between, what came first has been added
    or assigned, as the last was.
    """
    count = len(inputs)
    if len(turn.before) != count or len(turn.after) != count:
        return (None,) * count, (None,) * count
    before, after = [*turn.before], [*turn.after]
    for place, x in enumerate(inputs):
        contribution = contributions[place]
        if contribution is None or x not in inputs[place + 1 :]:
            continue
        following = inputs.index(x, place + 1)
        given = [c for y, c in zip(inputs, contributions, strict=True) if y == x and c is not None]
        end, start = turn.after[place], turn.before[place]
        is_added = end is not None and np.allclose(end, sum(given, 0.0 if start is None else start))
        held = before[place] if is_added else None
        after[place] = before[following] = np.asarray(accumulate(held, contribution))
    return tuple(before), tuple(after)


def _misled(captured: Captured, node: FunctionNode, turn: Turn) -> tuple[Fault, ...]:
    """Tell whether a function was given the gradient of a variable that it has not made."""
    graph, translation = captured
    if translation is None or not turn.is_by_hand:
        return ()
    outputs = {y for y in node.outputs if y is not None}
    givers = {
        variable.index
        for variable in graph.variables
        for given in turn.given
        if given is getattr(translation.identity_of(variable.variable), "grad", None)
    }
    wrong = sorted(givers - outputs) if not givers & outputs else []
    return tuple(Fault("misled", number) for number in wrong)
