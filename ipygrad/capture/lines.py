"""Follow the lines of a cell while it runs: the turns of its loops, and which branches it takes."""

from __future__ import annotations

import ast
import sys
from contextlib import contextmanager
from threading import get_ident
from types import CodeType
from typing import TYPE_CHECKING, NamedTuple

from ipygrad.capture.branches import branches_in, untaken_lines
from ipygrad.capture.hearing import Monitor, Tracer
from ipygrad.capture.loops import LOOPS, Loop, LoopsInCode, LoopsInText
from ipygrad.capture.plain import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType, TracebackType


class LoopTurn(NamedTuple):
    """A turn of a loop.

    Attributes
    ----------
    line
        Line of the cell with which the loop begins.
    turn
        Its number, from 1.
    of
        How many turns the loop had, one that was broken off before it made anything left out; None
        where that cannot be told, or where an error has ended them.
    """

    line: int
    turn: int
    of: int | None


class LoopRun:
    """One run of a loop, from its first turn to its last.

    Attributes
    ----------
    loop
        As it stands in the text.
    turn
        The turn that runs, or that would come next.
    latest
        The latest in which something was made.
    call, number
        Inside which call that was, and the number of that turn among the calls.
    """

    __slots__ = ("call", "latest", "loop", "number", "turn")

    def __init__(self, loop: Loop | None) -> None:
        self.loop = loop
        self.turn = 1
        self.latest = 0
        self.call = self.number = -1


class CellLines:
    """What is known of the lines of a cell that runs.

    Parameters
    ----------
    source
        Its text; SyntaxError when it is not Python.
    names
        The user's names before it runs.

    Attributes
    ----------
    is_plain
        Whether each turn of each loop makes the same: then what is made tells of turns.
    needs_turns
        Whether there are loops of which that is not so.
    is_counting
        Whether turns are counted as loops take them.
    """

    def __init__(self, source: str, names: Mapping[str, object]) -> None:
        tree = ast.parse(source)
        self._text = LoopsInText(tree)
        self._branches = branches_in(tree, source.split("\n"))
        self.is_plain = is_plain(tree, names)
        self.needs_turns = not self.is_plain and any(isinstance(n, LOOPS) for n in ast.walk(tree))
        self.is_counting = False
        self._knows_lines = False
        self._ran: set[int] = set()
        self._stopped_at: set[int] = set()
        # By number, and kept, so that no other gets it.
        self._codes: dict[int, tuple[CodeType, LoopsInCode]] = {}
        self._runs: dict[int, dict[int, LoopRun]] = {}
        self._watch: Monitor | Tracer | None = None
        self._thread = get_ident()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the code that `follow` is told of; not where another has set a trace function."""
        watch: Monitor | Tracer | None = None
        if sys.gettrace() is None and (self.needs_turns or self._branches):
            watch = Monitor.of(self) if hasattr(sys, "monitoring") else Tracer(self)
        if watch is None:
            yield
            return
        self._watch = watch
        self._knows_lines = True
        self.is_counting = self.needs_turns
        watch.start()
        try:
            yield
        finally:
            if not watch.stop():
                self._knows_lines = self.is_counting = False
            self._watch = None

    def follow(self, code: CodeType) -> None:
        """Follow code that is about to run, and the functions in it."""
        self._codes[id(code)] = code, LoopsInCode(code, self._text)
        if self._watch is not None:
            self._watch.follow(code)
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                self.follow(inner)

    def stopped_by(self, error: BaseException, filename: str) -> None:
        """Hear what has ended the cell, whose code has this name."""
        traceback: TracebackType | None = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == filename:
                self._stopped_at.add(traceback.tb_lineno)
            traceback = traceback.tb_next

    @property
    def untaken(self) -> tuple[int, ...]:
        """Lines of the branches that the cell has not taken; none where it is not known."""
        if not self._knows_lines:
            return ()
        return untaken_lines(self._branches, self._ran, self._stopped_at)

    # --- turns ---

    def loops_in(self, code: CodeType) -> LoopsInCode | None:
        """Return the loops of code that is followed."""
        known = self._codes.get(id(code))
        return None if known is None else known[1]

    def runs_in(self, frame: FrameType) -> Sequence[LoopRun]:
        """Return the runs of loops that a frame is in the body of, the outermost first."""
        loops = self.loops_in(frame.f_code) if self.is_counting else None
        marks = () if loops is None else loops.around(frame.f_lasti)
        if not marks or loops is None or get_ident() != self._thread:
            return ()
        runs = self._runs.setdefault(id(frame), {})
        found = []
        for mark in marks:
            run = runs.get(mark)
            if run is None:
                run = runs[mark] = LoopRun(loops.marks[mark].loop)
            found.append(run)
        return found

    def turn_of(self, run: LoopRun, turn: int) -> LoopTurn:
        """Return a turn of a run that is over."""
        loop = run.loop or Loop(0, 0)
        return self.turn_in(loop, turn, max(run.latest, run.turn - (not loop.counts_begun)))

    def turn_in(self, loop: Loop, turn: int, of: int) -> LoopTurn:
        """Return a turn of a loop that had so many, if that can be told."""
        is_cut = any(loop.line <= line <= loop.end_line for line in self._stopped_at)
        return LoopTurn(loop.line, turn, of if loop.is_counted and not is_cut else None)

    def begins(self, frame: FrameType) -> None:
        """Hear that a frame begins; an earlier one may have had its number."""
        self._runs.pop(id(frame), None)

    def jumps(self, frame: FrameType, loops: LoopsInCode, mark: int) -> None:
        """Hear that a frame jumps back to a mark."""
        runs = self._runs.setdefault(id(frame), {})
        run = runs.get(mark)
        if run is None:
            run = runs[mark] = LoopRun(loops.marks[mark].loop)
        run.turn += 1
        for inner in loops.inside[mark]:
            runs.pop(inner, None)

    # --- lines ---

    @property
    def has_branches(self) -> bool:
        """Whether it has to be known which lines run."""
        return bool(self._branches)

    def runs_line(self, line: int) -> None:
        """Hear that a line runs."""
        self._ran.add(line)

    @property
    def is_all_taken(self) -> bool:
        """Whether all branches have been taken."""
        return all(not self._ran.isdisjoint(branch.body) for branch in self._branches)
