"""Several passes in tabs: the front end alone, in a page, and under a cell in Jupyter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from ipygrad import BackwardPasses, Variable, backward_pass, exp, square
from tests.browser import payloads
from tests.browser.jupyter import notebook
from tests.browser.mounting import prepare
from tests.shell import IMPORTS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.browser.jupyter import Host

DESCENT = """\
%%grad -o bp
x = Variable(3.0)
for i in range(3):
    y = square(x)
    x.cleargrad()
    y.backward()
    x.data -= 0.1 * x.grad
"""


CREATE_GRAPH = """\
%%grad
x = Variable(3.0)
y = x ** 3
y.backward(create_graph=True)"""


def mounted(page: Page, *names: str) -> Locator:
    """Mount a pass for each name as `window.group`; they are linked to models s0, s1, …."""
    prepare(page)
    page.evaluate(
        """async ({names, payload}) => {
          const source = [...document.scripts].find(({type}) => type === "module").textContent;
          const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
          const {mountAll} = await import(url);
          window.models = names.map((_, i) => makeModel({stepper_id: `s${i}`, step: 0, payload}));
          models.forEach((model, i) => ipygrad.initialize({model}));
          const passes = names.map((name, i) => ({name, payload, id: `s${i}`}));
          window.group = mountAll(root, passes);
        }""",
        {"names": names, "payload": payloads.chain()},
    )
    return page.locator("#root")


def tab(root: Locator | Page, name: str) -> Locator:
    return root.get_by_role("tab", name=name, exact=True)


def status(root: Locator | Page) -> Locator:
    return root.get_by_role("status")


def step_on(root: Locator | Page) -> None:
    root.get_by_role("button", name="Next step").click()


def test_one_pass_has_no_tabs(page: Page) -> None:
    root = mounted(page, "y")
    expect(root.get_by_role("tablist")).to_have_count(0)
    expect(status(root)).to_have_text(re.compile("^Step 0"))


def test_a_stepper_is_made_when_its_tab_is_opened_and_stays_as_it_was_left(page: Page) -> None:
    root = mounted(page, "y", "z")
    expect(root.get_by_role("tabpanel", name="y")).to_be_visible()
    expect(root.locator(".ipygrad-controls")).to_have_count(1)
    step_on(root)
    tab(root, "z").click()
    expect(root.get_by_role("tabpanel", name="z")).to_be_visible()
    expect(root.get_by_role("tabpanel", name="y")).to_be_hidden()
    expect(status(root)).to_have_text(re.compile("^Step 0"))
    step_on(root)
    step_on(root)
    tab(root, "y").click()
    expect(status(root)).to_have_text(re.compile("^Step 1"))
    tab(root, "z").click()
    expect(status(root)).to_have_text(re.compile("^Step 2"))
    assert page.evaluate("models.map((model) => model.get('step'))") == [1, 2]


def test_what_the_kernel_moves_is_there_when_its_tab_is_opened(page: Page) -> None:
    root = mounted(page, "y", "z")
    page.evaluate("models[1].set('step', 2)")
    tab(root, "z").click()
    expect(status(root)).to_have_text(re.compile("^Step 2"))
    tab(root, "y").click()
    page.evaluate("models[1].set('step', 1)")
    tab(root, "z").click()
    expect(status(root)).to_have_text(re.compile("^Step 1"))


def test_the_keys_of_a_list_of_tabs(page: Page) -> None:
    root = mounted(page, "y", "z", "x.grad")
    page.locator("#above").click()
    page.keyboard.press("Tab")
    for key, name in (
        ("ArrowRight", "z"),
        ("End", "x.grad"),
        ("ArrowRight", "x.grad"),
        ("ArrowLeft", "z"),
        ("Home", "y"),
        ("ArrowLeft", "y"),
        ("ArrowRight", "z"),
    ):
        page.keyboard.press(key)
        expect(tab(root, name)).to_be_focused()
        expect(root.get_by_role("tab", selected=True)).to_have_text(name)
        expect(root.get_by_role("tabpanel", name=name)).to_be_visible()
    outline = "element => getComputedStyle(element).outlineStyle"
    assert tab(root, "z").evaluate(outline) == "solid"
    border = "element => getComputedStyle(element).borderColor"
    assert tab(root, "z").evaluate(border) != tab(root, "y").evaluate(border)
    # Only the selected one is in the order of Tab, and the stepper comes next.
    assert root.get_by_role("tab").evaluate_all("tabs => tabs.map((t) => t.tabIndex)") == [
        -1,
        0,
        -1,
    ]
    page.keyboard.press("Tab")
    expect(root.get_by_role("tab").and_(page.locator(":focus"))).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(tab(root, "z")).to_be_focused()
    tab(root, "x.grad").focus()
    page.keyboard.press("Enter")
    expect(root.get_by_role("tabpanel", name="x.grad")).to_be_visible()


def test_long_names_do_not_widen_a_narrow_column(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    root = mounted(page, *(f"a_rather_long_name_of_a_result_number_{i}" for i in range(8)))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(root.get_by_role("tab").last).to_be_visible()


# --- pages ---


@pytest.fixture
def path(tmp_path: Path) -> Path:
    x = Variable(0.5, name="x")
    path = tmp_path / "two.html"
    BackwardPasses([backward_pass(square(x)), backward_pass(exp(square(x)))]).to_html(path)
    return path


def test_a_page_opens_at_a_pass_and_a_step(page: Page, path: Path) -> None:
    page.goto(path.as_uri() + "#step=1")
    expect(tab(page, "square(x)")).to_have_attribute("aria-selected", "true")
    expect(status(page)).to_have_text(re.compile("^Step 1 of 1"))
    page.evaluate("() => { location.hash = 'pass=2&step=2'; }")
    expect(tab(page, "exp(square(x))")).to_have_attribute("aria-selected", "true")
    expect(status(page)).to_have_text(re.compile("^Step 2 of 2"))
    page.evaluate("() => { location.hash = 'pass=9&step=1'; }")
    page.evaluate("() => { location.hash = 'pass=1'; }")
    expect(tab(page, "square(x)")).to_have_attribute("aria-selected", "true")
    expect(status(page)).to_have_text(re.compile("^Step 1 of 1"))


def test_on_paper_all_passes_have_their_steps(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    expect(status(page)).to_have_text(re.compile("^Step 0 of 1"))
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    headings = page.get_by_role("heading", name=re.compile("^Backward pass of"))
    expect(headings).to_have_text(["Backward pass of square(x)", "Backward pass of exp(square(x))"])
    expect(page.get_by_role("tablist")).to_be_hidden()
    expect(page.locator(".paper .ipygrad")).to_have_count(2 + 3)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_role("tablist")).to_be_visible()


def test_without_scripts_all_passes_stand_there(page: Page, path: Path) -> None:
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False) as context:
        shown = context.new_page()
        shown.goto(path.as_uri())
        expect(shown.get_by_role("img", name=re.compile("^Backward pass of"))).to_have_count(2)
        expect(shown.get_by_role("heading", name=re.compile("^Backward pass of"))).to_have_count(2)


# --- in Jupyter ---


def test_each_tab_is_linked_to_its_own_pass(host: Host, page: Page) -> None:
    opened = host.open(
        page,
        notebook(
            IMPORTS,
            DESCENT.rstrip(),
            "bp[1].widget.step = 1",
            "print([b.widget.step for b in bp], x.data)",
            CREATE_GRAPH,
        ),
    )
    opened.run_cell(0)
    opened.run_cell(1)
    output = opened.outputs(1)
    expect(output.get_by_role("tab")).to_have_text(["1. y", "2. y", "3. y"])
    view = output.get_by_role("group", name="1. Backward pass of y")
    expect(view.get_by_role("button", name=re.compile("variable x, value 3"))).to_be_visible()
    # Keys inside the list are its own, in command mode, too.
    opened.command_mode()
    tab(output, "1. y").focus()
    page.keyboard.press("ArrowRight")
    view = output.get_by_role("group", name="2. Backward pass of y")
    expect(view.get_by_role("button", name=re.compile("variable x, value 2.4"))).to_be_visible()
    opened.run_cell(2)
    expect(status(view)).to_have_text(re.compile("^Step 1 of 1"))
    view.get_by_text("What if …").click()
    slider = view.get_by_role("slider", name="value of x")
    expect(slider).to_be_enabled()
    slider.fill("1.0")
    expect(view.get_by_role("button", name=re.compile("variable x, value 1"))).to_be_visible()
    tab(output, "1. y").click()
    view = output.get_by_role("group", name="1. Backward pass of y")
    expect(view.get_by_role("button", name=re.compile("variable x, value 3"))).to_be_visible()
    expect(status(view)).to_have_text(re.compile("^Step 0 of 1"))
    opened.run_cell(3)
    expect(opened.outputs(3)).to_have_text("[0, 1, 0] 1.536\n")

    # The graph of a gradient is a tab of its own, and its steps lead to the second derivative.
    opened.run_cell(4)
    output = opened.outputs(4)
    view = output.get_by_role("group", name=re.compile("Backward pass of y$"))
    view.get_by_role("button", name="Last step").click()
    expect(
        view.get_by_role("button", name=re.compile("variable x, .*gradient 27$"))
    ).to_be_visible()
    tab(output, "x.grad").click()
    view = output.get_by_role("group", name=re.compile("Backward pass of x.grad$"))
    expect(status(view)).to_have_text(re.compile("^Step 0 of 3"))
    for _ in range(3):
        step_on(view)
    expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
    expect(
        view.get_by_role("button", name=re.compile("variable x, .*gradient 18$"))
    ).to_be_visible()
