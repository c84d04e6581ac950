"""Hear of backward methods that are called by hand, and of values that are born by operators.

Neither has a method of the user's that could be stood in for: a profile function looks at all calls
while the cell runs.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dis import opname
from typing import TYPE_CHECKING, Any

from ipygrad.capture.shapes import is_of
from ipygrad.engine.core import Function

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import FrameType

    from ipygrad.capture.observe import Observer
    from ipygrad.capture.recording import Begun, CallRecorder
    from ipygrad.capture.turns import Run


class Listener:
    """A profile function that tells of what it hears.

    Parameters
    ----------
    recorder
        Who is told of calls.
    observer
        Who is told where values were made.
    libraries
        Names of the packages that are listened to.
    """

    def __init__(
        self, recorder: CallRecorder, observer: Observer, libraries: Collection[str]
    ) -> None:
        self._recorder = recorder
        self._observer = observer
        self._libraries = libraries
        self._open: list[tuple[FrameType, Begun | Run]] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen inside the block. Where another profiler is at work it is left alone."""
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

    def _profile(self, frame: FrameType, event: str, returned: Any) -> None:
        # It runs at each call of anything, so what comes first here is what it costs.
        if event == "return":
            if self._open and self._open[-1][0] is frame:
                self._ends(frame, self._open.pop()[1], returned)
            elif frame.f_code.co_name == "__init__" and "_prev" in frame.f_code.co_names:
                # micrograd's values are born by operators, there is no function to be called.
                self._observer.noted((_arguments(frame)[0],), frame.f_back)
        elif event == "call" and frame.f_code.co_name == "backward":
            self._begins(frame)

    def _begins(self, frame: FrameType) -> None:
        owner, *given = _arguments(frame)
        if isinstance(owner, Function):
            self._observer.called_backward(owner, frame)
        elif is_of(type(owner), self._libraries):
            heard = self._recorder.goes_back(owner, given, frame.f_code)
            if heard is not None:
                self._open.append((frame, heard))

    def _ends(self, frame: FrameType, heard: Begun | Run, returned: Any) -> None:
        has_raised = returned is None and not _is_returning(frame)
        self._recorder.went_back(heard, returned, "an error" if has_raised else None)


def _is_returning(frame: FrameType) -> bool:
    """Tell whether a frame ends by returning; a profile function hears None, too, if it raises."""
    return opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")


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
