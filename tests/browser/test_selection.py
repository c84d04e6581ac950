"""Whatever is selected: what belongs to it lights up in graph, code, table and chain rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser import payloads
from tests.browser.mounting import box, button, go, mounted, step_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator


def opened(page: Page) -> Locator:
    """Mount the seed example with its table open."""
    root = mounted(page, payloads.chain())
    root.get_by_text(payloads.WORDS["table"]).click()
    return root


def lit(root: Locator, what: str) -> list[str]:
    """Return the items of what is lit."""
    items: list[str] = root.locator(f"{what}.ipygrad-path").evaluate_all(
        "elements => elements.map((element) => element.dataset.item)"
    )
    return items


def press_edge(root: Locator, item: str) -> None:
    """Press an edge a few pixels beside its line."""
    place = root.locator(f"[data-item='{item}'] > .ipygrad-reach").bounding_box()
    assert place is not None
    at = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2 + 4
    root.page.mouse.click(*at)


EXP = {
    ".ipygrad-box": ["v1", "f1", "v2"],
    ".ipygrad-edge": ["v1 f1", "f1 v2"],
    ".ipygrad-expression": ["f1"],
    "tr": ["v1 f1"],
    "mfrac": ["v1 f1"],
}
"""What belongs to the function exp of the seed example."""


@pytest.mark.parametrize(
    "press",
    [
        lambda root: box(root, "function exp").click(),
        lambda root: box(root, "function exp").press("Enter"),
        lambda root: root.locator(".ipygrad-expression").get_by_text("exp(a)").click(),
        lambda root: root.get_by_role("button", name="b = exp(a)").press("Enter"),
    ],
    ids=["box", "box by key", "expression", "line by key"],
)
def test_a_function_lights_up_wherever_it_is_pressed(page: Page, press: object) -> None:
    root = opened(page)
    assert callable(press)
    press(root)
    assert step_of(page) == 2
    for what, items in EXP.items():
        assert sorted(lit(root, what)) == sorted(items), what
    expect(root.locator(".ipygrad-box.ipygrad-selected")).to_have_attribute("data-item", "f1")
    expect(box(root, "function exp")).to_have_attribute("aria-pressed", "true")
    press(root)
    expect(root.locator(".ipygrad-path, .ipygrad-selected")).to_have_count(0)


@pytest.mark.parametrize(
    "press",
    [
        lambda root: press_edge(root, "v1 f1"),
        lambda root: root.locator("tr[data-item='v1 f1']").get_by_role("button").press("Enter"),
        lambda root: root.locator("tr[data-item='v1 f1'] > td").nth(2).click(),
    ],
    ids=["edge", "row by key", "row"],
)
def test_an_edge_lights_up_wherever_it_is_pressed(page: Page, press: object) -> None:
    root = opened(page)
    assert callable(press)
    press(root)
    assert step_of(page) == 2
    assert lit(root, ".ipygrad-edge") == ["v1 f1"]
    assert lit(root, "tr") == ["v1 f1"]
    assert lit(root, ".ipygrad-box") == ["v1", "f1"]
    assert lit(root, "mfrac") == ["v1 f1"]
    expect(root.locator(".ipygrad-edge.ipygrad-selected")).to_have_count(1)


def test_a_factor_of_the_chain_rule_leads_to_its_edge(page: Page) -> None:
    root = opened(page)
    box(root, "variable x").click()
    assert step_of(page) == 3
    factors = root.locator("mfrac[data-item]")
    assert factors.evaluate_all("all => all.map((one) => one.dataset.item)") == [
        "v2 f2",
        "v1 f1",
        "v0 f0",
    ]
    factors.nth(1).click()
    assert step_of(page) == 2
    assert lit(root, ".ipygrad-edge") == ["v1 f1"]


def test_a_variable_lights_up_its_paths_to_the_result(page: Page) -> None:
    root = opened(page)
    box(root, "variable a").click()
    assert lit(root, "tr") == ["v3", "v2 f2", "v1 f1"]
    assert lit(root, ".ipygrad-expression") == ["f1", "f2"]
    assert lit(root, "mfrac") == ["v2 f2", "v1 f1"]


def test_what_is_selected_stays_so_from_step_to_step(page: Page) -> None:
    root = opened(page)
    box(root, "function exp").click()
    for k in (0, 1, 3):
        go(page, k)
        assert lit(root, ".ipygrad-edge") == EXP[".ipygrad-edge"]
        assert lit(root, "tr") == EXP["tr"]


def test_a_line_goes_through_the_turns_of_its_loop(page: Page) -> None:
    payload = payloads.chain()
    payload["code"].update(
        lines=["for _ in range(3):", "    y = f(y)"],
        expressions=[["for _ in range(3):"], ["    y = ", ["f0,f1,f2", "f(y)"]]],
        steps=[[], [1, 2, 3]],
    )
    root = mounted(page, payload)
    call = root.get_by_text("f(y)", exact=True)
    for k in (1, 2, 3, 1):
        call.click()
        selected = root.locator(".ipygrad-box.ipygrad-selected")
        expect(selected).to_have_attribute("data-item", f"f{3 - k}")
        assert step_of(page) == k


def test_a_branch_that_was_not_taken_is_faded(page: Page) -> None:
    payload = payloads.chain()
    payload["code"]["untaken"] = [4]
    root = mounted(page, payload)
    faded = root.locator(".ipygrad-untaken")
    expect(faded).to_have_text("b = exp(a)")
    expect(faded).to_have_attribute("title", payloads.WORDS["untaken"])


def test_an_element_lights_up_what_feeds_it(page: Page) -> None:
    payload = payloads.chain()
    x, a = payload["graph"]["variables"][:2]
    x["elements"] = {"columns": 2, "texts": ["1", "2"], "feeds": []}
    a["elements"] = {"columns": 1, "texts": ["3", "4"], "feeds": [["v0[0]", "v0[1]"], ["v0[1]"]]}
    root = mounted(page, payload)
    box(root, "variable a").click()
    cells = root.locator(".ipygrad-cell")
    expect(cells).to_have_text(["3", "4", "1", "2"])
    expect(root.get_by_role("group", name="x", exact=True).locator(".ipygrad-cell")).to_have_count(
        2
    )
    at = step_of(page)
    cells.nth(1).press("Enter")
    assert step_of(page) == at
    assert lit(root, ".ipygrad-cell") == ["v1[1]", "v0[1]"]
    assert lit(root, ".ipygrad-edge") == ["v0 f0", "f0 v1"]
    cells.nth(0).click()
    assert lit(root, ".ipygrad-cell") == ["v1[0]", "v0[0]", "v0[1]"]
    expect(cells.nth(0)).to_have_class("ipygrad-cell ipygrad-selected ipygrad-path")


def test_nothing_is_selected_while_numbers_are_to_be_predicted(page: Page) -> None:
    root = mounted(page, {**payloads.chain(), "predict": True})
    box(root, "function square, step 1").click()
    expect(root.locator(".ipygrad-selected")).to_have_count(0)
    button(root, "next").click()
    expect(root.locator(".ipygrad-selected")).to_have_count(0)
