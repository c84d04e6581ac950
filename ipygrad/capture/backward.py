"""From a graph to the bare steps of its backward pass: cotangents in, contributions out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ipygrad.capture.calls import Call
from ipygrad.capture.quiet import private_copy, quietly, uncollected
from ipygrad.capture.sources import HeardBackwards, hearing_backwards
from ipygrad.engine.core import Variable, as_array, as_tuple
from ipygrad.engine.errors import BackwardError
from ipygrad.engine.mode import no_grad
from ipygrad.engine.reverse import accumulate, reverse_pass, starting_cotangent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.capture.graph import FunctionNode, Graph
    from ipygrad.capture.orders import Fault
    from ipygrad.capture.sources import RunningSource
    from ipygrad.engine.core import Array, Function, Gradient
    from ipygrad.engine.reverse import Turn

Origin = Literal["ones", "by_hand", "given"]

RUNS_TO_BE_SURE = 8
"""In how many more runs a changed function agrees with itself; one that tosses a coin will not."""


@dataclass(frozen=True, eq=False)
class BareStep:
    """One function's turn: what arrived, what it contributed, and what that was added to.

    Attributes
    ----------
    index
        Number of the step; the first function's is 1.
    function
        Number of the function in the graph.
    cotangents
        The gradient arriving, one for each output, of the output's shape.
    contributions
        One for each input, of the input's shape: cotangent times local derivative. None for a
        constant, which keeps no gradient.
    before, after
        The gradient of each input before and after the addition; before is None for "not yet".
    faults
        What goes wrong in this step, where it is one of another order than the right one.
    source
        The text of the backward that ran, where a user wrote it.
    """

    index: int
    function: int
    cotangents: tuple[Array, ...]
    contributions: tuple[Array | None, ...]
    before: tuple[Array | None, ...]
    after: tuple[Array | None, ...]
    faults: tuple[Fault, ...] = ()
    source: RunningSource | None = None


@dataclass(frozen=True, eq=False)
class BackwardRun:
    """A backward pass as it ran.

    Attributes
    ----------
    cotangent
        What it started with, of the result's shape.
    steps
        In the order in which the functions took their turns.
    error
        Why it ended early, None if it reached the leaves.
    failed
        Number of the function that could not take its turn, None if all could.
    origin
        Where the start came from: ``"ones"``, ``"by_hand"`` (assigned to the result's ``grad``) or
        ``"given"``.
    """

    cotangent: Array
    steps: tuple[BareStep, ...]
    error: BackwardError | None
    failed: int | None
    origin: Origin


def checked_cotangent(result: Variable, name: str, cotangent: object) -> Array:
    """Return `cotangent` as an array that fits `result`.

    Raises
    ------
    ValueError
        When its shape is not that of the result.
    TypeError
        When it does not hold real numbers.
    """
    value = cotangent.data if isinstance(cotangent, Variable) else cotangent
    array = as_array(value, "A cotangent")
    if array.shape != result.shape:
        raise ValueError(
            f"the cotangent has shape {array.shape}, but {name} has shape {result.shape}: "
            "it tells how a final number changes with each element, so it needs the same shape"
        )
    return array.astype(result.dtype)


@uncollected()
def run_backward(graph: Graph, cotangent: object = None) -> BackwardRun:
    """Run the reverse pass over `graph` from its one result, and record it; no ``.grad`` changes.

    Parameters
    ----------
    graph
        With one result.
    cotangent
        Gradient of a final number with respect to the result, of its shape; by default what
        ``backward()`` would start with.
    """
    result = graph.variables[graph.results[0]]
    start = (
        starting_cotangent(result.variable)
        if cotangent is None
        else checked_cotangent(result.variable, result.name, cotangent)
    )
    origin: Origin = "by_hand" if result.variable.grad_by_hand else "ones"
    if cotangent is not None:
        origin = "given"
    numbers = {id(node.function): node.index for node in graph.functions}
    gradients: dict[Variable, Array] = {}
    steps: list[BareStep] = []
    error: BackwardError | None = None
    users = {id(node.function): _written_by_a_user(node.function) for node in graph.functions}
    with hearing_backwards() if any(users.values()) else nullcontext(HeardBackwards()) as heard:
        try:
            for turn in reverse_pass(result.variable, start, {}):
                source = heard.take(users[id(turn[0])])
                steps.append(_step(len(steps) + 1, numbers[id(turn[0])], turn, gradients, source))
        except BackwardError as raised:
            error = raised
    failed = None if error is None else numbers.get(id(error.function))
    return BackwardRun(_frozen(start), tuple(steps), error, failed, origin)


def final_gradients(graph: Graph, run: BackwardRun) -> dict[int, Array]:
    """Return the gradient of each variable that the pass has reached, by number."""
    gradients = {graph.results[0]: run.cotangent}
    for step in run.steps:
        inputs = graph.functions[step.function].inputs
        pairs = zip(inputs, step.after, strict=True)
        gradients.update([(x, gradient) for x, gradient in pairs if gradient is not None])
    return gradients


def added_to(graph: Graph, run: BackwardRun, held: Mapping[int, Array]) -> BackwardRun:
    """Return a pass as it adds to gradients that earlier passes have left.

    Parameters
    ----------
    held
        These gradients, by the numbers of their variables.
    """

    def added(step: BareStep) -> BareStep:
        inputs = graph.functions[step.function].inputs
        if held.keys().isdisjoint(inputs):
            return step
        before, after = (
            tuple(
                there if x not in held else held[x] if there is None else _frozen(held[x] + there)
                for x, there in zip(inputs, gradients, strict=True)
            )
            for gradients in (step.before, step.after)
        )
        return replace(step, before=before, after=after)

    return replace(run, steps=tuple(map(added, run.steps))) if held else run


def left_over(graph: Graph, run: BackwardRun) -> dict[int, Array]:
    """Return the gradients that a pass found, and added to, by the numbers of their variables."""
    first: dict[int, Array | None] = {graph.results[0]: None}
    for step in run.steps:
        inputs = graph.functions[step.function].inputs
        for x, before in zip(inputs, step.before, strict=True):
            first.setdefault(x, before)
    return {x: before for x, before in first.items() if before is not None}


def _written_by_a_user(function: Function) -> object | None:
    """Return the object whose backward a user wrote; None for a function of the library."""
    if not (function._is_free and getattr(function, "has_backward_method", True)):
        return None
    foreign = getattr(function, "foreign", function)
    return foreign.function if isinstance(foreign, Call) else foreign


def _step(
    index: int,
    function: int,
    turn: Turn,
    gradients: dict[Variable, Array],
    source: RunningSource | None,
) -> BareStep:
    live, arriving, contributed = turn
    before: list[Array | None] = []
    after: list[Array | None] = []
    contributions = tuple([None if c is None else _frozen(c) for c in contributed])
    for x, contribution in zip(live.inputs, contributions, strict=True):
        there = gradients.get(x)
        before.append(there)
        if contribution is not None:
            both = accumulate(there, contribution)
            gradients[x] = both if both is contribution else _frozen(both)
        after.append(gradients.get(x))
    cotangents = tuple(map(_frozen, arriving))
    return BareStep(
        index=index,
        function=function,
        cotangents=cotangents,
        contributions=contributions,
        before=tuple(before),
        after=tuple(after),
        source=source,
    )


def _frozen(gradient: Gradient | Any) -> Array:
    """Return a copy that nobody can change; what functions hand around may be views."""
    array = np.array(gradient)
    array.flags.writeable = False
    return array


def changed_in_place(graph: Graph) -> dict[int, tuple[str, ...]]:
    """Find values that changed between the forward pass and now.

    Each function is run forward again, on a copy; where that no longer gives its outputs, one of
    the variables around it was changed in place. It must be one around which *every* function
    disagrees.

    Returns
    -------
    dict
        For each function that disagrees, by number, the names of the variables that may have
        changed.
    """
    with quietly(), no_grad():
        disagreeing = {node.index for node in graph.functions if _disagrees(node)}
    neighbours: dict[int, list[int]] = {}
    for node in graph.functions if disagreeing else ():
        for variable in (*node.inputs, *node.outputs):
            if variable is not None:
                neighbours.setdefault(variable, []).append(node.index)

    def named(node: FunctionNode) -> tuple[str, ...]:
        around = dict.fromkeys(v for v in (*node.inputs, *node.outputs) if v is not None)
        suspects = [v for v in around if disagreeing.issuperset(neighbours[v])] or list(around)
        # The more functions disagree around a variable, the more it is the one.
        most = max(len(neighbours[v]) for v in suspects)
        return tuple(graph.variables[v].name for v in suspects if len(neighbours[v]) == most)

    return {number: named(graph.functions[number]) for number in sorted(disagreeing)}


def _disagrees(node: FunctionNode) -> bool:
    """Tell whether forward no longer gives the outputs, in runs that agree with each other."""
    recorded = node.function
    try:
        # One copy for all runs, so that a random generator of its own moves on. Without a __dict__
        # there is nothing that forward could leave on the function.
        function = private_copy(recorded) if hasattr(recorded, "__dict__") else recorded
        first = _outputs_again(function)
        if _all_equal(first, recorded.outputs):
            return False
        # A function that draws random numbers differs from itself: then nothing can be said.
        return all(
            all(map(_equal, first, _outputs_again(function))) for _ in range(RUNS_TO_BE_SURE)
        )
    except Exception:  # noqa: BLE001 - whatever a user's forward raises, it says nothing here
        return False


def _outputs_again(function: Function) -> tuple[Array, ...]:
    return tuple([as_array(y) for y in as_tuple(function.forward_again())])


def _all_equal(arrays: tuple[Array, ...], outputs: tuple[Variable | None, ...]) -> bool:
    return len(arrays) == len(outputs) and all(
        y is None or _equal(array, y.data) for array, y in zip(arrays, outputs, strict=True)
    )


def _equal(a: Array, b: Array) -> bool:
    if a.shape != b.shape:
        return False
    if a.ndim == 0:
        one, other = a.item(), b.item()
        return bool(one == other or (one != one and other != other))
    return bool(np.array_equal(a, b, equal_nan=True))
