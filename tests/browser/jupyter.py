"""Drive JupyterLab and Notebook 7: open a notebook, run it, save it, open it again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

import nbformat
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page, Route

    from tests.browser.server import JupyterServer

PATIENCE_MS = 60_000
FINISHED = re.compile(r"^\[\d+\]:$")

NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook"
PANEL = "window.jupyterapp.shell.currentWidget"
OPENED = "path => window.jupyterapp?.shell.currentWidget?.context?.path === path"
CONTENTS = re.compile(r"/api/contents/[^?]*\.ipynb\?.*\bcontent=1")
# The kernel's indicator shows "idle" before there is a kernel, and what is run then is lost.
KERNEL = f"{PANEL}.sessionContext.session?.kernel"
CONNECTED = f"() => {KERNEL}?.connectionStatus === 'connected' && {KERNEL}.status === 'idle'"
KEYS_GO_TO_CELLS = f"""() => {{
    const notebook = {PANEL}.content;
    return notebook.mode === "command" && notebook.node.contains(document.activeElement)
        && !document.activeElement.closest(".cm-editor");
}}"""


def notebook(*sources: str) -> nbformat.NotebookNode:
    """Return a notebook for the tests' own kernel with one code cell for each source."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@dataclass(frozen=True)
class Host:
    """One kind of Jupyter, with a folder for one test's notebooks.

    Attributes
    ----------
    name
        ``"lab"`` or ``"notebook7"``.
    server
        The process that serves it, shared by all tests of a session.
    root
        Folder of the notebooks of this test; the kernel's working directory.
    """

    name: str
    server: JupyterServer
    root: Path

    def open(self, page: Page, source: nbformat.NotebookNode | Path) -> NotebookPage:
        """Open a notebook and wait until its kernel is ready to run a cell.

        Parameters
        ----------
        page
            The browser's page to open it in.
        source
            A notebook, which is written to a file in `root` first, or the path of a file there.
        """
        opened = self._show(page, source)
        opened.wait_for_kernel()
        return opened

    def open_without_kernel(self, page: Page, source: nbformat.NotebookNode | Path) -> NotebookPage:
        """Open a notebook as on a machine that lacks its kernel, and answer "No Kernel" when asked.

        The file is left as it is, and so is whether it is trusted.
        """
        page.goto("about:blank")  # a page that is still open would miss its kernel
        self.server.end_sessions()
        page.route(CONTENTS, _forget_kernel)
        opened = self._show(page, source, kernel=False)
        page.unroute(CONTENTS, _forget_kernel)
        return opened

    def trust(self, path: Path) -> None:
        """Sign a notebook as its author would, so that its scripts run when it is opened."""
        self.server.trust(path)

    def _show(
        self, page: Page, source: nbformat.NotebookNode | Path, *, kernel: bool = True
    ) -> NotebookPage:
        if isinstance(source, nbformat.NotebookNode):
            path = self.root / f"{uuid4().hex[:8]}.ipynb"
            nbformat.write(source, path)
        else:
            path = source
        name = path.relative_to(self.server.root).as_posix()
        # A workspace of its own: JupyterLab would open the notebooks of earlier tests again.
        view = f"lab/workspaces/{uuid4().hex}/tree" if self.name == "lab" else "notebooks"
        page.goto(f"{self.server.url}/{view}/{quote(name)}?token={self.server.token}")
        if not kernel:
            choices = page.locator(".jp-Dialog").get_by_role("button")
            choices.filter(has_text="No Kernel").click(timeout=PATIENCE_MS)
        opened = NotebookPage(page, path, name)
        opened.wait_until_shown()
        return opened


