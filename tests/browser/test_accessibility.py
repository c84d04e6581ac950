"""The stepper as axe-core judges it: names, roles, focus, contrast, in both themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import payloads
from tests.browser.axe import violations
from tests.browser.mounting import box, button, go, mounted

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page


def step(root: Locator) -> None:
    go(root.page, 2)


def first_part(root: Locator) -> None:
    go(root.page, 1)
    button(root, "part_local").click()


def forward(root: Locator) -> None:
    button(root, "forward").click()


def selection(root: Locator) -> None:
    box(root, "variable x").click()


def table(root: Locator) -> None:
    root.get_by_text(payloads.WORDS["table"]).click()
    go(root.page, 1)


def knobs(root: Locator) -> None:
    root.get_by_text(payloads.WORDS["what_if"]).click()


def faded() -> payloads.Payload:
    payload = payloads.chain()
    payload["code"]["untaken"] = [5]
    return payload


def with_elements() -> payloads.Payload:
    payload = payloads.chain()
    elements = {"columns": 2, "texts": ["1", "2"], "feeds": [["v0[0]"], ["v0[1]"]]}
    for variable in payload["graph"]["variables"][:2]:
        variable["elements"] = elements
    return payload


def with_knobs() -> payloads.Payload:
    return {**payloads.chain(), "knobs": [{"name": "x", "value": 0.5, "bound": 2.0}]}


def with_sizes() -> payloads.Payload:
    bars = {"bars": [1, 0.5, None, 0.2], "dead": [2], "saturated": [3], "text": "Sizes."}
    return {**payloads.chain(), "sizes": bars}


def predicting() -> payloads.Payload:
    return {**payloads.chain(), "predict": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("build", "act"),
    [
        (payloads.chain, step),
        (payloads.chain, first_part),
        (payloads.chain, forward),
        (payloads.chain, selection),
        (payloads.chain, table),
        (payloads.arrays, step),
        (payloads.constant, step),
        (payloads.nasty, step),
        (payloads.large, step),
        (payloads.stopped, forward),
        (faded, step),
        (with_elements, selection),
        (with_knobs, knobs),
        (with_sizes, step),
        (predicting, step),
    ],
    ids=lambda made: made.__name__,
)
def test_axe_finds_nothing(
    page: Page,
    build: Callable[[], payloads.Payload],
    act: Callable[[Locator], None],
    scheme: Any,
) -> None:
    page.emulate_media(color_scheme=scheme)
    root = mounted(page, build())
    act(root)
    # It has to see a colour behind the stepper.
    page.add_style_tag(content="body { background: Canvas; }")
    assert violations(page, "#root") == []


def test_axe_would_find_a_button_without_a_name(page: Page) -> None:
    root = mounted(page, payloads.chain())
    button(root, "next").evaluate("one => { one.removeAttribute('aria-label'); one.title = ''; }")
    assert [list(rule) for rule in violations(page, "#root")] == [["button-name"]]
