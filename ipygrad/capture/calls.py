"""Watch a cell call functions that no engine of ours knows: forward, and each backward in turn."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.capture.observe import reference_to, references_to
from ipygrad.capture.shapes import (
    as_gradient,
    gradient_of,
    inputs_of,
    is_function,
    is_variable,
    unpacked,
    variables_in,
)
from ipygrad.engine.core import as_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import CodeType, FrameType

    from ipygrad.capture.observe import Observer
    from ipygrad.engine.core import Array

MOST_LATEST = 250
"""Calls that are kept whether or not anybody holds what they made."""
MOST_UNRECORDED = 1_000
"""Variables that are remembered for having been made without a creator on purpose, the latest."""
MOST_RUNS = 8
"""Backward passes that are kept of one cell, the latest ones; a loop that trains makes many."""
MOST_TURNS = 100_000
"""Backward methods that are heard of in one cell; a loop that trains for longer runs at full speed
from there on."""
MOST_NUMBERS = 10_000_000
"""Numbers in the turns by hand that are kept, the latest ones; with large arrays a loop makes many.
"""


class Call(NamedTuple):
    """A call of a learner's function whose outputs do not know it.

    Attributes
    ----------
    function
        The function.
    inputs, outputs
        Variables; None for an output that nobody holds any more.
    """

    function: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any | None, ...]


class Calls:
    """Calls in order: the latest ones, and of the others those whose outputs are still there.

    So a loop leaves little more behind than what its result was made of. Calls of functions that
    set creators, but did not this time (`no_grad`), do not count: of these it is known why.
    """

    def __init__(self) -> None:
        self._unrecorded: deque[tuple[Callable[[], Any], str]] = deque(maxlen=MOST_UNRECORDED)
        self._latest: list[tuple[Any, tuple[Any, ...], tuple[Any, ...]]] = []
        self._older: list[tuple[Any, tuple[Any, ...], list[Callable[[], Any]]]] = []

    def add(self, function: Any, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        """Remember a call."""
        if len(self._latest) >= MOST_LATEST:
            self._let_go()
        self._latest.append((function, inputs, outputs))

    def leave_out(self, outputs: tuple[Any, ...], reason: str) -> None:
        """Remember why a call that would set creators did not."""
        self._unrecorded.extend((reference_to(output), reason) for output in outputs)

    def latest_inputs(self, function: object) -> tuple[Any, ...]:
        """Return what `function` was last called on; nothing where no call of it is known."""
        calls = chain(reversed(self._latest), reversed(self._older))
        return next((inputs for called, inputs, _ in calls if called is function), ())

    def why_left_out(self, output: object) -> str | None:
        """Return why `output` has no creator, None for one that was not left out."""
        living = ((reference(), reason) for reference, reason in self._unrecorded)
        return next((why for y, why in living if y is output and y is not None), None)

    def _let_go(self) -> None:
        """Hold the outputs weakly from now on, and forget calls that lead to none."""
        latest, older = self._latest, self._older
        living: list[tuple[Any, tuple[Any, ...], list[Callable[[], Any]]]] = []
        # Backward: with a call go its inputs, which may have been the last to hold earlier outputs.
        while latest or older:
            if latest:
                function, inputs, outputs = latest.pop()
                references = references_to(outputs)
                del outputs
            else:
                function, inputs, references = older.pop()
            for reference in references:
                if reference() is not None:
                    living.append((function, inputs, references))
                    break
        self._older = living[::-1]

    def __iter__(self) -> Iterator[Call]:
        for function, inputs, references in self._older:
            outputs = tuple([reference() for reference in references])
            if any(y is not None for y in outputs):
                yield Call(function, inputs, outputs)
        for latest in self._latest:
            yield Call(*latest)


@dataclass(eq=False)
class Turn:
    """A call of a learner's ``backward``, with the gradients around it.

    Attributes
    ----------
    function
        Whose.
    given
        The arguments themselves.
    cotangents
        Copies of them; None for what is no gradient.
    inputs
        The function's, () where it does not remember them.
    before, after
        Their gradients when it was called, and when the next was, or the run was over.
    returned
        What it returned.
    has_raised
        Whether it raised instead.
    error
        What it raised, in words.
    contributions
        Copies of what it returned, one for each input.
    is_by_hand
        Whether no variable's ``backward()`` called it.
    code, values
        What ran, and its local names at the end.
    """

    function: Any
    given: tuple[Any, ...]
    cotangents: tuple[Array | None, ...]
    inputs: tuple[Any, ...]
    before: tuple[Array | None, ...]
    is_by_hand: bool
    code: CodeType
    after: tuple[Array | None, ...] = ()
    returned: Any = None
    has_raised: bool = False
    error: str = "an error"
    contributions: tuple[Array | None, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def settle(self) -> None:
        """Note the gradients that there are now; later ones belong to later turns."""
        if not self.after:
            self.after = tuple(map(gradient_of, self.inputs))

    def listen(self, frame: FrameType, event: str, _returned: object) -> None:
        """Keep the local names at the end, which are to be had from the frame only.

        It is a function for `sys.setprofile`.
        """
        if event == "return" and frame.f_code is self.code:
            self.values = dict(frame.f_locals)

    @property
    def size(self) -> int:
        """How many numbers it keeps."""
        kept = (*self.cotangents, *self.before, *self.contributions)
        return sum(array.size for array in kept if array is not None)


class Run(NamedTuple):
    """Backward methods called one after the other.

    Attributes
    ----------
    result
        The variable whose ``backward()`` called them, None when the cell did.
    turns
        In order.
    """

    result: Any
    turns: deque[Turn]


class CallRecorder:
    """Notes the calls of learners' functions while a block runs, and only then.

    Parameters
    ----------
    observer
        Who notes where variables were made, and which backward methods the cell called by hand.
    calls
        Where to add the calls whose outputs have no creator.

    Attributes
    ----------
    calls
        As given.
    by_hand
        The backward methods that the cell itself called.
    runs
        The latest backward passes that variables made.
    is_on
        Whether anything is recorded now.
    is_cut
        Whether there were more backward methods than are kept.
    """

    def __init__(self, observer: Observer, calls: Calls) -> None:
        self._observer = observer
        self._run: Run | None = None
        self._turn: Turn | None = None
        self._unsettled: Turn | None = None
        self._turns_left = MOST_TURNS
        self._numbers_by_hand = 0
        self.calls = calls
        self.by_hand = Run(None, deque())
        self.runs: deque[Run] = deque(maxlen=MOST_RUNS)
        self.is_on = False
        self.is_cut = False
        # What is known to be a variable's or function's class need not be looked at again.
        self._kinds: set[type] = set()
        self._function_kinds: set[type] = set()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what is heard inside the block."""
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False
            self._settle()

    def was_called(
        self,
        function: Any,
        given: tuple[Any, ...],
        made: Any,
        why_left_out: Callable[[], str] | None,
    ) -> None:
        """Hear that a function was called on `given` and returned `made`.

        Parameters
        ----------
        why_left_out
            Gives the reason why its ``__call__`` has not set creators (no_grad); None where it
            never does.
        """
        if self._run is not None or self._turn is not None:
            return  # What a backward computes with is no part of the graph.
        if type(made) in self._kinds:
            outputs: tuple[Any, ...] = (made,)
        else:
            outputs = variables_in((made,))
            self._kinds.update(map(type, outputs))
        # Whoever called the function: between are this method and what stands in for the other.
        # One function that calls others (a layer) makes nothing itself.
        if not outputs or not self._observer.noted_first(outputs, sys._getframe(2)):
            return
        if getattr(outputs[0], "creator", None) is not None:
            return
        if why_left_out is not None:
            self.calls.leave_out(outputs, why_left_out())
        else:
            is_one = len(given) == 1 and type(given[0]) in self._kinds
            inputs = given if is_one else variables_in(given)
            if inputs:
                self.calls.add(function, inputs, outputs)

    def goes_back(self, owner: Any, given: Sequence[Any], code: CodeType) -> Turn | Run | None:
        """Hear that ``owner.backward`` is called; return what to end it with, None for nothing."""
        if self._turn is not None:
            return None
        kind = type(owner)
        if kind not in self._function_kinds:
            if is_variable(owner):
                return self._begin_run(owner)
            if not is_function(owner):
                return None
            self._function_kinds.add(kind)
        if not self._turns_left:
            # What was heard so far is not what the cell leaves.
            for run in (self.by_hand, *self.runs):
                run.turns.clear()
            self.is_cut = True
            return None
        self._settle()
        self._turns_left -= 1
        inputs = inputs_of(owner) or self.calls.latest_inputs(owner)
        self._turn = Turn(
            function=owner,
            given=tuple(given),
            cotangents=tuple(map(as_gradient, unpacked(given))),
            inputs=inputs,
            before=tuple(map(gradient_of, inputs)),
            is_by_hand=self._run is None,
            code=code,
        )
        self._unsettled = self._turn
        (self.by_hand if self._run is None else self._run).turns.append(self._turn)
        return self._turn

    def went_back(self, heard: Turn | Run, returned: Any, *, has_raised: bool) -> None:
        """Hear that what `goes_back` was told of is over."""
        if isinstance(heard, Run):
            self._settle()
            self._run = None
            return
        heard.returned = returned
        heard.has_raised = has_raised
        heard.contributions = tuple(map(as_gradient, as_tuple(returned)))
        self._turn = None
        if heard.is_by_hand:
            self._numbers_by_hand += heard.size
            while self._numbers_by_hand > MOST_NUMBERS and len(self.by_hand.turns) > 1:
                self._numbers_by_hand -= self.by_hand.turns.popleft().size
                self.is_cut = True

    def _begin_run(self, result: Any) -> Run | None:
        if self._run is not None:
            return None
        self._settle()
        self._run = Run(result, deque())
        self.runs.append(self._run)
        return self._run

    def _settle(self) -> None:
        if self._unsettled is not None:
            self._unsettled.settle()
            self._unsettled = None
