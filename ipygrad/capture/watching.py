"""All that watches a cell while it runs, and only what can matter to it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from ipygrad.capture.adapters import engines as packages
from ipygrad.capture.adapters import libraries_in, uses_ours
from ipygrad.capture.lines import CellLines
from ipygrad.capture.listening import Listener
from ipygrad.capture.observe import calls_a_backward_with_arguments
from ipygrad.capture.shapes import classes_in, is_like_micrograd
from ipygrad.capture.wrapping import methods_wrapped
from ipygrad.engine.core import watching

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ipygrad.capture.adapters import Engines
    from ipygrad.capture.observe import Observer
    from ipygrad.capture.recording import CallRecorder


@contextmanager
def watched(
    source: str,
    names: Mapping[str, object],
    observer: Observer,
    recorder: CallRecorder,
    engines: Engines,
) -> Iterator[None]:
    """Watch the code that runs in the block.

    Parameters
    ----------
    source
        Its text.
    names
        The user's names before it runs.
    observer
        Who is told where variables are made.
    recorder
        Who is told of calls of learners' functions.
    engines
        Who can listen to engines that are libraries.
    """
    libraries = libraries_in(source, names)
    kinds = classes_in(names, packages())
    by_hand = False
    lines: CellLines | None = None
    # What is no Python says so when it is run.
    with suppress(SyntaxError):
        lines = CellLines(source, names)
        by_hand = calls_a_backward_with_arguments(source)
    # Calls by hand of typed classes are heard by their methods.
    by_hand = by_hand and (bool(libraries or uses_ours(source, names)) or not kinds)
    listens = by_hand or any(map(is_like_micrograd, kinds)) or "_prev" in source
    listener = Listener(recorder, observer, libraries)
    with (
        watching(observer),
        engines.watching(libraries, observer),
        recorder.recording(),
        methods_wrapped(recorder, kinds, packages()),
        listener.listening() if listens else nullcontext(),
        nullcontext() if lines is None else observer.watching_lines(lines),
    ):
        yield
    observer.rest()
