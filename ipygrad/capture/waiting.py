"""Which functions wait for their turn after each step of a backward pass."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.graph import Graph


class Waiting(NamedTuple):
    """A function that a gradient has reached, and whose turn is still to come.

    Attributes
    ----------
    function
        Number of the function in the graph.
    label
        Its name for people.
    generation
        0 for a function of leaves only, else one more than the highest among its inputs' creators.
    arrived, expected
        How many gradients have arrived at what it made, of how many that this pass sends there.
    """

    function: int
    label: str
    generation: int
    arrived: int
    expected: int

    @property
    def missing(self) -> int:
        """How many gradients have not arrived yet."""
        return self.expected - self.arrived


class Queue(NamedTuple):
    """Who waits after a step.

    Attributes
    ----------
    first
        Those who come first, the next one at the front.
    length
        How many wait in all.
    highest
        The highest generation among all that wait; -1 when none waits.
    equals
        How many have that generation.
    """

    first: tuple[Waiting, ...]
    length: int
    highest: int
    equals: int


class WaitingList:
    """The functions that wait, from the start of a pass on, one step after the other.

    Parameters
    ----------
    graph
        With one result.
    run
        Its pass, in whatever order it ran.

    Attributes
    ----------
    step
        Number of the step that was taken last; 0 at the start.
    """

    def __init__(self, graph: Graph, run: BackwardRun) -> None:
        self._graph = graph
        self.step = 0
        self._steps = run.steps
        self._end = len(run.steps) + 1
        self._turns: dict[int, list[int]] = {}
        for step in run.steps:
            self._turns.setdefault(step.function, []).append(step.index)
        inputs = (v for number in self._turns for v in graph.functions[number].inputs)
        reached = (graph.variables[v] for v in (graph.results[0], *inputs))
        self._expected = Counter(node.creator for node in reached)
        self._arrived: Counter[int] = Counter()
        # By their turn, the next one last: for each when that is, its generation and its number.
        self._queue: list[tuple[int, int, int]] = []
        self._generations: list[int] = []
        self._reach(graph.results[0], 0)

    def advance(self) -> None:
        """Take the next step of the pass."""
        step = self._steps[self.step]
        self.step = step.index
        # One that nothing has reached may have a turn all the same, by hand.
        if self._queue and self._queue[-1][2] == step.function:
            _, generation, _ = self._queue.pop()
            del self._generations[bisect_left(self._generations, generation)]
        inputs = self._graph.functions[step.function].inputs
        for variable, contribution in zip(inputs, step.contributions, strict=True):
            if contribution is not None:
                self._reach(variable, step.index)

    def queue(self, most: int | None = None) -> Queue:
        """Return who waits now, at most so many of them."""
        kept = self._queue if most is None else self._queue[-most:]
        highest = self._generations[-1] if self._generations else -1
        equals = len(self._queue) - bisect_left(self._generations, highest)
        first = tuple(self._waiting(number) for _, _, number in reversed(kept))
        return Queue(first, len(self._queue), highest, equals)

    def _reach(self, variable: int, now: int) -> None:
        number = self._graph.variables[variable].creator
        if number is None:
            return
        self._arrived[number] += 1
        turns = self._turns.get(number, [])
        # Who has no turn, since the pass stops before it, stands behind all the others.
        turn = (*turns[bisect_right(turns, now) :], self._end)[0]
        place = (-turn, self._graph.functions[number].generation, number)
        at = bisect_left(self._queue, place)
        if self._queue[at : at + 1] != [place]:
            self._queue.insert(at, place)
            insort(self._generations, place[1])

    def _waiting(self, number: int) -> Waiting:
        node, expected = self._graph.functions[number], self._expected[number]
        # In a wrong order a function may have more turns than one, and get more than it should.
        arrived = min(self._arrived[number], expected)
        return Waiting(number, node.label, node.generation, arrived, expected)
