"""Write passes into a page of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygrad.show.files import checked_path, written_whole
from ipygrad.show.page import ENDINGS, Shown, page
from ipygrad.show.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ipygrad.record import BackwardPass

MANY_PLOTS = 20
"""From so many plots on that are still to be drawn, a bar shows how many are."""


def write_page(
    path: str | Path, passes: Sequence[BackwardPass], *, overwrite: bool, in_tabs: bool = False
) -> None:
    """Draw what plots are missing, and write a page that steps through the passes.

    Parameters
    ----------
    path
        Ending in ``.html`` or ``.htm``.
    passes
        What it shows, in tabs or one below the other.
    overwrite
        Whether a file that is there may be replaced.
    in_tabs
        Whether one of them is shown at a time.

    Raises
    ------
    ValueError
        For another ending.
    OSError
        When the file cannot be written, or must not be replaced.
    """
    path = checked_path(path, ENDINGS, "a page", overwrite=overwrite)
    missing = [(bp, number) for bp in passes for number in bp._undrawn()]
    drawing = iter(missing)
    if len(missing) >= MANY_PLOTS:
        drawing = progress(missing, len(missing), path.name)
    for bp, number in drawing:
        bp._draw(number)
    shown = [
        Shown(bp._payload(bp._all_plots(), is_of_page=True), bp._png, bp._shown.name)
        for bp in passes
    ]
    text = page(shown, in_tabs=in_tabs)
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
