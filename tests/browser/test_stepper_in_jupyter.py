"""The stepper under a cell, in a real JupyterLab and a real Notebook 7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.jupyter import PATIENCE_MS, notebook
from tests.browser.under_a_cell import GRAD_SEED, opened_seed, press, status, stepper
from tests.shell import IMPORTS, SEED

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.jupyter import Host

ACTIVE_CELL = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
CELL_COUNT = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"


def test_the_seed_cell_steps(host: Host, page: Page) -> None:
    opened = opened_seed(host, page, "print(repr(x.grad), x.grad.shape)")
    view = stepper(opened, 1)
    expect(status(view)).to_have_text(re.compile("^Step 0 of 3"))
    for step, contribution in (("1", "2.568"), ("2", "3.297"), ("3", "3.297")):
        press(view, "Next step")
        expect(status(view)).to_have_text(re.compile(f"^Step {step} of 3.*makes {contribution}"))
        expect(view.get_by_role("img", name=re.compile("curve with its tangent"))).to_be_visible()
        line = view.locator('[aria-current="step"]', has_text=re.compile(" = (square|exp)"))
        expect(line.first).to_contain_text(SEED.splitlines()[4 - int(step)])
    press(view, "First step")
    expect(status(view)).to_have_text(re.compile("^Step 0 of 3"))
    press(view, "Last step")
    expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
    expect(opened.outputs(2)).to_have_text("array(3.29744254) ()\n")


def test_stepping_works_while_a_cell_is_running_and_after_the_kernel_has_gone(
    host: Host, page: Page
) -> None:
    busy = "import time\nprint('busy')\nwhile True: time.sleep(0.1)"
    opened = host.open(page, notebook(IMPORTS, GRAD_SEED, busy))
    opened.run_all(wait=False)
    expect(opened.outputs(2)).to_have_text("busy\n")
    view = stepper(opened, 1)
    press(view, "Next step")
    expect(status(view)).to_have_text(re.compile("^Step 1 of 3"))
    opened.shutdown_kernel()
    press(view, "Next step")
    expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))


def test_a_knob_turns_the_pass_and_keep_writes_it_into_the_notebook(host: Host, page: Page) -> None:
    opened = host.open(page, notebook(IMPORTS, GRAD_SEED, "print(x.data, x.grad)"))
    opened.run_cell(0)
    opened.run_cell(1)
    view = stepper(opened, 1)
    press(view, "Last step")
    view.get_by_text("What if …").click()
    slider = view.get_by_role("slider", name="value of x")
    expect(slider).to_be_enabled()
    view.get_by_role("spinbutton", name="greatest value of x", exact=True).fill("2")
    slider.fill("1.5")
    expect(view.get_by_role("button", name=re.compile("variable x, value 1.5"))).to_be_visible()
    # However many values come at once, the last one is what the kernel ends with.
    for value in ("0.1", "0.2", "0.3", "0.4"):
        slider.fill(value)
    view.get_by_role("spinbutton", name="value of x", exact=True).fill("0.7")
    expect(slider).to_have_value("0.7")
    expect(view.get_by_role("button", name=re.compile("variable x, value 0.7"))).to_be_visible()
    expect(status(view)).to_have_text(re.compile("7.46"))
    expect(view.get_by_role("img", name=re.compile("curve with its tangent"))).to_be_visible()
    opened.run_cell(2)
    expect(opened.outputs(2)).to_have_text("0.5 3.297442541400256\n")
    view.get_by_role("button", name="Keep").click()
    expect(view.get_by_text("Written into the notebook: x.")).to_be_visible()
    opened.run_cell(2)
    expect(opened.outputs(2)).to_have_text(re.compile("^0.7 "))
    opened.shutdown_kernel()
    slider.fill("0.2")
    expect(slider).to_be_disabled()
    expect(view.get_by_text("These need the kernel that ran the cell.")).to_be_visible()


def test_keys_step_with_the_notebook_in_command_mode(host: Host, page: Page) -> None:
    opened = opened_seed(host, page)
    opened.command_mode()
    view = stepper(opened, 1)
    view.get_by_role("slider", name="Step").focus()
    cells = page.evaluate(CELL_COUNT)
    active = page.evaluate(ACTIVE_CELL)
    for key, step in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 3),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        expect(status(view)).to_have_text(re.compile(f"^Step {step} of 3"))
    view.get_by_role("button", name="Next step").focus()
    page.keyboard.press("ArrowRight")
    expect(status(view)).to_have_text(re.compile("^Step 1 of 3"))
    for key in ("b", "a", "x", "d", "d", "ArrowDown", "j"):
        page.keyboard.press(key)
    assert page.evaluate(CELL_COUNT) == cells
    assert page.evaluate(ACTIVE_CELL) == active
    # The notebook's own chords still work.
    page.evaluate(
        """() => {
          window.saved = 0;
          const { commandExecuted } = window.jupyterapp.commands;
          commandExecuted.connect((_, { id }) => { window.saved += id === "docmanager:save"; });
        }"""
    )
    elements = (
        view.get_by_role("slider", name="Step", exact=True),
        view.get_by_role("button", name="function exp"),
        view.get_by_role("button", name="a = square(x)"),
    )
    for times, element in enumerate(elements, 1):
        element.focus()
        page.keyboard.press("Control+s")
        page.wait_for_function("times => window.saved === times", arg=times)


def test_the_slider_of_the_page_and_the_widget_follow_each_other(host: Host, page: Page) -> None:
    opened = opened_seed(host, page, "bp.widget.step = 2", "print('widget at', bp.widget.step)")
    view = stepper(opened, 1)
    expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))
    press(view, "Next step")
    expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
    opened.run_cell(3)
    expect(opened.outputs(3)).to_have_text("widget at 3\n")
    opened.save()
    opened.reload()
    view = stepper(opened, 1)
    expect(status(view)).to_have_text(re.compile("^Step [03] of 3"))
    opened.run_cell(2)
    expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))


def test_the_widget_is_the_same_stepper(host: Host, page: Page) -> None:
    alone, in_a_box = "bp.widget", "from ipywidgets import HBox\nHBox([bp.widget])"
    set_step, by_the_magic = "bp.widget.step = 2", "%grad y -o bp --as widget"
    opened = opened_seed(host, page, alone, in_a_box, set_step, by_the_magic, set_step)
    for cell in (2, 3, 5):
        view = stepper(opened, cell)
        expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))
        press(view, "Next step")
        expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
        press(view, "Previous step")


def test_saved_it_steps_without_a_kernel_and_with_a_new_one(host: Host, page: Page) -> None:
    opened = opened_seed(host, page, "bp.widget", "%grad y --as widget")
    expect(stepper(opened, 3)).to_be_visible()
    opened.save()
    for kernel in (False, True):
        if kernel:
            page.goto("about:blank")
            host.server.end_sessions()
        again = (host.open if kernel else host.open_without_kernel)(page, opened.path)
        for cell in (1, 2, 3):
            view = stepper(again, cell)
            press(view, "Next step")
            expect(status(view)).to_have_text(re.compile("^Step 1 of 3"))
            expect(again.outputs(cell)).not_to_contain_text(re.compile("error", re.IGNORECASE))
    again.run_all()
    press(stepper(again, 1), "Last step")
    expect(status(stepper(again, 1))).to_have_text(re.compile("^Step 3 of 3"))


def test_a_second_view_of_the_output_is_live(lab: Host, page: Page) -> None:
    opened = opened_seed(lab, page)
    opened.select(1)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:create-output-view')")
    views = page.get_by_role("group", name=re.compile("^Backward pass of"))
    expect(views).to_have_count(2)
    press(views.nth(1), "Next step")
    expect(status(views.nth(1))).to_have_text(re.compile("^Step 1 of 3"))


def test_strings_that_hold_html_are_text(host: Host, page: Page) -> None:
    nasty = "</script><img src=x onerror=window.hacked=1>"
    cell = (
        f"%%grad\nx = Variable(0.5, name={nasty!r})\n"
        f"Evil = type({nasty!r}, (Exp,), {{}})\n"
        f"y = square(Evil()(x))  # {nasty}"
    )
    opened = host.open(page, notebook(IMPORTS, cell))
    opened.run_all()
    view = stepper(opened, 1)
    press(view, "Last step")
    expect(view.get_by_role("button", name=f"variable {nasty}")).to_be_visible()
    expect(view.locator("img[src=x]")).to_have_count(0)
    assert page.evaluate("() => window.hacked") is None


def test_a_cell_that_raises_shows_traceback_then_graph(host: Host, page: Page) -> None:
    cell = "%%grad\nx = Variable(0.5)\na = square(x)\nraise KeyError('gone')"
    opened = host.open(page, notebook(IMPORTS, cell))
    opened.run_cell(0)
    opened.run_cell(1)
    outputs = opened.outputs(1)
    expect(outputs).to_have_count(2)
    expect(outputs.nth(0)).to_contain_text("KeyError")
    expect(outputs.nth(0)).not_to_contain_text("run_cell_magic")
    view = outputs.nth(1).get_by_role("group")
    expect(view.first).to_contain_text("no backward pass")


def test_ctrl_c_leaves_the_notebook_usable(lab: Host, page: Page) -> None:
    cell = "%%grad\nx = Variable(0.5)\ny = exp(x)\nprint('busy')\nwhile True: pass"
    opened = lab.open(page, notebook(IMPORTS, cell, GRAD_SEED))
    opened.run_cell(0)
    opened.run_cell(1, wait=False)
    expect(opened.outputs(1).first).to_have_text("busy\n")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    expect(opened.outputs(1).nth(1)).to_contain_text("KeyboardInterrupt")
    # Until it has answered, the kernel drops what else it is told to run.
    opened.wait_until_run(1)
    opened.run_cell(2)
    expect(stepper(opened, 2)).to_be_visible()


def test_plots_beyond_the_stored_ones_come_from_the_kernel(lab: Host, page: Page) -> None:
    cell = "%%grad\ny = x = Variable(0.5)\nfor _ in range(120):\n    y = np.sin(y)"
    opened = lab.open(page, notebook(IMPORTS, cell))
    opened.run_all()
    view = stepper(opened, 1)
    press(view, "Last step")
    expect(view.get_by_role("img", name=re.compile("curve with its tangent"))).to_be_visible()


def test_running_a_cell_again_closes_its_earlier_widget(lab: Host, page: Page) -> None:
    count = (
        "from ipywidgets.widgets import widget\n"
        "print([type(w).__name__ for w in widget._instances.values() if hasattr(w, 'step')])"
    )
    opened = opened_seed(lab, page, count)
    opened.run_cell(1)
    opened.run_cell(1)
    opened.run_cell(2)
    expect(opened.outputs(2)).to_have_text("['StepperLink']\n")


# ---------------------------------------------------------------- it is still there


def execute(page: Page, command: str) -> None:
    page.evaluate("command => window.jupyterapp.commands.execute(command)", command)


def test_a_cell_is_cleared_copied_and_deleted_and_steps_on(host: Host, page: Page) -> None:
    opened = opened_seed(host, page)
    opened.select(1)
    execute(page, "notebook:clear-cell-output")
    expect(opened.outputs(1)).to_have_count(0)
    opened.run_cell(1)
    view = stepper(opened, 1)
    press(view, "Next step")
    expect(status(view)).to_have_text(re.compile("^Step 1 of 3"))

    execute(page, "notebook:copy-cell")
    execute(page, "notebook:paste-cell-below")
    expect(opened.cells).to_have_count(3)
    for cell in (1, 2):
        press(stepper(opened, cell), "Next step")
        expect(status(stepper(opened, cell))).to_have_text(re.compile(r"^Step [123] of 3"))
    opened.run_cell(2)
    press(stepper(opened, 2), "Last step")
    expect(status(stepper(opened, 2))).to_have_text(re.compile("^Step 3 of 3"))

    opened.select(1)
    execute(page, "notebook:delete-cell")
    expect(opened.cells).to_have_count(2)
    execute(page, "notebook:undo-cell-action")
    expect(opened.cells).to_have_count(3)
    view = stepper(opened, 1)
    for step in (1, 2):
        view.get_by_role("slider", name="Step", exact=True).fill(str(step))
        expect(status(view)).to_have_text(re.compile(f"^Step {step} of 3"))


def test_scrolled_away_and_back_it_steps_on(host: Host, page: Page) -> None:
    below = [f"print('{number}\\\\n' * 30)" for number in range(30)]
    opened = opened_seed(host, page, *below)
    view = stepper(opened, 1)
    press(view, "Next step")
    last = "() => { const { content } = window.jupyterapp.shell.currentWidget; "
    page.evaluate(last + "return content.scrollToItem(content.widgets.length - 1, 'end'); }")
    expect(opened.cells.last).to_be_in_viewport()
    expect(view).not_to_be_in_viewport()
    page.evaluate(last + "return content.scrollToItem(1, 'start'); }")
    expect(view).to_be_in_viewport()
    expect(status(view)).to_have_text(re.compile("^Step 1 of 3"))
    press(view, "Next step")
    expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))


@pytest.mark.parametrize("kernel", [True, False], ids=["new kernel", "no kernel"])
def test_untrusted_it_is_a_picture_and_a_table_and_says_no_error(
    host: Host, page: Page, *, kernel: bool
) -> None:
    opened = opened_seed(host, page, "%grad y", "%grad y --as widget", "bp.widget")
    opened.save()
    copied = nbformat.read(opened.path, as_version=4)
    path = host.root / "untrusted.ipynb"
    copied.cells[0].source += "\n# not signed"
    copied.cells[1].outputs[0].data["text/html"] += "<p>not signed</p>"
    nbformat.write(copied, path)
    page.goto("about:blank")
    host.server.end_sessions()
    again = host.open(page, path) if kernel else host.open_without_kernel(page, path)
    output = again.outputs(1).first
    picture = output.get_by_role("img", name="Backward pass of y")
    expect(picture).to_be_visible()
    assert picture.evaluate("picture => picture.naturalWidth") > 0
    expect(output.locator("script")).to_have_count(0)
    output.locator("summary").click()
    expect(output.get_by_role("row")).to_have_count(5)
    for cell in (2, 3, 4):
        output = again.outputs(cell).first
        fallback = output.get_by_role("img").or_(output.get_by_text("Backward pass of y"))
        expect(fallback.first).to_be_visible()
        expect(output).not_to_contain_text(re.compile("error", re.IGNORECASE))


def test_a_bar_shows_how_many_plots_are_drawn_and_leaves_a_line(host: Host, page: Page) -> None:
    cell = (
        "y = x = Variable(0.5)\nfor _ in range(150):\n    y = np.sin(y)\n"
        "backward_pass(y).to_html('page.html')"
    )
    opened = host.open(page, notebook(IMPORTS, cell))
    opened.run_cell(0)
    opened.run_cell(1, wait=False)
    expect(opened.outputs(1).locator(".widget-hprogress")).to_be_visible(timeout=PATIENCE_MS)
    expect(opened.outputs(1)).to_have_text("page.html: 150 of 150", timeout=PATIENCE_MS)
    # The cell is not over when the bar is: what it does then would be later than the saved file.
    opened.wait_until_run(1)
    opened.save()
    assert "widget-view" not in opened.path.read_text("utf-8")
