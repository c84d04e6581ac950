"""Progress of what takes long: a bar in a notebook, in a terminal tqdm's or a line that counts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

from ipygrad.show.host import has_kernel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


def progress(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """Yield the items, and show how many of `count` are done.

    In a notebook a line of text takes the bar's place in the end: a widget that is saved would be
    an error when the notebook is opened again.
    """
    if has_kernel():
        return _in_notebook(items, count, what)
    try:
        from tqdm import tqdm
    except ImportError:
        return _counted(items, count, what)
    # Without its monitor, which is a thread: not everywhere can one be started.
    quiet = type("Bar", (tqdm,), {"monitor_interval": 0})
    bar: Iterator[T] = iter(quiet(items, desc=what, total=count))
    return bar


def _in_notebook(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    from IPython.display import display
    from ipywidgets import IntProgress

    style, layout = {"description_width": "initial"}, {"width": "100%"}
    bar = IntProgress(0, 0, count, description=what, style=style, layout=layout)
    shown = display(bar, display_id=True)
    try:
        for item in items:
            yield item
            bar.value += 1
    finally:
        shown.update({"text/plain": f"{what}: {bar.value} of {count}"}, raw=True)
        for part in (bar.style, bar.layout, bar):
            part.close()


def _counted(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    try:
        for done, item in enumerate(items):
            sys.stderr.write(f"\r{what}: {done} of {count}")
            sys.stderr.flush()
            yield item
        sys.stderr.write(f"\r{what}: {count} of {count}")
    finally:
        sys.stderr.write("\n")
