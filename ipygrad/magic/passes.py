"""From a captured graph to the pass that is shown, the gradients that stay, and what to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from ipygrad.capture.backward import final_gradients
from ipygrad.capture.orders import run_in_order
from ipygrad.capture.own_runs import own_run, run_own_backward
from ipygrad.capture.quiet import quietly
from ipygrad.engine.errors import BackwardError
from ipygrad.explain.lessons import describe_not_called, describe_order, describe_own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.capture.adapters.captured import Captured
    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.capture.orders import Order
    from ipygrad.capture.own_runs import OwnTurns
    from ipygrad.engine.core import Array, Variable
    from ipygrad.explain.words import Words
    from ipygrad.magic.cell_jobs import CellJobs

    Notices = tuple[str, ...]


def pass_in_order(
    graph: Graph, right: BackwardRun, order: Order, words: Words
) -> tuple[BackwardRun, Notices]:
    """Return the pass in the order that was asked for, and that it is a wrong one.

    Raises
    ------
    UsageError
        When it would take too many turns.
    """
    try:
        recorded = run_in_order(graph, order, right)
    except ValueError as error:
        raise UsageError(f"--order {order}: {error}") from None
    if recorded is right:
        return right, ()
    return recorded, describe_order(words, graph, recorded, right, order)


def own_pass(
    captured: Captured,
    right: BackwardRun,
    words: Words,
    own: OwnTurns,
    names: Mapping[int, str],
    *,
    write: bool,
) -> tuple[BackwardRun, Notices]:
    """Return the pass as a learner's classes ran it, or would have, and what to say of it.

    Parameters
    ----------
    captured
        A graph of such classes.
    right
        The pass as it should be.
    own
        The calls of backward that cells have made.
    names
        What the user calls functions, by their numbers as objects.
    write
        Whether to call the learner's own ``backward()``.
    """
    graph = captured.graph
    notices: Notices = ()
    if write and captured.cut_off:
        notices = (describe_not_called(words, graph),)
    elif write:
        own = run_own_backward(captured, right)
    recorded = own_run(captured, own.turns, right, names)
    return recorded, describe_own(words, graph, recorded, right, names, own) + notices


def leave_gradients(
    captured: Captured, recorded: BackwardRun, again: Mapping[VariableNode, Variable]
) -> dict[int, Array]:
    """Leave gradients as ``result.backward()`` does; return those that it has added to."""
    added = captured.leave_gradients(recorded, again)
    (result,) = captured.graph.results
    return {node.index: before for node, (before, _) in added.items() if node.index != result}


def describe_added(
    words: Words, graph: Graph, run: BackwardRun, held: Mapping[int, Array]
) -> Notices:
    """Tell of the gradients that a pass has added to; of leaves, where there are any."""
    finals = final_gradients(graph, run)
    added = [graph.variables[number] for number in held if number in finals]
    leaves = [node for node in added if node.creator is None] or added
    if not leaves:
        return ()
    sums = [
        f"{node.name}.grad {words.number(held[node.index])} → {words.number(finals[node.index])}"
        for node in leaves
    ]
    names = words.enumerate([f"{node.name}.grad" for node in leaves])
    return (words("notice_leftover", names=names, sums=words.enumerate(sums)),)


def dropped_gradients(captured: Captured) -> frozenset[int]:
    """Return the variables that a pass of the cell has left without a gradient, by number.

    Those of other engines, which may never keep one, are not among them.
    """
    if captured.translation is not None:
        return frozenset()
    made = (node for node in captured.graph.variables if node.creator is not None)
    return frozenset(node.index for node in made if node.variable.grad is None)


def gradients_again(
    captured: Captured, right: BackwardRun
) -> tuple[dict[VariableNode, Variable], BackwardError | None]:
    """Return the gradients of a pass as Variables, and why they cannot be differentiated again.

    Raises
    ------
    UsageError
        When the graph is another engine's.
    """
    if captured.translation is not None:
        raise UsageError("--create-graph is for Variables of ipygrad, not for those of others")
    try:
        with quietly():
            return captured.gradients_again(right), None
    except BackwardError as error:
        return {}, error


def describe_cell(words: Words, cells: CellJobs) -> Notices:
    """Say which of the passes that a cell has run are not shown."""
    if not cells.jobs:
        return (words("notice_pass_now"),)
    notices: Notices = ()
    if cells.ran > cells.kept:
        notices += (words("notice_passes_cut", count=f"{cells.ran:,}", shown=cells.kept),)
    if cells.lost:
        notices += (words("notice_passes_lost", names=words.enumerate(cells.lost)),)
    if cells.more:
        notices += (words("notice_gradients_cut", count=f"{cells.more:,}"),)
    return notices
