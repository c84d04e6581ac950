"""Steps and their parts, forward and back, in a real JupyterLab and a real Notebook 7."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.under_a_cell import GRAD_SEED, opened_cells, press, status, stepper
from tests.shell import SEED

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.jupyter import Host

FORTY = "%%grad\ny = x = Variable(0.5)\nfor _ in range(40):\n    y = np.sin(y)"

LISTEN = """view => {
  window.said = [];
  const live = "[role=status], [role=log], [role=alert], [aria-live]";
  const watch = new MutationObserver((changes) => said.push(changes[0].target.textContent));
  for (const region of view.querySelectorAll(live))
    watch.observe(region, {childList: true, characterData: true, subtree: true});
}"""
"""Write down what a screen reader announces from now on."""

STATE = """view => {
  const copy = view.cloneNode(true);
  for (const one of copy.querySelectorAll("[class]"))
    one.setAttribute("class", [...one.classList].sort().join(" "));
  return [copy.innerHTML, ...[...view.querySelectorAll("input")].map(({value}) => value)].join();
}"""
"""All that the stepper shows, whatever order classes were given in."""


def state_of(view: Locator) -> str:
    state: str = view.evaluate(STATE)
    return state


def test_a_step_opens_into_three_parts_and_back_mirrors_forward(host: Host, page: Page) -> None:
    opened = opened_cells(host, page, "%%grad --step 1\n" + SEED.rstrip())
    view = stepper(opened, 1)
    position = view.locator(".ipygrad-position")
    expect(position).to_have_text("1 / 3")
    tangent = view.get_by_role("img", name="square: from y to b: the curve with its tangent")
    product = view.get_by_role("group", name="b", exact=True)
    arriving = product.get_by_text("gradient arriving")
    local = product.get_by_text("local derivative")
    contribution = product.get_by_text("contribution to b")
    added = product.get_by_text("added to what is there: – → 2.568")
    held = view.get_by_role("button", name=re.compile("^variable b, value 1.284, "))
    view.get_by_role("slider", name="Step").focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    for at, seen, gradient in (
        ("1.1 / 3", (tangent, local), "gradient not yet"),
        ("1.2 / 3", (tangent, arriving, local, contribution), "gradient not yet"),
        ("1 / 3", (tangent, arriving, local, contribution, added), "gradient 2.568"),
    ):
        page.keyboard.press("Shift+ArrowRight")
        expect(position).to_have_text(at)
        for one in (tangent, arriving, local, contribution, added):
            expect(one).to_be_visible(visible=one in seen)
        expect(held).to_have_accessible_name(re.compile(f"{gradient}$"))
    factors = product.locator(".ipygrad-number")
    expect(factors).to_have_text(["1", "2.568", "2.568", "–", "2.568"])

    # Through the calls and the way back, part by part, and the same way home.
    press(view, "Forward")
    for _ in range(2):
        page.keyboard.press("Shift+ArrowLeft")
    view.evaluate(LISTEN)
    seen_states, told = [state_of(view)], list[str]()
    for key, count in (("ArrowRight", 18), ("ArrowLeft", 18)):
        for _ in range(count):
            page.keyboard.press(f"Shift+{key}")
            seen_states.append(state_of(view))
            told.append(status(view).text_content() or "")
    assert seen_states == seen_states[::-1]
    assert len(set(seen_states)) == 19
    # One announcement for each, and by the words of that step.
    assert page.evaluate("said") == told
    assert told[17].startswith("Step 3 of 3")
    assert len(set(told)) == 19


def test_playing_has_a_speed_and_clicks_do_not_pile_up(host: Host, page: Page) -> None:
    view = stepper(opened_cells(host, page, FORTY), 1)
    position = view.locator(".ipygrad-position")
    expect(position).to_have_text("0 / 40")
    # From now on time passes only when it is told to.
    page.clock.install()
    page.clock.pause_at(datetime.now(timezone.utc) + timedelta(seconds=30))
    view.get_by_role("combobox", name="Speed of playing").select_option("4×")
    # However often it is pressed, one timer runs; and each press of a button is done at once.
    presses = "(button, count) => { for (let i = 0; i < count; i += 1) button.click(); }"
    view.get_by_role("button", name="Play").evaluate(presses, 5)
    expect(view.get_by_role("button", name="Pause")).to_be_visible()
    view.get_by_role("button", name="Pause").evaluate(presses, 2)
    page.clock.run_for(1000)
    expect(position).to_have_text("3 / 40")
    told = "(button, count) => { for (let i = 0; i < count; i += 1) button.click();"
    told += " return button.closest('[role=group]').querySelector('.ipygrad-position').innerText; }"
    assert view.get_by_role("button", name="Next step").evaluate(told, 30) == "33 / 40"
    page.clock.run_for(10_000)
    expect(position).to_have_text("33 / 40")
    press(view, "Play")
    page.clock.run_for(10_000)
    expect(position).to_have_text("40 / 40")
    expect(view.get_by_role("button", name="Play")).to_be_visible()


def test_the_forward_pass_by_keys_alone(host: Host, page: Page) -> None:
    view = stepper(opened_cells(host, page, GRAD_SEED), 1)
    backward = view.get_by_role("button", name="Backward", exact=True)
    expect(backward).to_have_attribute("aria-pressed", "true")
    expect(view.locator(".ipygrad-position")).to_have_text("0 / 3")
    view.get_by_role("button", name="Forward", exact=True).focus()
    page.keyboard.press("Enter")
    expect(backward).to_have_attribute("aria-pressed", "false")
    expect(status(view)).to_have_text(re.compile("^Forward 1 of 3: Line 3 runs: square is called"))
    page.keyboard.press("Shift+ArrowRight")
    expect(status(view)).to_have_text(re.compile("^Forward 2 of 3: Line 4 runs: exp is called"))
    line = view.locator("[aria-current=step]").get_by_text("b = exp(a)")
    expect(line).to_be_visible()
    function = view.get_by_role("button", name="function exp, step 2")
    expect(function).to_be_visible()
    made = view.locator("[data-item=v2].ipygrad-box")
    expect(made).to_be_hidden()
    page.keyboard.press("Shift+ArrowRight")
    expect(status(view)).to_have_text(re.compile("the creator of b is this exp"))
    expect(made).to_be_visible()
    expect(made.get_by_text("1.284", exact=True)).to_be_hidden()
    page.keyboard.press("Shift+ArrowRight")
    expect(status(view)).to_have_text(re.compile("The value flows: b = 1.284"))
    expect(made.get_by_text("1.284", exact=True)).to_be_visible()
    page.keyboard.press("End")
    expect(status(view)).to_have_text(re.compile("^Step 3 of 3"))
    page.keyboard.press("Home")
    expect(status(view)).to_have_text(re.compile("^Forward 1 of 3"))
    backward.press("Enter")
    expect(status(view)).to_have_text(re.compile("^Step 0 of 3"))
