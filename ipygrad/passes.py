"""Several passes of one cell, which show themselves together."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.pages import write_page
from ipygrad.record import BackwardPass, DisplayAs
from ipygrad.show.host import has_kernel
from ipygrad.show.html import fragment

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console, ConsoleOptions, RenderableType


class BackwardPasses(tuple[BackwardPass, ...]):
    """Backward passes that belong together: a tuple that shows them in tabs.

    ``%%grad -o NAME`` makes it of a cell with several results, or one that runs several passes
    itself. Each is a `BackwardPass` with a ``widget``, plots and knobs of its own.
    ``BackwardPasses([bp, bp2])`` puts together what was recorded apart.

    Raises
    ------
    ValueError
        When there is none.
    """

    def __init__(self, _passes: object = ()) -> None:
        if not self:
            raise ValueError("BackwardPasses needs at least one BackwardPass")

    def __str__(self) -> str:
        return "\n\n".join(map(str, self))

    __repr__ = __str__

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> list[RenderableType]:
        shown: list[RenderableType] = []
        for bp in self:
            shown += ["", *bp.__rich_console__(console, options)] if shown else [bp]
        return shown

    def to_html(self, path: str | Path, *, overwrite: bool = True) -> None:
        """Write a page with a tab for each pass, which needs neither kernel nor network.

        ``page.html#step=2`` opens the first pass at step 2, ``page.html#pass=2&step=1`` another.
        Printed, it has all steps of all passes.

        Parameters
        ----------
        path
            Ending in ``.html`` or ``.htm``.
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        ValueError
            For another ending.
        OSError
            When the file cannot be written, or must not be replaced.
        """
        with np.errstate(all="ignore"):
            write_page(path, self, overwrite=overwrite, in_tabs=len(self) > 1)

    def close(self) -> None:
        """Free what the kernel holds for the steppers; the page goes on without it."""
        for bp in self:
            bp.close()
        if "_tabs" in self.__dict__:
            self._tabs.close()
            del self._tabs

    @cached_property
    def _tabs(self) -> Any:
        from ipywidgets import Tab

        return Tab([bp.widget for bp in self], titles=[bp._shown.name for bp in self])

    @cached_property
    def _png(self) -> bytes:
        from ipygrad.show.still import below_each_other

        return below_each_other([(bp._shown.title_of_picture, bp._png) for bp in self])

    def bundle(self, display_as: DisplayAs = "html", *, link: bool = False) -> dict[str, Any]:
        """Return what a notebook displays, by MIME type; as `BackwardPass.bundle` does of one."""
        bundle: dict[str, Any] = {"text/plain": str(self)}
        if display_as == "table":
            return bundle
        with np.errstate(all="ignore"):
            bundle["image/png"] = self._png
            if display_as == "widget":
                bundle = self._tabs._repr_mimebundle_() | bundle
            if display_as == "html":
                bundle["text/html"] = fragment([bp._tab(link=link) for bp in self])
        return bundle

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        kernel = has_kernel()
        return self.bundle("html" if kernel else "table", link=kernel)
