"""The graph of a pass that a cell has run, as it was when it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.orders import alike
from ipygrad.capture.replay import CannotReplayError, replay
from ipygrad.engine.core import Variable

if TYPE_CHECKING:
    from ipygrad.capture.graph import Graph
    from ipygrad.capture.moments import Moment
    from ipygrad.engine.core import Array


def at_its_moment(graph: Graph, moment: Moment) -> Graph | None:
    """Return the graph of a pass with the values that it ran with.

    Where leaves have changed since, its functions are called again on what these held; all that
    they make must then be what is still there of that time.

    Parameters
    ----------
    graph
        As it is now.

    Returns
    -------
    Graph or None
        The same where nothing has changed; None where the values of then cannot be had again.
    """
    leaves = {node.index: node for node in graph.variables if node.kind == "leaf"}
    # A graph that was cut since, by unchain_backward(), has other leaves.
    if {node.variable for node in leaves.values()} != set(moment.leaves):
        return None
    before = {number: moment.leaves[node.variable] for number, node in leaves.items()}
    changed = {
        number: value
        for number, value in before.items()
        if not np.array_equal(value, leaves[number].value, equal_nan=True)
    }
    if not changed:
        return graph
    try:
        again = replay(graph, changed)
    except CannotReplayError:
        return None
    made = [node.index for node in graph.variables if node.creator is not None]
    if not all(alike(again.variables[n].value, graph.variables[n].value) for n in made):
        return None
    return again


class StandIns:
    """Which variables of a graph stand for those of the user's, which hold other values by now.

    Parameters
    ----------
    graph
        Of the user's own variables.
    again
        The same with others in their place.
    """

    def __init__(self, graph: Graph, again: Graph) -> None:
        pairs = [
            (mine.variable, theirs.variable)
            for mine, theirs in zip(again.variables, graph.variables, strict=True)
        ]
        self._mine = {theirs: mine for mine, theirs in pairs}
        self._theirs = dict(pairs)

    def mirror_or_itself(self, value: object) -> Any:
        """Return what stands for a variable of the user's; any other value as it is."""
        return self._mine.get(value, value) if isinstance(value, Variable) else value

    def assign(self, mine: Variable, value: Array) -> None:
        """Give the user's own variable another value."""
        self._theirs[mine].data = value
