"""The steppers that cells show, and which of them the kernel still follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from IPython.display import display

from ipygrad.show.host import has_kernel
from ipygrad.show.terminal import show_in_terminal

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ipygrad.passes import BackwardPasses
    from ipygrad.record import BackwardPass, DisplayAs

    Shown = BackwardPass | BackwardPasses

MOST_LIVE_CELLS = 100
"""Cells whose steppers the kernel follows; older ones go on without it."""


class Steppers:
    """Shows passes, and frees what the kernel holds for those that nobody sees any more.

    Parameters
    ----------
    shell
        Where cells run.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._shown: dict[str, tuple[str, list[Shown]]] = {}

    def show(self, bp: Shown, display_as: str) -> None:
        """Display a pass, or several; print it where there is no kernel."""
        if not has_kernel():
            show_in_terminal(bp)
            return
        is_live = display_as in ("html", "widget")
        if is_live:
            self._close_earlier_run(bp)
        display(bp.bundle(cast("DisplayAs", display_as), link=is_live), raw=True)

    def _close_earlier_run(self, bp: Shown) -> None:
        """Free what the kernel holds for the steppers that this run of a cell replaces."""
        parent = self._shell.get_parent()
        run = parent.get("header", {}).get("msg_id", "")
        # A front end tells which cell is running; where one does not, only the latest are kept.
        cell = parent.get("metadata", {}).get("cellId", run)
        earlier_run, shown = self._shown.pop(cell, (run, []))
        if earlier_run != run:
            _close_all(shown)
            shown = []
        self._shown[cell] = (run, [*shown, bp])
        while len(self._shown) > MOST_LIVE_CELLS:
            _close_all(self._shown.pop(next(iter(self._shown)))[1])


def _close_all(passes: list[Shown]) -> None:
    for bp in passes:
        bp.close()
