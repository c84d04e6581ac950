"""Selection, turns and branches, predictions, in a real JupyterLab and a real Notebook 7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.under_a_cell import GRAD_SEED, opened_cells, press, status, stepper
from tests.shell import SEED

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


def lit(view: Locator) -> dict[str, list[str]]:
    """Return what is lit up: boxes, edges, code, rows of the table, factors of the chain rule."""
    places = {
        "boxes": "svg [role=button]",
        "edges": ".ipygrad-edge",
        "code": ".ipygrad-expression",
        "rows": "tr",
        "factors": "mfrac",
    }
    items = "all => all.map((one) => one.dataset.item)"
    return {
        place: view.locator(f"{selector}.ipygrad-path").evaluate_all(items)
        for place, selector in places.items()
    }


EXP = {
    "boxes": ["v1", "f1", "v2"],
    "edges": ["v1 f1", "f1 v2"],
    "code": ["f1"],
    "rows": ["v1 f1"],
    "factors": ["v1 f1"],
}
INTO_EXP = {**EXP, "boxes": ["v1", "f1"], "edges": ["v1 f1"]}


def test_what_is_selected_lights_up_everywhere_and_from_everywhere(host: Host, page: Page) -> None:
    view = stepper(opened_cells(host, page, GRAD_SEED), 1)
    view.get_by_text("Table of the whole pass").click()
    function = view.get_by_role("button", name="function exp, step 2")
    expression = view.locator(".ipygrad-expression", has_text="exp(a)")
    line = view.get_by_role("button", name="b = exp(a)")
    for one in (function, expression, line):
        one.click(position={"x": 8, "y": 8})
        expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))
        expect(function).to_have_attribute("aria-pressed", "true")
        assert lit(view) == EXP
        one.click(position={"x": 8, "y": 8})
        expect(view.locator(".ipygrad-path")).to_have_count(0)

    # An edge: by itself, by its row of the table, and by its factor of a chain rule.
    function.scroll_into_view_if_needed()
    reach = view.locator("[data-item='v1 f1'] > .ipygrad-reach").bounding_box()
    assert reach
    page.mouse.click(reach["x"] + reach["width"] / 2, reach["y"] + reach["height"] / 2)
    assert lit(view) == INTO_EXP
    view.get_by_role("button", name=re.compile("^variable x, ")).press("Enter")
    expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
    paths = {"boxes": 7, "edges": 6, "code": 3, "rows": 4, "factors": 3}
    assert {place: len(items) for place, items in lit(view).items()} == paths
    view.get_by_role("group", name="Chain rule").locator("mfrac[data-item='v1 f1']").click()
    expect(status(view)).to_have_text(re.compile("^Step 2 of 3"))
    assert lit(view) == INTO_EXP
    view.get_by_role("button", name="Go to step 3").focus()
    page.keyboard.press("Enter")
    expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
    assert (lit(view)["edges"], lit(view)["rows"]) == (["v0 f0"], ["v0 f0"])


def test_turns_of_a_loop_and_the_branch_that_was_not_taken(host: Host, page: Page) -> None:
    view = stepper(opened_cells(host, page, LOOP), 1)
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
y = np.sum(a)"""
    view = stepper(opened_cells(host, page, cell), 1)
    view.get_by_role("button", name=re.compile("^variable a")).click()
    cell_of_a = view.get_by_role("group", name="a", exact=True).locator(".ipygrad-cell").nth(1)
    cell_of_a.click()
    lit = view.locator(".ipygrad-cell.ipygrad-path")
    expect(lit).to_have_text(["3", "3", "4", "1", "0"])
    press(view, "Close the chain rule")
    expect(lit).to_have_count(0)


def test_numbers_are_predicted_then_revealed_and_gradients_expected(host: Host, page: Page) -> None:
    seed, said = SEED.rstrip(), "-7.654321"
    opened = opened_cells(
        host,
        page,
        f"%%grad --expect x.grad=3.2974\n{seed}",
        "%grad y --predict",
        f"%%grad --expect x.grad=3.2\n{seed}",
        "print('graded')",
    )
    # What is as expected says nothing; another gradient fails the cell, and those below do not run.
    expect(opened.outputs(1)).to_have_count(1)
    expect(opened.outputs(3)).to_have_count(2)
    expect(opened.outputs(3)).to_contain_text(
        ["Step 0 of 3", "UnexpectedGradientError: x.grad should be 3.2, but it is 3.297"]
    )
    expect(opened.prompt(4)).to_have_text("[ ]:")

    view = stepper(opened, 2)
    result = view.get_by_role("group", name="b", exact=True)
    table = view.get_by_text("Table of the whole pass")
    press(view, "Next step")
    expect(view.get_by_text("2.568", exact=True).and_(view.locator(":visible"))).to_have_count(1)
    expect(table).to_be_hidden()
    field = view.get_by_role("textbox", name="your prediction of the contribution to b, or its")
    field.fill(said)
    field.press("Enter")
    expect(result.get_by_text(f"✗ you said {said}")).to_be_visible()
    expect(view.locator(".ipygrad-position")).to_have_text("1 / 3")
    for name, guess in (("a", "+"), ("x", "3,3")):
        page.keyboard.press("ArrowRight")
        field = view.get_by_role("textbox")
        field.fill(guess)
        field.press("Enter")
        result = view.get_by_role("group", name=name, exact=True)
        expect(result.get_by_text(f"✓ you said {guess}")).to_be_visible()
    table.click()
    expect(view.get_by_role("row")).to_have_count(5)
    opened.save()
    assert said not in opened.path.read_text("utf-8")
    assert said not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
