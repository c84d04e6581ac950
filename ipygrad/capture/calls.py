"""Watch a cell call functions that no engine of ours knows: forward, and each backward in turn."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ipygrad.capture.shapes import (
    as_gradient,
    gradient_of,
    inputs_of,
    is_function,
    is_variable,
    variables_in,
)
from ipygrad.engine.core import Function, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType, FrameType

    from ipygrad.capture.observe import Observer
    from ipygrad.engine.core import Array

MOST_RUNS = 8
"""Backward passes that are kept of one cell, the latest ones; a loop that trains makes many."""
MOST_BY_HAND = 2000


class Call(NamedTuple):
    """A call of a learner's function whose outputs do not know it.

    Attributes
    ----------
    function
        The function.
    inputs, outputs
        Variables, kept alive: there is no other way back.
    """

    function: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


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
        What it returned; `failed` if it raised instead.
    code, values
        What ran, and its local names at the end.
    """

    function: Any
    given: tuple[Any, ...]
    cotangents: tuple[Array | None, ...]
    inputs: tuple[Any, ...]
    before: tuple[Array | None, ...]
    code: CodeType
    after: tuple[Array | None, ...] = ()
    returned: Any = None
    contributions: tuple[Array | None, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def settle(self) -> None:
        """Note the gradients that there are now; later ones belong to later turns."""
        if not self.after:
            self.after = tuple(map(gradient_of, self.inputs))


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

    Attributes
    ----------
    calls
        Those whose outputs have no creator.
    by_hand
        The backward methods that the cell itself called.
    runs
        The latest backward passes that variables made.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._open: list[tuple[FrameType, Any]] = []
        self._run: Run | None = None
        self._inputs: dict[int, tuple[Any, ...]] = {}
        self.calls: list[Call] = []
        self.by_hand = Run(None, deque(maxlen=MOST_BY_HAND))
        self.runs: deque[Run] = deque(maxlen=MOST_RUNS)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record inside the block. Where another profiler is at work it is left alone."""
        if sys.getprofile() is not None:
            yield
            return
        profile = self._profile
        sys.setprofile(profile)
        try:
            yield
        finally:
            # Unless the cell has set one of its own.
            if sys.getprofile() is profile:
                sys.setprofile(None)
            self._open.clear()
            self._settle()

    def _profile(self, frame: FrameType, event: str, returned: Any) -> None:
        # It runs at each call of anything, so what comes first here is what it costs.
        if event == "return":
            if self._open and self._open[-1][0] is frame:
                _, what = self._open.pop()
                if type(what) is tuple:
                    self._was_called(frame, what, returned)
                elif type(what) is Turn:
                    self._went_back(frame, what, returned)
                else:
                    self._settle()
                    self._run = None
            elif frame.f_code.co_name == "__init__" and "_prev" in frame.f_code.co_names:
                # micrograd's values are born by operators, there is no function to be called.
                self._observer.noted((_arguments(frame)[0],), frame.f_back)
        elif event == "call":
            name = frame.f_code.co_name
            if name == "__call__":
                self._calls(frame)
            elif name == "backward":
                self._goes_back(frame)

    # --- forward ---

    def _calls(self, frame: FrameType) -> None:
        if self._run is not None or any(type(what) is Turn for _, what in self._open):
            return  # What a backward computes with is no part of the graph.
        owner, *given = _arguments(frame)
        if not isinstance(owner, (Function, type(None))):
            inputs = variables_in(given)
            if inputs:
                self._open.append((frame, (owner, inputs)))

    def _was_called(self, frame: FrameType, what: tuple[Any, tuple[Any, ...]], made: Any) -> None:
        outputs = variables_in((made,))
        # One function that calls others (a layer) makes nothing itself.
        if not outputs or self._observer.knows(outputs[0]):
            return
        function, inputs = what
        self._observer.noted(outputs, frame.f_back)
        if getattr(outputs[0], "creator", None) is None:
            self.calls.append(Call(function, inputs, outputs))
            self._inputs[id(function)] = inputs

    # --- backward ---

    def _goes_back(self, frame: FrameType) -> None:
        owner, *given = _arguments(frame)
        if isinstance(owner, Function):
            self._observer.called_backward(owner, frame)
        elif isinstance(owner, Variable) or any(type(what) is Turn for _, what in self._open):
            return
        elif is_variable(owner):
            if self._run is None:
                self._settle()
                self._run = Run(owner, deque())
                self.runs.append(self._run)
                self._open.append((frame, None))
        elif is_function(owner):
            self._settle()
            inputs = inputs_of(owner) or self._inputs.get(id(owner), ())
            turn = Turn(
                function=owner,
                given=tuple(given),
                cotangents=tuple(map(as_gradient, _unpacked(given))),
                inputs=inputs,
                before=tuple(map(gradient_of, inputs)),
                code=frame.f_code,
            )
            self._turns.append(turn)
            self._open.append((frame, turn))

    def _went_back(self, frame: FrameType, turn: Turn, returned: Any) -> None:
        turn.returned = returned
        several = returned if isinstance(returned, (tuple, list)) else (returned,)
        turn.contributions = tuple(map(as_gradient, several))
        turn.values = dict(frame.f_locals)

    @property
    def _turns(self) -> deque[Turn]:
        return self.by_hand.turns if self._run is None else self._run.turns

    def _settle(self) -> None:
        for turns in (self.by_hand.turns, *(run.turns for run in list(self.runs)[-1:])):
            if turns:
                turns[-1].settle()


def _arguments(frame: FrameType) -> list[Any]:
    """Return what a method was called with, ``self`` first; [None] where that cannot be told."""
    code = frame.f_code
    count = code.co_argcount
    names = code.co_varnames
    local = frame.f_locals
    if not count or names[0] not in local:
        return [None]
    # A list as an argument is one argument, but *arguments are as many as they are.
    given = [local[name] for name in names[:count] if name in local]
    if code.co_flags & 0x04:
        given += local[names[count + code.co_kwonlyargcount]]
    return given


def _unpacked(given: list[Any]) -> list[Any]:
    return list(given[0]) if len(given) == 1 and isinstance(given[0], (list, tuple)) else given
