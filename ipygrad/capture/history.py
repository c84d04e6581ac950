"""What is known of learners' functions from one cell to the next.

Before their variables know their creators, a graph is spread over cells: one calls the functions,
the next calls their backward methods, perhaps one a cell.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.adapters.learners import LearnersAdapter
from ipygrad.capture.calls import Call, Calls
from ipygrad.capture.own_runs import OwnTurns, node_of, nodes_by_function
from ipygrad.capture.quiet import quietly
from ipygrad.capture.recording import CallRecorder
from ipygrad.capture.shapes import data_of, inputs_of, is_function, is_variable, outputs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ipygrad.capture.graph import Graph
    from ipygrad.capture.observe import Observer
    from ipygrad.capture.own_runs import Nodes
    from ipygrad.capture.turns import Turn

MOST_TURNS = 2_000
"""How many are kept, the latest."""


class History:
    """The calls of functions whose outputs do not know them, and the backward calls by hand.

    Attributes
    ----------
    calls
        In order, those of earlier cells too.
    turns
        Those of the cells that have run before.
    """

    def __init__(self) -> None:
        self.calls = Calls()
        self.turns: deque[Turn] = deque(maxlen=MOST_TURNS)
        self._cell: CallRecorder | None = None

    def next_cell(self, observer: Observer) -> CallRecorder:
        """Return a recorder for the cell that runs now; the one before becomes an earlier one."""
        if self._cell is not None:
            self.turns.extend(self._cell.by_hand.turns)
        self._cell = CallRecorder(observer, self.calls)
        return self._cell

    def guess(self, namespace: Mapping[str, object]) -> None:
        """Add the calls that were made unobserved, as far as the user's names show them.

        A function that keeps its input, and nothing else, has made the variable that holds what its
        forward gives; of several, the one that was named first after the input.
        """
        known = {id(y) for call in self.calls for y in call.outputs if y is not None}
        names = [value for name, value in namespace.items() if not name.startswith("_")]
        variables = [v for v in names if is_variable(v) and getattr(v, "creator", None) is None]
        places = {id(v): place for place, v in enumerate(variables)}
        for function in names:
            inputs = inputs_of(function) if is_function(function) else ()
            if not inputs or outputs_of(function) or not all(map(is_variable, inputs)):
                continue
            later = variables[1 + max((places.get(id(x), -1) for x in inputs), default=-1) :]
            free = (v for v in later if id(v) not in known)
            made = next((v for v in free if _gives(function, inputs, v)), None)
            if made is not None:
                known.add(id(made))
                self.calls.add(function, inputs, (made,))

    def result_of(self, recorder: CallRecorder, value: object) -> object | None:
        """Return what a cell that goes back by hand, or whose pass failed, has gone back from.

        Parameters
        ----------
        recorder
            Who listened while it ran.
        value
            The value of its last expression; a variable is the result itself.
        """
        if is_variable(value):
            return None
        if recorder.runs:
            result: object = recorder.runs[-1].result
            return result
        turns = recorder.by_hand.turns
        return self._end_of(turns[0].function) if turns else None

    def turns_in(self, graph: Graph, recorder: CallRecorder) -> OwnTurns:
        """Return the turns that a cell took of functions in `graph`; none where it took none.

        Those taken by hand stand behind those of earlier cells that belong to the same pass: the
        latest of functions that have had no turn since.
        """
        nodes = nodes_by_function(graph)
        for run in (*reversed(recorder.runs), recorder.by_hand):
            turns = [turn for turn in run.turns if node_of(nodes, turn) is not None]
            if turns and run is recorder.by_hand:
                turns = [*reversed([*self._not_repeated(turns, nodes)]), *turns]
                # Half a pass would tell a wrong story.
                taken = {id(turn.function) for turn in turns}
                if recorder.is_cut and not taken.issuperset(nodes):
                    break
            if turns:
                return OwnTurns(turns)
        return OwnTurns(is_cut=recorder.is_cut)

    def _end_of(self, function: object) -> object | None:
        """Return the variable at the end of the calls that go on from what `function` made.

        Of functions that remember their outputs, these are the ones that have gone back before.
        """
        outputs = outputs_of(function)
        end = outputs[0] if outputs else None
        for turn in reversed(self.turns):
            outputs = outputs_of(turn.function)
            if outputs and any(x is end for x in inputs_of(turn.function)):
                end = outputs[0]
        for call in self.calls:
            if call.function is function or any(x is end for x in call.inputs):
                end = call.outputs[0]
        return end

    def _not_repeated(self, turns: Iterable[Turn], nodes: Nodes) -> Iterator[Turn]:
        seen = {id(turn.function) for turn in turns}
        for turn in reversed(self.turns):
            if node_of(nodes, turn) is not None:
                if id(turn.function) in seen:
                    return
                seen.add(id(turn.function))
                yield turn


def _gives(function: Any, inputs: tuple[Any, ...], variable: Any) -> bool:
    try:
        with quietly():
            call = Call(function, inputs, (variable,))
            (array,) = LearnersAdapter().rerun(call, [data_of(x) for x in inputs]).outputs
    except Exception:  # noqa: BLE001 - whatever a learner's forward raises, it is not the one
        return False
    return array.shape == data_of(variable).shape and bool(np.array_equal(array, variable.data))