@dataclass(frozen=True)
class NotebookPage:
    """An open notebook.

    Attributes
    ----------
    page
        The browser's page.
    path
        The notebook's file.
    name
        The same as the server calls it.
    """

    page: Page
    path: Path
    name: str

    @property
    def cells(self) -> Locator:
        return self.page.locator(f"{NOTEBOOK} .jp-Cell")

    def prompt(self, cell: int) -> Locator:
        """Return the prompt of a cell, counted from 0: ``[ ]:``, ``[*]:`` or ``[3]:``."""
        return self.cells.nth(cell).locator(".jp-InputPrompt")

    def outputs(self, cell: int) -> Locator:
        """Return the outputs of a cell, counted from 0."""
        return self.cells.nth(cell).locator(".jp-OutputArea-output")

    def run_all(self, *, wait: bool = True) -> None:
        """Run all cells and, unless told otherwise, wait until the last one has finished.

        As for a user, the cells below one that raises do not run.
        """
        first = self.page.locator(f"{NOTEBOOK} .jp-CodeCell .jp-InputPrompt").first
        self._run("notebook:run-all-cells", first, wait=wait)

    def run_cell(self, cell: int, *, wait: bool = True) -> None:
        """Run one cell, counted from 0, and, unless told otherwise, wait until it has finished."""
        self.select(cell)
        self._run("notebook:run-cell", self.prompt(cell), wait=wait)

    def wait_until_run(self, cell: int) -> None:
        """Wait until a cell, counted from 0, has finished."""
        expect(self.prompt(cell)).to_have_text(FINISHED, timeout=PATIENCE_MS)

    def select(self, cell: int) -> None:
        """Make a cell, counted from 0, the active one."""
        self.page.evaluate(f"cell => {{ {PANEL}.content.activeCellIndex = cell; }}", cell)

    def save(self) -> None:
        """Save, and wait until the file is written."""
        self._execute("docmanager:save")
        self.page.wait_for_function(f"() => !{PANEL}.context.model.dirty")

    def reload(self) -> None:
        """Load the page again, as by F5, and wait for the kernel; unsaved work is lost."""
        self.page.reload()
        self.wait_until_shown()
        self.wait_for_kernel()

    def wait_until_shown(self) -> None:
        """Wait until the notebook is there, with a kernel or with none."""
        self.page.wait_for_function(OPENED, arg=self.name, timeout=PATIENCE_MS)
        self._await("() => window.jupyterapp.restored")
        self._await(f"() => {PANEL}.context.ready")

    def wait_for_kernel(self) -> None:
        """Wait until there is a kernel that runs a cell when told to."""
        self._await(f"() => {PANEL}.sessionContext.ready")
        self.page.wait_for_function(CONNECTED, timeout=PATIENCE_MS)
        self._await(f"() => {KERNEL}.info")

    def shutdown_kernel(self) -> None:
        """Shut the kernel down, as from the menu, and wait until the notebook has none."""
        self._execute("notebook:shutdown-kernel")
        self.page.wait_for_function(f"() => {PANEL}.sessionContext.hasNoKernel")

    def set_theme(self, theme: str) -> None:
        """Choose Jupyter's own "light" or "dark" theme, and wait until it is on."""
        self._execute("apputils:change-theme", theme=f"JupyterLab {theme.capitalize()}")
        is_light = str(theme == "light").lower()
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)

    def command_mode(self) -> None:
        """Leave the editor, so that keys are the notebook's own shortcuts."""
        self.page.evaluate(f"() => window.jupyterapp.shell.activateById({PANEL}.id)")
        self._execute("notebook:enter-command-mode")
        self.page.wait_for_function(KEYS_GO_TO_CELLS)

    def _run(self, command: str, prompt: Locator, *, wait: bool) -> None:
        self._execute(command, wait=wait)
        if wait:
            expect(prompt).to_have_text(FINISHED, timeout=PATIENCE_MS)

    def _execute(self, command: str, *, wait: bool = True, **args: str) -> None:
        words = f"{json.dumps(command)}, {json.dumps(args)}"
        call = f"() => window.jupyterapp.commands.execute({words})"
        if wait:
            self._await(call)
        else:
            self.page.evaluate(f"() => {{ ({call})(); }}")

    def _await(self, function: str) -> None:
        # `evaluate` alone would wait for a promise without a time limit, and `wait_for_function`
        # returns when the promise ends, whatever it says.
        call = self.page.evaluate_handle(f"""() => {{
            const call = {{done: false, error: null}};
            const end = error => Object.assign(call, {{done: true, error}});
            ({function})().then(() => end(null), end);
            return call;
        }}""")
        ended = "call => { if (call.error) throw call.error; return call.done; }"
        self.page.wait_for_function(ended, arg=call, timeout=PATIENCE_MS)


def _forget_kernel(route: Route) -> None:
    if route.request.method != "GET":
        route.fallback()
        return
    response = route.fetch()
    answer = response.json()
    for key in ("kernelspec", "language_info"):
        answer["content"]["metadata"].pop(key, None)
    route.fulfill(response=response, json=answer)
