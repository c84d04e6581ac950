"""Forward first, selection, turns and branches, in a real JupyterLab and a real Notebook 7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.jupyter import notebook
from tests.browser.test_stepper_in_jupyter import GRAD_SEED, press, status, stepper
from tests.shell import IMPORTS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.jupyter import Host

LOOP = """%%grad
x = Variable(np.array(0.5))
y = x
for i in range(3):
    if i == 5:
        y = exp(y)
    else:
        y = square(exp(-y))"""


def shown(host: Host, page: Page, cell: str) -> Locator:
    opened = host.open(page, notebook(IMPORTS, cell))
    opened.run_all()
    view = stepper(opened, 1)
    expect(view).to_be_visible()
    opened.command_mode()
    return view


def test_the_forward_pass_by_keys_alone(host: Host, page: Page) -> None:
    view = shown(host, page, GRAD_SEED)
    view.get_by_role("button", name="Forward", exact=True).focus()
    page.keyboard.press("Enter")
    expect(status(view)).to_have_text(re.compile("^Forward 1 of 3: Line 3 runs: square is called"))
    page.keyboard.press("Shift+ArrowRight")
    expect(status(view)).to_have_text(re.compile("^Forward 2 of 3: Line 4 runs: exp is called"))
    expect(view.locator("[data-item=v2].ipygrad-box")).to_be_hidden()
    page.keyboard.press("Shift+ArrowRight")
    expect(status(view)).to_have_text(re.compile("the creator of b is this exp"))
    expect(view.locator("[data-item=v2].ipygrad-box")).to_be_visible()
    page.keyboard.press("End")
    expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
    page.keyboard.press("Home")
    expect(status(view)).to_have_text(re.compile("^Forward 1 of 3"))


def test_an_expression_lights_up_graph_table_and_chain_rule(host: Host, page: Page) -> None:
    view = shown(host, page, GRAD_SEED)
    view.get_by_text("Table of the whole pass").click()
    view.locator(".ipygrad-expression", has_text="exp(a)").click()
    expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))
    for what, count in ((".ipygrad-box", 3), (".ipygrad-edge", 2), ("tr", 1), ("mfrac", 1)):
        expect(view.locator(f"{what}.ipygrad-path")).to_have_count(count)
    # And from the other side: a row of the table, by key.
    view.locator("tr", has_text="square").last.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(view.locator(".ipygrad-edge.ipygrad-path")).to_have_count(1)
    expect(view.locator(".ipygrad-expression.ipygrad-path")).to_have_text("square(x)")


def test_turns_of_a_loop_and_the_branch_that_was_not_taken(host: Host, page: Page) -> None:
    view = shown(host, page, LOOP)
    expect(view.locator(".ipygrad-untaken")).to_have_text(re.compile(r"y = exp\(y\)"))
    names = view.get_by_role("button", name=re.compile("^function square")).evaluate_all(
        "boxes => boxes.map((box) => box.getAttribute('aria-label'))"
    )
    assert [re.findall(r"turn \d of \d of the loop in line \d", name) for name in names] == [
        [f"turn {turn} of 3 of the loop in line 4"] for turn in (1, 2, 3)
    ]
    call = view.locator(".ipygrad-expression", has_text=re.compile(r"^exp\(-y\)$"))
    for step in (2, 5, 8, 2):
        call.click()
        expect(status(view)).to_have_text(re.compile(f"^Step {step} of 9"))


def test_an_element_shows_what_feeds_it(host: Host, page: Page) -> None:
    cell = """%%grad
x = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
w = Variable(np.array([[1.0], [0.0]]))
a = x @ w
y = sum(a)"""
    view = shown(host, page, cell.replace("sum(", "np.sum("))
    view.get_by_role("button", name=re.compile("^variable a")).click()
    cell_of_a = view.get_by_role("group", name="a", exact=True).locator(".ipygrad-cell").nth(1)
    cell_of_a.click()
    lit = view.locator(".ipygrad-cell.ipygrad-path")
    expect(lit).to_have_text(["3", "3", "4", "1", "0"])
    press(view, "Close the chain rule")
    expect(lit).to_have_count(0)
