"""What is told of gradients on their way, in a real JupyterLab and a real Notebook 7."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

import tests.stages
from tests.browser.under_a_cell import opened_cells, press, status, stepper

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.jupyter import Host

SHARED = """\
%%grad
from ipygrad import no_grad
x = Variable(0.5)
a = square(x)
with no_grad():
    c = exp(x)
y = (exp(a) + a * c) * 2.0
y.backward(retain_grad=False)"""
"""A pass with a variable in each state but one."""

TYPED = Path(tests.stages.__file__).with_name("stage14.py").read_text("utf-8")
"""Classes of a learner's own, under which a gradient that is left over is added to."""

TWICE = "%%grad\nx = Variable(np.array(3.0))\ny = add(x, x)\ny.backward()"

SATURATED = """\
%%grad
from ipygrad import relu, tanh
x = Variable(1.0)
small = tanh(5 * x)
for _ in range(8):
    small = 0.1 * small
y = small + relu(-x)"""


def test_states_are_words_and_those_who_wait_are_listed(host: Host, page: Page) -> None:
    again = TWICE.replace("x = Variable(np.array(3.0))\n", "")
    opened = opened_cells(host, page, SHARED, TYPED, TWICE, again)
    view = stepper(opened, 1)
    not_yet, arrived = "gradient not yet", "gradient 5.865"
    waiting = "gradient 2.568, waiting: 1 of 2 have arrived"
    cut = "cut (no_grad): what it was computed from is not known"
    expected = {
        "x": [*[not_yet] * 5, arrived],
        "a": [*[not_yet] * 3, waiting, arrived, f"{arrived}, dropped after use"],
        "c": [*[f"{not_yet}, {cut}"] * 4, *[f"gradient 0.5, {cut}"] * 2],
        "2": ["a constant: no gradient is kept"] * 6,
    }
    boxes = {
        "x": [*["not yet"] * 5, "grad 5.865"],
        "a": [*["not yet"] * 3, "1 of 2: 2.568", "grad 5.865", "dropped"],
        "c": [*["not yet, cut"] * 4, *["grad 0.5, cut"] * 2],
        "2": ["constant"] * 6,
    }
    for step in range(6):
        view.get_by_role("slider", name="Step").fill(str(step))
        expect(status(view)).to_have_text(re.compile(f"^Step {step} of 5"))
        for name, states in expected.items():
            box = view.get_by_role("button", name=re.compile(f"^variable {name}, value "))
            expect(box).to_have_accessible_name(re.compile(f", {re.escape(states[step])}$"))
            expect(box.locator("text").last).to_have_text(boxes[name][step])
        if step == 3:
            expect(view.locator(".ipygrad-turns > :first-child")).to_have_text(
                "multiply is next: its generation, 1, is the highest of those that wait, "
                "so no gradient of what it made can still be missing.\n"
                "● multiply, generation 1: 1 of 1 gradients arrived\n"
                "●○ square, generation 0: 1 of 2 gradients arrived",
                use_inner_text=True,
            )
    last = view.locator(".ipygrad-turns > :first-child")
    expect(last).to_have_text("No function is waiting: the pass is complete.")

    view = stepper(opened, 4)
    left = view.get_by_role("button", name="variable x, value 3, gradient 2, left over from")
    expect(left.locator("text").last).to_have_text("old 2")
    press(view, "Next step")
    note = "x.grad still held 2 from an earlier pass, and this is added to it."
    expect(view.get_by_text(note)).to_be_visible()


def test_sizes_along_the_path_are_bars_and_lead_to_their_steps(host: Host, page: Page) -> None:
    view = stepper(opened_cells(host, page, SATURATED), 1)
    told = re.compile(
        r"^Gradient arriving at each step, on a log scale from 1e-\d+ to 1\. "
        r"Nothing gets through at (\d+) \(×\)\. Saturated at (\d+) \(–\)\.$"
    )
    bars = view.get_by_role("img", name=told)
    expect(view.get_by_text(told)).to_be_visible()
    place = bars.bounding_box()
    assert place
    last = int(view.get_by_role("slider", name="Step").get_attribute("max") or 0)
    said = told.match(bars.get_attribute("aria-label") or "")
    assert said
    for step, function in zip(said.groups(), ("relu", "tanh"), strict=True):
        middle = (int(step) + 0.5) / (last + 1)
        bars.click(position={"x": middle * place["width"], "y": place["height"] / 2})
        expect(status(view)).to_have_text(re.compile(f"^Step {step} of {last}: {function}"))
