"""The stepper for everybody, in a real JupyterLab and a real Notebook 7.

By keys alone, in both themes, in a narrow column, enlarged, on a projector, without motion.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.axe import HOSTS, violations
from tests.browser.jupyter import NOTEBOOK
from tests.browser.under_a_cell import GRAD_SEED, opened_cells, press, status, stepper

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from playwright.sync_api import Locator, Page

    from tests.browser.jupyter import Host, NotebookPage

BRANCHED = """\
%%grad
import numpy as np
x = Variable(np.array([[1.0, 2.0], [3.0, 4.0]]))
w = Variable(np.array([[1.0], [0.5]]))
h = x @ w
if w.data[0, 0] < 0:
    h = exp(-h)
y = np.sum(square(h)) * 2.0"""
"""Arrays, a constant, and a branch that was not taken."""

OUTLINE = """() => {
  const at = document.activeElement;
  const {outlineStyle, outlineWidth} = getComputedStyle(at);
  return [at.getAttribute("aria-label") ?? at.innerText, `${outlineWidth} ${outlineStyle}`];
}"""
"""What has the focus, by its name, and the ring around it."""

OUTSIDE = """view => {
  const may = ".ipygrad-graph, .ipygrad-code, .ipygrad-table-box, .ipygrad-working, [role=status]";
  const {left, right} = view.getBoundingClientRect();
  const isInside = (one) => one.closest(may) && !one.matches(may);
  const shown = [...view.querySelectorAll("*")].filter((one) => one instanceof HTMLElement
    && one.checkVisibility({visibilityProperty: true}) && !isInside(one));
  return shown.filter((one) => {
    const box = one.getBoundingClientRect();
    const isCut = getComputedStyle(one).display !== "inline" && !one.matches(may)
      && one.scrollWidth > one.clientWidth + 1;
    return isCut || box.left < left - 1 || box.right > right + 1;
  }).map((one) => one.outerHTML.slice(0, 120));
}"""
"""What is cut off or stands out at a side, but for boxes that scroll."""

PLACES = """view => [...view.children].map((one) => {
  const {top, height, width} = one.getBoundingClientRect();
  return [one.className, top - view.getBoundingClientRect().top, height, width].join(" ");
})"""


def photograph(page: Page, request: pytest.FixtureRequest, view: Locator, what: str) -> None:
    """Keep a picture of the window at this moment, with the stepper's top at its own."""
    view.evaluate("view => view.scrollIntoView({block: 'start'})")
    name = re.sub(r"\W+", "-", f"{request.node.name}-{what}").strip("-")
    folder: Path = request.config.rootpath / "test-results"
    page.screenshot(path=folder / f"{name}.png")


def seed_and_arrays(host: Host, page: Page) -> tuple[NotebookPage, tuple[Locator, Locator]]:
    opened = opened_cells(host, page, GRAD_SEED, BRANCHED)
    return opened, (stepper(opened, 1), stepper(opened, 2))


def test_axe_finds_nothing_in_either_theme_and_themes_change_live(
    host: Host, page: Page, request: pytest.FixtureRequest
) -> None:
    # Nothing fades from one colour to the other while it is judged.
    page.emulate_media(reduced_motion="reduce")
    opened, views = seed_and_arrays(host, page)
    for view in views:
        view.get_by_text("Table of the whole pass").click()
        view.get_by_text("What if …").click()
        press(view, "Next step")
        view.get_by_role("button", name=re.compile("^variable [xw], ")).first.click()
    paints = """view => ["svg rect", "svg text", ".ipygrad-curve", "summary", "td"].map((one) => {
      const {fill, stroke, color} = getComputedStyle(view.querySelector(one));
      return [fill, stroke, color].join();
    })"""
    seen = []
    for theme in ("light", "dark", "light"):
        opened.set_theme(theme)
        seen.append([view.evaluate(paints) for view in views])
        photograph(page, request, views[0], theme)
        assert violations(page, f"{NOTEBOOK} .ipygrad", without=HOSTS) == [], theme
    assert seen[0] == seen[2]
    for light, dark in zip(*seen[:2], strict=True):
        assert all(one != other for one, other in zip(light, dark, strict=True))


