"""The forward pass in the stepper: the calls of the cell, before the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.browser import payloads
from tests.browser.mounting import box, button, mounted, step_of, with_model

if TYPE_CHECKING:
    from playwright.sync_api import Locator


def begun(page: Page) -> Locator:
    """Mount the seed example and begin with its forward pass."""
    root = mounted(page, payloads.chain())
    button(root, "forward").click()
    return root


def made(root: Locator) -> list[str]:
    """Return the boxes that are to be seen, without their values."""
    boxes = root.locator(".ipygrad-box:not(.ipygrad-unmade)")
    return boxes.locator("text:first-of-type").all_text_contents()


def state_of(root: Locator) -> str:
    """Return all that is there, whatever order classes were given in."""
    state: str = root.evaluate(
        """root => {
          const copy = root.cloneNode(true);
          for (const one of copy.querySelectorAll("[class]"))
            one.setAttribute("class", [...one.classList].sort().join(" "));
          return copy.innerHTML + root.className;
        }"""
    )
    return state


def test_backward_is_what_is_shown_first(page: Page) -> None:
    root = mounted(page, payloads.chain())
    assert step_of(page) == 0
    expect(button(root, "backward")).to_have_attribute("aria-pressed", "true")
    expect(button(root, "forward")).to_have_attribute("aria-pressed", "false")
    expect(root.get_by_role("slider", name="Step", exact=True)).to_have_attribute("min", "0")
    expect(root.locator(".ipygrad-unmade")).to_have_count(0)
    button(root, "previous").click(force=True)
    assert step_of(page) == 0


def test_it_begins_at_the_first_function_and_goes_on_into_the_way_back(page: Page) -> None:
    root = begun(page)
    slider = root.get_by_role("slider", name="Step", exact=True)
    expect(slider).to_have_attribute("min", "-3")
    expect(button(root, "forward")).to_have_attribute("aria-pressed", "true")
    for text, label in (("1", "square"), ("2", "exp"), ("3", "square")):
        expect(root.locator(".ipygrad-position")).to_have_text(f"forward {text} / 3")
        expect(root.get_by_role("status")).to_contain_text(f"Forward {text}: {label} makes")
        expect(root.locator(".ipygrad-function.ipygrad-now > text")).to_have_text(label)
        slider.press("ArrowRight")
    assert step_of(page) == 0
    expect(root.locator(".ipygrad-position")).to_have_text("0 / 3")
    slider.press("ArrowRight")
    assert step_of(page) == 1
    slider.press("Home")
    assert step_of(page) == -3
    button(root, "backward").click()
    assert step_of(page) == 0
    expect(slider).to_have_attribute("min", "0")


def test_a_value_is_not_said_before_it_has_flowed(page: Page) -> None:
    root = begun(page)
    made = root.locator(".ipygrad-box[data-item=v1]")
    for part, said in ((1, "a"), (2, "a = 0.25"), (1, "a")):
        root.locator(".ipygrad-top button").nth(part).click()
        expect(made).to_have_accessible_name(said)
        expect(made.locator("title")).to_have_text(said)


def test_a_call_opens_into_function_creator_and_value(page: Page) -> None:
    root = begun(page)
    names = ["x", "square"]
    for key, seen in (
        ("part_called", names),
        ("part_tied", [*names, "a"]),
        ("part_value", [*names, "a"]),
    ):
        button(root, key).click()
        expect(button(root, key)).to_have_attribute("aria-current", "step")
        assert made(root) == seen
        value = root.locator("[data-item=v1] > .ipygrad-value")
        expect(value).to_be_visible(visible=key == "part_value")
    expect(root.locator(".ipygrad-line[aria-current]")).to_have_text("3a = square(x)")
    expect(root.locator(".ipygrad-expression.ipygrad-now")).to_have_text("square(x)")
    # What the function was given, and what it has made.
    expect(root.locator(".ipygrad-factor .ipygrad-number")).to_have_text(["0.5", "square", "0.25"])
    button(root, "part_tied").click()
    expect(root.locator(".ipygrad-factor .ipygrad-number")).to_have_text(["0.5", "square", "–"])
    # The link to the creator leads back, from what was made.
    colours = root.locator(".ipygrad-now > .ipygrad-tie, .ipygrad-now > .ipygrad-back")
    fills = colours.evaluate_all("paths => paths.map((path) => getComputedStyle(path).fill)")
    assert fills.count("none") == 1
    assert len(fills) == 2


def test_back_mirrors_forward(page: Page) -> None:
    root = begun(page)
    slider = root.get_by_role("slider", name="Step", exact=True)
    for _ in range(2):
        slider.press("Shift+ArrowLeft")
    seen = [state_of(root)]
    for _ in range(18):
        slider.press("Shift+ArrowRight")
        seen.append(state_of(root))
    assert step_of(page) == 3
    assert len(set(seen)) == 19
    for state in reversed(seen[:-1]):
        slider.press("Shift+ArrowLeft")
        assert state_of(root) == state


def test_gradients_are_not_spoken_of_before_the_way_back(page: Page) -> None:
    root = begun(page)
    expect(root.locator(".ipygrad-gradient")).to_have_text([""] * 4)
    expect(root.locator("[data-item=v0]")).to_have_accessible_name("x = 0.5")
    expect(root.locator(".ipygrad-plot")).to_have_text(payloads.WORDS["plot_forward"])
    button(root, "backward").click()
    expect(root.locator(".ipygrad-gradient")).to_have_text(
        ["not yet", "not yet", "not yet", "grad 1"]
    )


def test_a_press_leads_to_the_call_while_going_forward(page: Page) -> None:
    root = begun(page)
    button(root, "last").click()
    button(root, "forward").click()
    for _ in range(2):
        button(root, "next").click()
    assert step_of(page) == -1
    box(root, "function exp").click()
    assert step_of(page) == -2
    root.get_by_role("button", name="a = square(x)").click()
    assert step_of(page) == -3


def test_the_kernel_hears_of_the_way_back_only(page: Page) -> None:
    root = with_model(page, payloads.chain())
    button(root, "next").click()
    button(root, "forward").click()
    button(root, "next").click()
    assert step_of(page) == -2
    assert page.evaluate("model.get('step')") == 1
    page.evaluate("model.set('step', 3)")
    assert step_of(page) == 3


def test_a_pass_that_stopped_has_its_calls(page: Page) -> None:
    root = mounted(page, payloads.stopped())
    button(root, "forward").click()
    expect(root.locator(".ipygrad-factor").first).to_be_visible()
    expect(root.locator(".ipygrad-products")).not_to_have_css("height", "0px")


def test_without_calls_there_is_no_choice(page: Page) -> None:
    root = mounted(page, {**payloads.chain(), "forward": []})
    expect(button(root, "forward")).to_have_count(0)
    expect(button(root, "backward")).to_have_count(0)
