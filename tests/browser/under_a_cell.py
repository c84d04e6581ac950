"""The stepper under a cell of a notebook, and what its tests ask of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.jupyter import notebook
from tests.shell import IMPORTS, SEED

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.jupyter import Host, NotebookPage

GRAD_SEED = "%%grad -o bp\n" + SEED.rstrip()


def stepper(opened: NotebookPage, cell: int) -> Locator:
    """Return the stepper under a cell, counted from 0; in tabs, that of the open one."""
    return opened.cells.nth(cell).get_by_role("group", name=re.compile("^Backward pass of"))


def status(view: Locator) -> Locator:
    """Return what a screen reader says of the step."""
    return view.get_by_role("status")


def press(view: Locator, button: str) -> None:
    """Press the button of a name."""
    view.get_by_role("button", name=button, exact=True).click()


def opened_cells(host: Host, page: Page, *cells: str) -> NotebookPage:
    """Open a notebook with the imports and these cells, run it, and leave the editor."""
    opened = host.open(page, notebook(IMPORTS, *cells))
    opened.run_all()
    opened.command_mode()
    return opened


def opened_seed(host: Host, page: Page, *more: str) -> NotebookPage:
    """Open a notebook with the imports, the seed cell and more, and run it."""
    opened = host.open(page, notebook(IMPORTS, GRAD_SEED, *more))
    opened.run_all()
    expect(stepper(opened, 1)).to_be_visible()
    return opened