def test_every_control_by_tab_in_order_named_and_with_a_ring(host: Host, page: Page) -> None:
    _, (view, _) = seed_and_arrays(host, page)
    position = view.locator(".ipygrad-position")
    first = view.get_by_role("button", name=re.compile("^variable x, "))
    first.focus()
    page.keyboard.press("Shift+Tab")
    inside = "view => view.contains(document.activeElement)"
    assert not view.evaluate(inside)
    first.focus()
    found = []
    while view.evaluate(inside):
        found.append(page.evaluate(OUTLINE))
        page.keyboard.press("Tab")
    assert {ring for _, ring in found} == {"2px solid"}
    names = [name.split(",")[0].replace("\n", "") for name, _ in found]
    boxes = ["x", "square", "a", "exp", "b", "square", "y"]
    assert [name.split(" ")[1] for name in names if re.match("variable|function", name)] == boxes
    order = ["First step", "Previous step", "Play", "Next step", "Last step", "Step"]
    order += ["Speed of playing", "Forward", "Backward", "What if …", "1 local derivative"]
    order += ["2 × arriving", "3 added", "3a = square(x)", "4b = exp(a)", "5y = square(b)"]
    order += ["Table of the whole pass"]
    assert [name for name in names if name in order] == order
    assert all(names)

    # What is done with them, without a mouse.
    view.get_by_role("button", name="Play").focus()
    page.keyboard.press("Enter")
    expect(view.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(position).to_have_text("1 / 3")
    view.get_by_role("button", name="1 local derivative").focus()
    page.keyboard.press("Enter")
    expect(position).to_have_text("1.1 / 3")
    view.get_by_text("What if …").focus()
    page.keyboard.press("Enter")
    knob = view.get_by_role("slider", name="value of x", exact=True)
    expect(knob).to_be_enabled()
    knob.focus()
    page.keyboard.press("ArrowRight")
    expect(knob).not_to_have_value("0.5")
    box = view.get_by_role("button", name=re.compile(r"^variable x, value 0\.5,"))
    expect(box).to_have_count(0)
    expect(position).to_have_text("1.1 / 3")
    view.get_by_text("Table of the whole pass").focus()
    page.keyboard.press("Enter")
    expect(view.get_by_role("row")).to_have_count(5)


def stepped_through(view: Locator, last: int) -> None:
    """Go through all steps: nothing moves, and nothing is cut off."""
    view.get_by_role("slider", name="Step", exact=True).fill("0")
    places = view.evaluate(PLACES)
    for step in range(1, last + 1):
        press(view, "Next step")
        expect(status(view)).to_have_text(re.compile(f"^Step {step} of {last}"))
        assert view.evaluate(PLACES) == places, step
        assert view.evaluate(OUTSIDE) == [], step


def test_narrow_enlarged_and_on_a_projector_nothing_is_cut_and_nothing_moves(
    host: Host, page: Page, request: pytest.FixtureRequest
) -> None:
    _, views = seed_and_arrays(host, page)
    shape = "view => getComputedStyle(view.querySelector('svg rect')).transitionDuration"
    assert views[0].evaluate(shape) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert views[0].evaluate(shape) == "0s"
    # At 200 % a window of 1280 by 900 has room for half as much.
    windows = {"projector": (1024, 768), "enlarged": (640, 450)}
    for what, (width, height) in windows.items():
        page.set_viewport_size({"width": width, "height": height})
        if (what, host.name) == ("enlarged", "lab"):
            page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
        for view, last in zip(views, (3, 4), strict=True):
            stepped_through(view, last)
            photograph(page, request, view, f"{what}-{last}")
    page.set_viewport_size({"width": 1280, "height": 900})
    for view, last in zip(views, (3, 4), strict=True):
        view.evaluate("view => { view.style.width = '360px'; }")
        stepped_through(view, last)
        photograph(page, request, view, f"narrow-{last}")


def test_in_the_language_of_the_cell_and_of_the_browser(
    host: Host, korean_page: Page, request: pytest.FixtureRequest
) -> None:
    seed: Any = GRAD_SEED.partition("\n")[2]
    cells = (f"%%grad\n{seed}", f"%%grad --lang ja\n{seed}")
    opened = opened_cells(host, korean_page, *cells, '%config GradMagics.language = "en"', cells[0])
    for cell, language, name, button, told in (
        (1, "ko", "Backward pass of y", "다음 단계", "^Step 1 of 3"),
        (2, "ja", "y の逆伝播", "次のステップ", "^全 3 ステップ中のステップ 1"),
        (4, "en", "Backward pass of y", "Next step", "^Step 1 of 3"),
    ):
        view = opened.cells.nth(cell).get_by_role("group", name=name)
        expect(view).to_have_attribute("lang", language)
        press(view, button)
        expect(status(view)).to_have_text(re.compile(told))
        photograph(korean_page, request, view, language)
