"""Inside which calls, and in which turns of loops, the functions of a cell were called."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import CodeType, FrameType

    from ipygrad.capture.lines import CellLines, LoopRun, LoopTurn
    from ipygrad.capture.loops import Loop

CO_OPTIMIZED, CO_GENERATOR = 1, 0x20
"""Flags of the code of functions, which that of a cell or a module does not have, and of those that
yield."""
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
    """When something was made, compared with others, and in what, the outermost first.

    Attributes
    ----------
    order
        How many others were made before.
    calls
        The calls, and the turns of loops; of very many within each other the outer ones.
    turns
        The turns, as far as they are known.
    """

    order: int
    calls: tuple[Call, ...] = ()
    turns: tuple[LoopTurn, ...] = ()


class Note(NamedTuple):
    """What was noted of something that was made.

    Attributes
    ----------
    order
        How many were noted before.
    call
        The innermost call, or turn, that it was made in.
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

    Turns of loops stand in it like calls. Only those frames are held, until the next call or the
    end of the cell, so that no other can be taken for one of them.

    Parameters
    ----------
    filename
        The cell's name in code objects.

    Attributes
    ----------
    lines
        Who knows the loops of the cell; None where nobody does.
    """

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self.lines: CellLines | None = None
        # The first stands for the cell itself.
        self._parents, self._names = [0], [""]
        self._turns: dict[int, tuple[LoopRun, int]] = {}
        self._latest: dict[FrameType, int] = {}
        # Codes whose runs are no calls for people, by number; kept, so that no other gets it.
        self._plain: dict[int, CodeType] = {}

    def call_of(self, frame: FrameType) -> int:
        """Return the number of the call or turn that `frame` runs in, 0 for the cell's own code."""
        latest, new = self._latest, []
        at: FrameType | None = frame
        # A generator may go on inside of another call than the one that began it.
        while at is not None and (at not in latest or at.f_code.co_flags & CO_GENERATOR):
            code = at.f_code
            if code.co_filename == self._filename and not code.co_flags & CO_OPTIMIZED:
                break
            new.append(at)
            at = at.f_back
        if at is None:
            return 0
        call = self.turn_in(latest.get(at, 0), at)
        if new:
            kept = {}
            if at in latest:
                for known, number in latest.items():
                    kept[known] = number
                    if known is at:
                        break
            for one in reversed(new):
                name = _name(one)
                if not name:
                    self._plain[id(one.f_code)] = one.f_code
                elif one in latest and self._parents[latest[one]] == call:
                    call = latest[one]
                else:
                    call = self._add(call, name)
                kept[one] = call
                call = self.turn_in(call, one)
            self._latest = kept
        return call

    def turn_in(self, call: int, frame: FrameType) -> int:
        """Return the number of the innermost turn that a frame is in; of its call outside loops."""
        for run in () if self.lines is None else self.lines.runs_in(frame):
            if run.latest != run.turn or run.call != call:
                run.latest, run.call = run.turn, call
                run.number = self._add(call, f"{run.turn}")
                self._turns[run.number] = run, run.turn
            call = run.number
        return call

    def _add(self, parent: int, name: str) -> int:
        self._parents.append(parent)
        self._names.append(name)
        return len(self._names) - 1

    def is_plain(self, code: CodeType) -> bool:
        """Tell whether runs of some code are known to be no calls for people."""
        return id(code) in self._plain

    def rest(self) -> None:
        """Let go of all frames."""
        self._latest = {}

    def made(self, notes: Iterable[Note]) -> Iterator[Made]:
        """Yield when and in which calls each of some things was made, in their order."""
        notes = sorted(notes, key=lambda note: note.order)
        counted = self._turns if self.lines is not None and self.lines.is_counting else {}
        plain = _PlainLoops(self.lines, notes)
        # What one call makes is made in the same calls.
        around: dict[int, tuple[tuple[Call, ...], tuple[LoopTurn, ...]]] = {}
        for note in notes:
            if note.call not in around:
                around[note.call] = self._around(note.call, counted)
            calls, told = around[note.call]
            known = plain.turn_of(note)
            if known is not None:
                turn, number = known
                calls = (Call(f"{turn.turn}", number, is_turn=True), *calls)[:MOST_CALLS]
                told = (turn, *told)
            yield Made(note.order, calls, told)

    def _around(
        self, call: int, counted: Mapping[int, tuple[LoopRun, int]]
    ) -> tuple[tuple[Call, ...], tuple[LoopTurn, ...]]:
        """Return the outer ones of the calls around a call, itself among them, and all turns."""
        path = self._path(call)
        if not counted:
            path = [one for one in path if one not in self._turns]
        calls = [Call(self._names[one], one, one in counted) for one in path[:MOST_CALLS]]
        turns = [counted[one] for one in path if one in counted]
        told = () if self.lines is None else [self.lines.turn_of(*turn) for turn in turns]
        return tuple(calls), tuple(told)

    def _path(self, call: int) -> list[int]:
        """Return a call and those around it, the outermost first."""
        path = []
        while call:
            path.append(call)
            call = self._parents[call]
        return path[::-1]


_PlainLoop = tuple[int, int, "Loop"]


class _PlainLoops:
    """The loops of a cell's own code whose turns nobody has counted, since each makes the same.

    A turn is known by the first instruction that is come back to.

    Parameters
    ----------
    lines
        Who knows the loops.
    notes
        What was made, in its order.
    """

    def __init__(self, lines: CellLines | None, notes: Iterable[Note]) -> None:
        self._lines = None if lines is None or lines.is_counting or not lines.is_plain else lines
        # By loop, a number and what stands there, for each turn what was made where; by order which
        # turn of which loop it is.
        self._turns: dict[_PlainLoop, list[set[int]]] = {}
        self._of: dict[int, tuple[_PlainLoop, int]] = {}
        self._numbers: dict[tuple[_PlainLoop, int], int] = {}
        self._alike: dict[_PlainLoop, bool] = {}
        latest: dict[_PlainLoop, Note] = {}
        for note in notes:
            loop = self._loop(note)
            if loop is None:
                continue
            turns, before = self._turns.setdefault(loop, []), latest.get(loop)
            # What one call from the cell makes is one visit.
            is_new = before is None or (before.is_last and note.instruction <= before.instruction)
            if is_new:
                turns.append(set())
            turns[-1].add(note.instruction)
            self._of[note.order] = loop, len(turns)
            latest[loop] = note

    def turn_of(self, note: Note) -> tuple[LoopTurn, int] | None:
        """Return the turn in which something was made, and what tells it from all others."""
        if note.order not in self._of or self._lines is None:
            return None
        loop, turn = self._of[note.order]
        turns = self._turns[loop]
        if loop not in self._alike:
            self._alike[loop] = all(made == turns[0] for made in turns)
        if not self._alike[loop]:
            return None
        number = self._numbers.setdefault((loop, turn), len(self._numbers))
        return self._lines.turn_in(loop[2], turn, len(turns)), number

    def _loop(self, note: Note) -> _PlainLoop | None:
        if self._lines is None or note.code is None:
            return None
        loops = self._lines.loops_in(note.code)
        marks = () if loops is None else loops.around(note.instruction)
        loop = loops.marks[marks[0]].loop if loops is not None and len(marks) == 1 else None
        return None if loop is None else (id(note.code), marks[0], loop)


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
