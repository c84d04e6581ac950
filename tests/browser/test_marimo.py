"""The widget in a real marimo, where it is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.server import free_port, isolated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.watch import Watch

pytest.importorskip("marimo", reason="marimo is not installed")

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 60.0
PATIENCE_MS = 60_000
NOTEBOOK = """\
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    from ipygrad import Variable, backward_pass, exp, square
    x = Variable(0.5, name="x")
    a = square(x)
    b = exp(a)
    y = square(b)
    bp = backward_pass(y)
    stepper = mo.ui.anywidget(bp.widget)
    stepper
    return bp, mo, stepper

@app.cell
def _(mo, stepper):
    mo.md(f"The kernel is at step {stepper.value['step']}.")
    return

@app.cell
def _(bp, mo):
    button = mo.ui.button(label="To step 3", on_click=lambda _: setattr(bp.widget, "step", 3))
    button
    return

if __name__ == "__main__":
    app.run()
"""


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(params=["run", "edit"])
def way(request: pytest.FixtureRequest) -> str:
    """Provide each way to open a notebook: as an app, and to write in it."""
    way: str = request.param
    return way


@pytest.fixture
def address(way: str, tmp_path: Path) -> Iterator[str]:
    """Serve a notebook."""
    notebook = tmp_path / "notebook.py"
    notebook.write_text(NOTEBOOK)
    port = free_port()
    command = [sys.executable, "-m", "marimo", "-y", way, str(notebook), "--headless"]
    address = ["--no-token", "--host", "127.0.0.1", "--port", str(port)]
    path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    env = isolated(tmp_path) | {"PYTHONPATH": path, "MARIMO_SKIP_UPDATE_CHECK": "1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [*command, *address], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        for _ in range(int(START_SECONDS / 0.1)):
            if answers(port):
                break
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError((tmp_path / "log").read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def test_the_widget_steps_and_the_kernel_follows(
    way: str, address: str, page: Page, watch: Watch
) -> None:
    page.goto(address)
    if way == "edit":
        # An app runs by itself; what is opened to be edited waits for "Run all", the last of these,
        # which only looks disabled until the kernel is there.
        run_all = page.get_by_test_id("run-button").last
        expect(run_all).not_to_have_class(re.compile("inactive"), timeout=PATIENCE_MS)
        run_all.click()
    view = page.get_by_role("group", name="Backward pass of y")
    status = view.get_by_role("status")
    expect(status).to_have_text(re.compile("^Step 0 of 3"), timeout=PATIENCE_MS)
    view.get_by_role("button", name="Next step").click()
    expect(status).to_have_text(re.compile("^Step 1 of 3"))
    expect(view.get_by_role("img", name=re.compile("curve with its tangent"))).to_be_visible()
    kernel = page.get_by_text(re.compile("The kernel is at step"))
    expect(kernel.last).to_have_text("The kernel is at step 1.")
    view.get_by_role("slider", name="Step").press("ArrowRight")
    expect(kernel.last).to_have_text("The kernel is at step 2.")
    page.get_by_role("button", name="To step 3").click()
    expect(status).to_have_text(re.compile("^Step 3 of 3"))
    # What marimo's own page asks for and complains about is not ours.
    assert not any("grad" in text for text in (*watch.requests, *watch.errors))
    watch.requests.clear()
    watch.errors.clear()
