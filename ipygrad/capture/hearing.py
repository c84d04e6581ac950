"""Hear of the lines of a cell and of the jumps in its loops, and of nothing else.

Python 3.12 and later tell of single code objects, which costs next to nothing. Before, a trace
function hears of all calls, which makes those of small functions half as fast: it is set only where
there is something that the calls of functions do not tell, and taken back when that is known.
"""

from __future__ import annotations

import sys
from dis import opname
from typing import TYPE_CHECKING, Any

from ipygrad.capture.stack import CO_GENERATOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from ipygrad.capture.lines import CellLines

MOST_LINES = 500
"""Lines after which a trace function gives up: each costs a microsecond or two, of a long loop more
than its calls."""
_TOOLS = (4, 3)
"""Numbers of tools that Python keeps for nobody in particular."""


class Monitor:
    """Hears of jumps and lines by ``sys.monitoring``."""

    def __init__(self, lines: CellLines, tool: int) -> None:
        self._lines = lines
        self._tool = tool
        self._codes: list[CodeType] = []
        # Typed by hand: the oldest Python that is checked for does not have it.
        self._of: Any = getattr(sys, "monitoring", None)

    @classmethod
    def of(cls, lines: CellLines) -> Monitor | None:
        """Return one, None where other tools have taken all places."""
        monitoring: Any = getattr(sys, "monitoring", None)
        free = (tool for tool in _TOOLS if monitoring.get_tool(tool) is None)
        tool = next(free, None)
        return None if tool is None else cls(lines, tool)

    def start(self) -> None:
        """Begin to listen."""
        events = self._of.events
        self._of.use_tool_id(self._tool, "ipygrad")
        for event, callback in (
            (events.LINE, self._line),
            (events.JUMP, self._jump),
            (events.PY_START, self._start),
        ):
            self._of.register_callback(self._tool, event, callback)

    def follow(self, code: CodeType) -> None:
        """Listen to some code."""
        events = self._of.events
        loops = self._lines.loops_in(code)
        wanted = events.LINE if self._lines.has_branches else 0
        if self._lines.needs_turns and loops is not None and loops.marks:
            wanted |= events.JUMP | events.PY_START
        if wanted:
            self._of.set_local_events(self._tool, code, wanted)
            self._codes.append(code)

    def stop(self) -> bool:
        """Listen no longer; tell whether everything was heard until now."""
        events = self._of.events
        for code in self._codes:
            self._of.set_local_events(self._tool, code, 0)
        for event in (events.LINE, events.JUMP, events.PY_START):
            self._of.register_callback(self._tool, event, None)
        self._of.free_tool_id(self._tool)
        return True

    def _line(self, _code: CodeType, line: int) -> object:
        self._lines.runs_line(line)
        return self._of.DISABLE

    def _jump(self, code: CodeType, offset: int, target: int) -> object:
        loops = self._lines.loops_in(code)
        if loops is None or target > offset or target not in loops.marks:
            return self._of.DISABLE
        self._lines.jumps(sys._getframe(1), loops, target)
        return None

    def _start(self, _code: CodeType, _offset: int) -> None:
        self._lines.begins(sys._getframe(1))


class Tracer:
    """Hears of lines by a trace function, of jumps by the order of lines."""

    def __init__(self, lines: CellLines) -> None:
        self._lines = lines
        self._counts = lines.needs_turns
        self._followed: set[int] = set()
        self._before: dict[int, int] = {}
        self._ran: set[int] = set()
        self._knows_branches = False
        self._lines_left = MOST_LINES

    def start(self) -> None:
        """Begin to listen."""
        sys.settrace(self._call)

    def follow(self, code: CodeType) -> None:
        """Listen to some code."""
        self._followed.add(id(code))

    def stop(self) -> bool:
        """Listen no longer; tell whether everything was heard until now."""
        if sys.gettrace() == self._call:
            sys.settrace(None)
            return True
        return self._knows_branches and not self._counts

    def _call(self, frame: FrameType, _event: str, _argument: object) -> Callable[..., Any] | None:
        # It runs at each call of anything, as the listener's profile function does.
        if id(frame.f_code) not in self._followed:
            return None
        if _is_new(frame):
            self._before.pop(id(frame), None)
            self._lines.begins(frame)
        # Where a generator goes on, Python 3.11 leaves out a line.
        frame.f_trace_opcodes = self._counts and _is_generator(frame)
        return self._hear

    def _hear(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        if event == "line":
            self._lines_left -= 1
            if not self._lines_left:
                sys.settrace(None)
            if not self._knows_branches:
                self._runs_line(frame.f_lineno)
        if self._counts and event == ("opcode" if frame.f_trace_opcodes else "line"):
            self._count(frame)
        return self._hear

    def _runs_line(self, line: int) -> None:
        if line not in self._ran:
            self._ran.add(line)
            self._lines.runs_line(line)
            self._knows_branches = self._lines.is_all_taken
            if self._knows_branches and not self._counts:
                sys.settrace(None)

    def _count(self, frame: FrameType) -> None:
        loops = self._lines.loops_in(frame.f_code)
        if loops is None or not loops.marks:
            return
        at = frame.f_lasti
        before = self._before.get(id(frame), -1)
        self._before[id(frame)] = at
        if at in loops.marks and (
            before >= at or (loops.is_jump(at) and not frame.f_trace_opcodes)
        ):
            self._lines.jumps(frame, loops, at)


def _is_new(frame: FrameType) -> bool:
    """Tell whether a frame begins, and is no generator that goes on."""
    code, at = frame.f_code.co_code, frame.f_lasti
    if at < 0 or not _is_generator(frame):
        return True
    return opname[code[at]] == "RESUME" and code[at + 1] == 0


def _is_generator(frame: FrameType) -> bool:
    return bool(frame.f_code.co_flags & CO_GENERATOR)
