"""Inside which calls, and in which turns of loops, the functions of a cell were called."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType, FrameType

CO_OPTIMIZED = 1
"""Flag of the code of functions; that of a cell or a module does not have it."""
ENGINES = ("ipygrad.engine", "micrograd.engine", "dezero.core", "dezero.functions", "torch")
"""Modules whose functions are single steps, not calls to fold a graph by."""
METHODS = ("__call__", "forward")
"""Methods that go by the name of their class."""
MOST_CALLS = 8
"""Calls within each other that are told apart; a recursion goes on inside the last."""


class Call(NamedTuple):
    """A call, or a turn of a loop, that functions were called in.

    Attributes
    ----------
    name
        Of the function that was called, of a layer its class; of a turn its number, from 1.
    number
        What tells it from the other calls, or turns, of the cell.
    is_turn
        Whether it is a turn.
    """

    name: str
    number: int
    is_turn: bool = False


class Made(NamedTuple):
    """When something was made, compared with others, and in which calls, the outermost first."""

    order: int
    calls: tuple[Call, ...] = ()


class Note(NamedTuple):
    """What was noted of something that was made.

    Attributes
    ----------
    order
        How many were noted before.
    call
        The innermost call that it was made in.
    code, instruction
        The place in the cell; None, -1 outside of it.
    is_last
        Whether it is the last that was made by what the cell called there.
    """

    order: int
    call: int
    code: CodeType | None
    instruction: int
    is_last: bool


class Stack:
    """The calls of a cell as a tree, of which the latest branch is known by its frames.

    Only those frames are held, until the next call or the end of the cell, so that no other can be
    taken for one of them.

    Parameters
    ----------
    filename
        The cell's name in code objects.
    """

    def __init__(self, filename: str) -> None:
        self._filename = filename
        # The first stands for the cell itself.
        self._parents, self._names, self._in_cell = [0], [""], [True]
        self._latest: dict[FrameType, int] = {}
        # Codes whose runs are no calls for people, by number; kept, so that no other gets it.
        self._plain: dict[int, CodeType] = {}

    def call_of(self, frame: FrameType) -> int:
        """Return the number of the call that `frame` runs in, 0 for the cell's own code."""
        latest, new = self._latest, []
        at: FrameType | None = frame
        while at is not None and at not in latest:
            code = at.f_code
            if code.co_filename == self._filename and not code.co_flags & CO_OPTIMIZED:
                break
            new.append(at)
            at = at.f_back
        if at is None:
            return 0
        call = latest.get(at, 0)
        if new:
            kept = {}
            if at in latest:
                for known, number in latest.items():
                    kept[known] = number
                    if known is at:
                        break
            for one in reversed(new):
                name = _name(one)
                if name:
                    self._parents.append(call)
                    self._names.append(name)
                    self._in_cell.append(one.f_code.co_filename == self._filename)
                    call = len(self._names) - 1
                else:
                    self._plain[id(one.f_code)] = one.f_code
                kept[one] = call
            self._latest = kept
        return call

    def is_plain(self, code: CodeType) -> bool:
        """Tell whether runs of some code are known to be no calls for people."""
        return id(code) in self._plain

    def rest(self) -> None:
        """Let go of all frames."""
        self._latest = {}

    def made(self, notes: Iterable[Note]) -> Iterator[Made]:
        """Yield when and in which calls each of some things was made, in their order."""
        notes = sorted(notes, key=lambda note: note.order)
        loops: dict[tuple[int, CodeType | None], _Loops] = {}
        for note in notes:
            loops.setdefault((self._caller(note.call), note.code), _Loops()).see(note)
        turns: dict[tuple[int, CodeType | None, int], int] = {}
        for note in notes:
            caller = self._caller(note.call)
            turn = loops[caller, note.code].turn_of(note)
            calls = [Call(self._names[call], call) for call in self._path(note.call)]
            if turn:
                outer = len(self._path(caller))
                number = turns.setdefault((caller, note.code, turn), len(turns))
                calls.insert(outer, Call(f"{turn}", number, is_turn=True))
            yield Made(note.order, tuple(calls[:MOST_CALLS]))

    def _path(self, call: int) -> list[int]:
        """Return a call and those around it, the outermost first."""
        path = []
        while call:
            path.append(call)
            call = self._parents[call]
        return path[::-1]

    def _caller(self, call: int) -> int:
        """Return the innermost call around one, or itself, whose code is the cell's."""
        while not self._in_cell[call]:
            call = self._parents[call]
        return call


class _Loops:
    """The loops in one run of some code, known by instructions that are come back to.

    Loops within each other are one: each turn of the inner one counts.
    """

    def __init__(self) -> None:
        self._visits: list[tuple[int, int]] = []
        self._is_open = False
        self._turns: dict[int, int] | None = None

    def see(self, note: Note) -> None:
        """See what was made next; what one call from the cell makes is one visit."""
        if not (self._is_open and self._visits[-1][1] == note.instruction):
            self._visits.append((note.order, note.instruction))
        self._is_open = not note.is_last

    def turn_of(self, note: Note) -> int:
        """Return in which turn of its loop something was made, 0 outside of loops."""
        if self._turns is None:
            self._turns = dict(self._count())
        return self._turns[self._visits[bisect_right(self._visits, (note.order, inf)) - 1][0]]

    def _count(self) -> Iterator[tuple[int, int]]:
        """Yield the turn of each visit."""
        spans: list[list[int]] = []
        back = [(there, here) for (_, here), (_, there) in pairwise(self._visits) if there <= here]
        for first, last in sorted(set(back)):
            if spans and first <= spans[-1][1]:
                spans[-1][1] = max(spans[-1][1], last)
            else:
                spans.append([first, last])
        starts = [first for first, _ in spans]
        turns = [1] * len(spans)
        before = -1
        for order, instruction in self._visits:
            span = bisect_right(starts, instruction) - 1
            is_inside = span >= 0 and instruction <= spans[span][1]
            if is_inside and instruction <= before:
                turns[span] += 1
            yield order, turns[span] if is_inside else 0
            before = instruction


def _name(frame: FrameType) -> str:
    """Return what the call of a frame is called; nothing for what is no call for people."""
    name = frame.f_code.co_name
    module = frame.f_globals.get("__name__", "")
    if isinstance(module, str) and module.startswith(ENGINES):
        return ""
    if name in METHODS and frame.f_code.co_argcount:
        owner = frame.f_locals.get(frame.f_code.co_varnames[0])
        return type(owner).__name__
    return "" if name[0] in "<_" else name
