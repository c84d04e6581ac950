"""The front end alone: stepper.js and stepper.css in a bare page, with payloads built by hand."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from ipygrad import BackwardPass, Variable, backward_pass, exp, square, tanh
from ipygrad.show.front_end import front_end
from tests.browser import payloads
from tests.browser.mounting import STATIC, box, button, go, mounted, prepare, step_of, with_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

# ---------------------------------------------------------------- what is shown


def test_controls_are_named_and_steps_announced(page: Page) -> None:
    root = mounted(page, payloads.chain())
    expect(page.get_by_role("group", name="Backward pass of y", exact=True)).to_have_id("root")
    for key in ("first", "previous", "play", "next", "last"):
        expect(button(root, key)).to_be_visible()
    slider = root.get_by_role("slider", name="Step", exact=True)
    expect(slider).to_have_attribute("max", "3")
    button(root, "next").click()
    expect(root.get_by_role("status")).to_have_text("Step 1 of 3: square: from y to b")
    expect(slider).to_have_value("1")
    expect(root.get_by_role("heading")).to_have_text("square: from y to b")


def test_still_picture_is_replaced_and_put_back(page: Page) -> None:
    root = mounted(page, payloads.chain())
    expect(root.get_by_text("still picture")).to_have_count(0)
    page.evaluate("stepper.destroy()")
    assert root.inner_html() == "<i>still picture</i>"
    assert root.get_attribute("role") is None


def test_gradients_appear_in_their_step_and_not_before(page: Page) -> None:
    root = mounted(page, payloads.chain())
    gradients = root.locator(".ipygrad-gradient")
    expected = [
        ["not yet", "not yet", "not yet", "grad 1"],
        ["not yet", "not yet", "grad 2.568", "grad 1"],
        ["not yet", "grad 3.297", "grad 2.568", "grad 1"],
        ["grad 3.297", "grad 3.297", "grad 2.568", "grad 1"],
    ]
    for step, texts in enumerate(expected):
        go(page, step)
        expect(gradients).to_have_text(texts)
    go(page, 2)
    expect(box(root, "variable x,")).to_have_accessible_name(
        "variable x, value 0.5, gradient not yet"
    )


def test_product_of_a_step(page: Page) -> None:
    root = mounted(page, payloads.chain())
    go(page, 2)
    equation = root.locator(".ipygrad-equation")
    expect(equation.locator(".ipygrad-number")).to_have_text(["2.568", "1.284", "3.297"])
    expect(root.locator(".ipygrad-change")).to_have_text("added to what is there: – → 3.297")
    exact = equation.locator(".ipygrad-number").nth(2)
    expect(exact).to_have_attribute("title", "3.297442541400256")
    go(page, 0)
    expect(equation.locator(".ipygrad-number")).to_have_text(["1"])


def test_formula_and_equation_of_a_product(page: Page) -> None:
    root = mounted(page, payloads.chain())
    expect(root.get_by_role("math")).to_have_count(0)
    go(page, 2)
    local = root.locator(".ipygrad-factor").nth(1)
    expect(local).to_contain_text("1.284")
    formula = local.get_by_role("math", name="exp(a)", exact=True)
    expect(formula.locator("mi")).to_have_text(["exp", "a"])
    equation = root.locator(".ipygrad-working").get_by_role("math")
    expect(equation).to_have_accessible_name("∂y/∂a = ∂y/∂b · exp(a) = 2.568 · 1.284 = 3.297")
    assert equation.evaluate("math => math.namespaceURI") == "http://www.w3.org/1998/Math/MathML"
    # Laid out as mathematics: a fraction is higher than what stands above its bar.
    heights = "it => [it, it.firstChild].map((part) => part.getBoundingClientRect().height)"
    whole, above = equation.locator("mfrac").first.evaluate(heights)
    assert whole > 1.8 * above > 0


def test_formula_is_made_of_a_fixed_list_of_elements(page: Page) -> None:
    payload = payloads.chain()
    nest = ["mrow", ["script", "alert(1)"], ["mi", ["img", "src"]], ["a", ["mi", "x"]], "bare"]
    known = ["msup", "msub", "msubsup", "mroot", "msqrt", "mfrac", "mover", "mn", "mo", "mtext"]
    tree = ["mrow", nest, *([tag, "u", "v", "w"] for tag in known)]
    payload["steps"][1]["products"][0]["formula"] = {"text": "f", "math": tree}
    root = mounted(page, payload)
    go(page, 1)
    formula = root.get_by_role("math", name="f", exact=True)
    row = formula.locator("mrow mrow")
    assert row.evaluate("row => [...row.children].map(({localName}) => localName)") == [
        *("mtext", "mi", "mtext", "mtext")
    ]
    expect(row.locator("> *")).to_have_text(["alert(1)", "img src", "mi x", "bare"])
    found = formula.evaluate("it => [...it.querySelectorAll('*')].map((e) => e.localName)")
    assert set(known) <= set(found) <= {*known, "mrow", "mi"}


def test_what_is_summed_is_a_part_of_its_own(page: Page) -> None:
    root = mounted(page, payloads.arrays())
    go(page, 2)
    first, second = root.locator(".ipygrad-product").all()
    expect(first.locator(".ipygrad-caption")).to_have_count(3)
    expect(second.locator(".ipygrad-caption")).to_have_text(
        ["gradient arriving", "local derivative", "arriving × local", "contribution to w"]
    )
    expect(second.locator(".ipygrad-number").nth(2)).to_have_text("array (4, 3)")
    summed = "summed over axis 0: (4, 3) → (3,)"
    expect(second.get_by_role("img", name=summed, exact=True)).to_have_text("→")
    expect(second.get_by_text(summed)).to_be_visible()


def disagreeing() -> payloads.Payload:
    """Return the seed example with an exp whose backward is wrong."""
    payload = payloads.chain()
    text = "≠ backward says 1.284, but the measured slope is 2.568."
    payloads.check(payload, 2, "disagrees", text)
    return payload


def test_check_is_told_in_the_step_and_a_wrong_backward_on_its_box(page: Page) -> None:
    payload = disagreeing()
    payloads.check(payload, 3, "not_checked", "– not checked: random")
    root = mounted(page, payload)
    check = root.locator(".ipygrad-check > :first-child")
    for step, text in enumerate(
        [
            "",
            "✓ backward agrees with the measured slope.",
            "≠ backward says 1.284, but the measured slope is 2.568.",
            "– not checked: random",
        ]
    ):
        go(page, step)
        expect(check).to_have_text(text)
        # Which box has the badge does not depend on the step.
        expect(root.locator(".ipygrad-badge")).to_have_text("≠")
    badged = box(root, "function exp")
    expect(badged).to_have_accessible_name(
        "function exp, step 2, backward disagrees with the measured slope"
    )
    expect(badged.locator("title")).to_contain_text("the measured slope is 2.568")


def test_text_of_a_users_backward_stands_with_the_values_of_its_names(page: Page) -> None:
    payload = payloads.chain()
    long = "    return gy * self.output.data  # " + "and so on " * 40
    text = f"def backward(self, gy):\n{long}\n\ngy = 2.568"
    payload["steps"][2]["texts"]["source"] = text
    root = mounted(page, payload)
    source = root.locator(".ipygrad-source > :first-child")
    expect(source).to_be_empty()
    heights = [root.bounding_box()]
    go(page, 2)
    assert source.inner_text() == text
    # A long line scrolls by itself, and no step is higher than another.
    width = "element => element.parentElement.scrollWidth - element.parentElement.clientWidth"
    assert source.evaluate(width) > 0
    heights.append(root.bounding_box())
    assert heights[0] == heights[1]


def test_pass_without_checks_keeps_no_room_for_them(page: Page) -> None:
    payload = payloads.chain()
    for step in payload["steps"]:
        step["check"] = None
        step["texts"].pop("check", None)
    expect(mounted(page, payload).locator(".ipygrad-check")).to_have_count(0)


def test_edges_tell_shapes(page: Page) -> None:
    root = mounted(page, payloads.arrays())
    labels = root.locator(".ipygrad-label")
    expect(labels).to_have_text(["(4, 3)", "(3,)", "(4, 3)", "(4, 3)"])
    go(page, 2)
    # The shape of what goes back stands there already.
    expect(root.locator(".ipygrad-contribution")).to_have_count(0)
    assert (
        labels.evaluate_all(
            """labels => labels.filter((label) => {
          const text = label.getBBox();
          const paper = label.previousElementSibling.getBBox();
          return text.width > paper.width || text.height > paper.height + 1;
        }).length"""
        )
        == 0
    )


def test_product_that_does_not_hold_says_so(page: Page) -> None:
    payload = payloads.chain()
    payload["steps"][2]["products"][0]["holds"] = False
    root = mounted(page, payload)
    unequal = root.get_by_role("img", name=payloads.WORDS["not_equal"], exact=True)
    go(page, 1)
    expect(root.locator(".ipygrad-sign")).to_have_text(["×", "="])
    expect(unequal).to_have_count(0)
    go(page, 2)
    expect(root.locator(".ipygrad-sign")).to_have_text(["×", "≠"])
    expect(unequal).to_be_visible()


def test_exact_gradient_stands_beside_a_rounded_one(page: Page) -> None:
    root = mounted(page, payloads.chain())
    exact = root.locator(".ipygrad-exact")
    for step, text in enumerate(["", "2.568050833375483", "3.297442541400256"]):
        go(page, step)
        expect(exact).to_have_text(f"exactly {text}" if text else "")
    payload = payloads.shared()
    payload["steps"][1]["products"][1]["after"] = {"text": "array (9, 9)", "exact": "[[6, 6], …"}
    root = mounted(page, payload)
    go(page, 1)
    expect(exact).to_have_text(["", ""])


def test_many_products_are_a_list_in_the_room_of_the_others(page: Page) -> None:
    root = mounted(page, payloads.large())
    products = root.locator(".ipygrad-products")
    height = products.evaluate("products => products.getBoundingClientRect().bottom")
    go(page, 1)
    expect(products.locator(".ipygrad-product")).to_have_count(20)
    expect(products.locator(".ipygrad-product").last).to_contain_text("contribution to h19")
    sizes = products.evaluate("({clientHeight, scrollHeight}) => [clientHeight, scrollHeight]")
    assert sizes[0] < 100 < sizes[1]
    assert height - 9 <= products.evaluate("it => it.getBoundingClientRect().bottom") <= height


def test_going_back_mirrors_going_forward(page: Page) -> None:
    mounted(page, payloads.network(4, 3))
    html = "document.getElementById('root').innerHTML"
    last = page.evaluate("Number(root.querySelector('input').max)")
    forward = []
    for step in range(last + 1):
        go(page, step)
        forward.append(page.evaluate(html))
    assert len(set(forward)) == last + 1
    for step in reversed(range(last + 1)):
        go(page, step)
        assert page.evaluate(html) == forward[step]


def test_function_and_edges_of_the_step_are_lit(page: Page) -> None:
    root = mounted(page, payloads.chain())
    go(page, 2)
    current = root.locator("svg [aria-current=step]")
    expect(current).to_have_accessible_name("function exp, step 2")
    expect(root.locator(".ipygrad-edge.ipygrad-now")).to_have_count(2)
    expect(root.locator(".ipygrad-contribution")).to_have_text("3.297")
    widths = [
        root.locator(f".ipygrad-function{which} rect").first.evaluate(
            "rect => getComputedStyle(rect).strokeWidth"
        )
        for which in (".ipygrad-now", ".ipygrad-done:not(.ipygrad-now)")
    ]
    assert widths == ["3px", "1px"]
    waiting = root.locator(".ipygrad-queued")
    expect(waiting).to_have_accessible_name("function square, step 3")
    expect(root.locator(".ipygrad-line[aria-current=step]")).to_have_text("4b = exp(a)")


def test_variable_used_twice_gets_two_contributions(page: Page) -> None:
    root = mounted(page, payloads.shared())
    go(page, 1)
    expect(root.locator(".ipygrad-edge.ipygrad-now")).to_have_count(3)
    expect(root.locator(".ipygrad-contribution")).to_have_text(["3", "3"])
    added = "added to what is there: "
    expect(root.locator(".ipygrad-sum")).to_have_text([f"{added}– → 3", f"{added}3 → 6"])
    expect(root.locator(".ipygrad-gradient").first).to_have_text("grad 6")


def test_gradient_left_over_from_before_is_shown_from_the_start(page: Page) -> None:
    payload = payloads.chain()
    payload["graph"]["variables"][0]["states"] = [
        payloads.state(0, "left_over", payloads.number(2.0)),
        payloads.state(3, "arrived", payloads.number(5.297442541400256)),
    ]
    root = mounted(page, payload)
    expect(root.locator(".ipygrad-gradient").first).to_have_text("old 2")
    left = "variable x, value 0.5, gradient 2, left over from an earlier pass"
    expect(box(root, "variable x")).to_have_accessible_name(left)
    go(page, 3)
    expect(root.locator(".ipygrad-gradient").first).to_have_text("grad 5.297")


def test_constants_are_named_and_lead_nowhere(page: Page) -> None:
    root = mounted(page, payloads.constant())
    name = "variable 2.0, value 2, a constant: no gradient is kept"
    constant = root.get_by_role("button", name=name, exact=True)
    expect(constant.locator(".ipygrad-gradient")).to_have_text("constant")
    go(page, 1)
    expect(root.locator(".ipygrad-sum").nth(1)).to_have_text(
        "2.0 is a constant: no gradient is kept"
    )
    expect(root.locator(".ipygrad-contribution")).to_have_count(1)
    constant.click()
    assert step_of(page) == 1


def test_each_state_of_a_gradient_is_told_in_words(page: Page) -> None:
    payload = payloads.shared()
    of_two = payloads.state(1, "waiting", payloads.number(3.0), (1, 2))
    dropped = payloads.state(1, "dropped", payloads.number(6.0))
    whole = payload["graph"]["variables"][0]
    root = mounted(page, payload)
    expect(box(root, "variable x")).to_have_accessible_name("variable x, value 3, gradient not yet")
    for state, shown, told in (
        (of_two, "1 of 2: 3", "gradient 3, waiting: 1 of 2 have arrived"),
        (dropped, "dropped", "gradient 6, dropped after use"),
    ):
        whole["states"] = [whole["states"][0], state]
        root = mounted(page, payload)
        go(page, 1)
        expect(box(root, "variable x").locator(".ipygrad-gradient")).to_have_text(shown)
        expect(box(root, "variable x")).to_have_accessible_name(f"variable x, value 3, {told}")


def test_variable_off_the_way_says_so(page: Page) -> None:
    payload = payloads.chain()
    unreached = [payloads.state(0, "unreached")]
    payload["graph"]["variables"][0].update(step=None, states=unreached)
    root = mounted(page, payload)
    go(page, 3)
    box_of_x = root.get_by_role("button", name="variable x, value 0.5, not reached by this pass")
    expect(box_of_x.locator(".ipygrad-gradient")).to_have_text("no gradient")


def test_those_that_wait_are_listed(page: Page) -> None:
    root = mounted(page, payloads.chain())
    turns = root.locator(".ipygrad-turns > :first-child")
    expect(turns).to_have_text("The next one.\n● square", use_inner_text=True)
    go(page, 3)
    expect(turns).to_have_text("The next one.")


# ---------------------------------------------------------------- parts of a step


def seen(root: Locator) -> list[str]:
    """Return the captions of the boxes of the product that can be seen."""
    captions: list[str] = root.locator(".ipygrad-factor").evaluate_all(
        "boxes => boxes.filter((box) => box.checkVisibility({visibilityProperty: true}))"
        ".map((box) => box.firstElementChild.textContent)"
    )
    return captions


WHOLE = ["gradient arriving", "local derivative", "contribution to b"]


def test_step_opens_into_its_parts_and_back(page: Page) -> None:
    root = mounted(page, payloads.chain())
    root.locator("input").focus()
    gradient = box(root, "variable b").locator(".ipygrad-gradient")
    sum_, contribution = root.locator(".ipygrad-sum"), root.locator(".ipygrad-contribution")
    position = root.locator(".ipygrad-position")
    stages = [
        ("1.1 / 3", ["local derivative"], 0, "not yet", False),
        ("1.2 / 3", WHOLE, 1, "not yet", False),
        ("1 / 3", WHOLE, 1, "grad 2.568", True),
    ]
    for key, order in (("ArrowRight", stages), ("ArrowLeft", stages[-2::-1])):
        for text, captions, contributions, held, is_added in order:
            page.keyboard.press(f"Shift+{key}")
            expect(position).to_have_text(text)
            assert seen(root) == captions
            expect(contribution).to_have_count(contributions)
            expect(gradient).to_have_text(held)
            assert sum_.is_visible() == is_added
    page.keyboard.press("Shift+ArrowLeft")
    expect(position).to_have_text("0 / 3")
    page.keyboard.press("Shift+ArrowLeft")
    expect(position).to_have_text("0 / 3")


def test_arrows_alone_go_by_functions(page: Page) -> None:
    root = mounted(page, payloads.chain())
    root.locator("input").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(root.locator(".ipygrad-position")).to_have_text("2 / 3")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(root.locator(".ipygrad-position")).to_have_text("2 / 3")
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowRight")
    expect(root.locator(".ipygrad-position")).to_have_text("3 / 3")


def test_parts_are_buttons_and_announced(page: Page) -> None:
    root = mounted(page, payloads.chain())
    first = button(root, "part_local")
    expect(first).to_have_attribute("aria-disabled", "true")
    first.click(force=True)
    assert step_of(page) == 0
    go(page, 2)
    expect(button(root, "part_added")).to_have_attribute("aria-current", "step")
    first.click()
    expect(first).to_have_attribute("aria-current", "step")
    expect(root.get_by_role("status")).to_have_text("Step 2, part 1")
    expect(root.locator(".ipygrad-sentence > :first-child")).to_have_text("Step 2, part 1")
    expect(button(root, "part_added")).not_to_have_attribute("aria-current", "step")
    assert step_of(page) == 2


@pytest.mark.parametrize("width", [360, 900])
def test_controls_keep_their_sizes(page: Page, width: int) -> None:
    payload = payloads.long_names()
    payload["steps"][1]["heading"] += ", which is a heading of more than one line" * 3
    page.set_viewport_size({"width": width, "height": 800})
    root = mounted(page, payload)
    go(page, 1)
    slider = root.locator("input[type=range]").bounding_box()
    part = button(root, "part_local").bounding_box()
    assert slider
    assert part
    assert slider["width"] >= 200
    assert part["height"] <= 30


def test_playing_has_a_speed(page: Page) -> None:
    page.clock.install()
    root = mounted(page, payloads.chain())
    root.get_by_role("combobox", name=payloads.WORDS["speed"]).select_option("2×")
    button(root, "play").click()
    page.clock.run_for(1250)
    assert step_of(page) == 2
    root.get_by_role("combobox").select_option("0.5×")
    expect(button(root, "pause")).to_be_visible()
    page.clock.run_for(2000)
    assert step_of(page) == 2
    page.clock.run_for(500)
    assert step_of(page) == 3


# ---------------------------------------------------------------- predict, then reveal


def predicting(page: Page) -> Locator:
    root = mounted(page, {**payloads.chain(), "predict": True})
    button(root, "next").click()
    return root


@pytest.mark.parametrize(
    ("said", "is_right"),
    [
        *(("2.6", True), ("2,6", True), ("2.57", True), ("2.5", False), ("26", False)),
        *(("+", True), ("-", False), ("−2.6", False), ("two", False)),
    ],
)
def test_prediction_is_right_or_not_within_two_digits(
    page: Page, said: str, is_right: bool
) -> None:
    root = predicting(page)
    field = root.get_by_role("textbox")
    expect(field).to_have_accessible_name("your prediction of the contribution to b, or its sign")
    field.fill(said)
    field.press("Enter")
    told = root.locator(".ipygrad-factor.ipygrad-result")
    expect(told).to_contain_text(f"2.568{'✓' if is_right else '✗'} you said {said}")
    expect(box(root, "variable b").locator(".ipygrad-gradient")).to_have_text("grad 2.568")
    expect(root.locator("input[type=range]")).to_be_focused()


def test_what_is_covered_is_nowhere_on_the_page(page: Page) -> None:
    root = predicting(page)
    go(page, 2)
    go(page, 2)
    assert seen(root) == [*WHOLE[:2], "contribution to a"]
    expect(root.locator("svg .ipygrad-contribution")).to_have_count(0)
    expect(root.locator(".ipygrad-details")).to_be_hidden()
    expect(root.get_by_role("status")).to_have_text("Step 2, part 1")
    shown = root.locator(".ipygrad-factor, .ipygrad-working, .ipygrad-sum, .ipygrad-text > *")
    texts = shown.evaluate_all(
        "parts => parts.filter((part) => part.checkVisibility({visibilityProperty: true}))"
        ".map((part) => part.innerText)"
    )
    assert "2.568" in " ".join(texts)
    assert "3.297" not in " ".join(texts)


def test_covered_steps_come_one_by_one_and_then_all_is_told(page: Page) -> None:
    root = predicting(page)
    position = root.locator(".ipygrad-position")
    for _ in range(2):
        go(page, 3)
    expect(position).to_have_text("2.2 / 3")
    button(root, "previous").click()
    expect(position).to_have_text("1 / 3")
    expect(root.get_by_role("textbox")).to_have_count(0)
    for _ in range(3):
        button(root, "next").click()
    expect(position).to_have_text("3.2 / 3")
    box(root, "variable b").click()
    expect(root.locator(".ipygrad-chain")).to_be_hidden()
    go(page, 3)
    button(root, "next").click()
    expect(position).to_have_text("3 / 3")
    expect(root.locator(".ipygrad-details")).to_be_visible()
    box(root, "variable x").click()
    expect(root.locator(".ipygrad-chain")).to_be_visible()


def test_arrays_are_uncovered_without_a_prediction(page: Page) -> None:
    root = mounted(page, {**payloads.arrays(), "predict": True})
    button(root, "next").click()
    expect(root.get_by_role("textbox")).to_have_count(0)
    expect(root.locator(".ipygrad-result > .ipygrad-amount")).to_have_text("?")


def test_empty_pass_shows_its_notice(page: Page) -> None:
    root = mounted(page, payloads.empty())
    expect(root.get_by_text("Nothing made y: it is a leaf.")).to_be_visible()
    for key in ("first", "previous", "play", "next", "last"):
        expect(button(root, key)).to_have_attribute("aria-disabled", "true")
        button(root, key).click(force=True)
    assert step_of(page) == 0


def test_partial_pass_has_no_products(page: Page) -> None:
    root = mounted(page, payloads.stopped())
    expect(root.get_by_role("button", name="function exp, not in this pass")).to_be_visible()
    expect(root.locator(".ipygrad-product")).to_have_count(0)
    expect(root.locator(".ipygrad-plot")).to_have_count(0)


def test_texts_are_never_markup(page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    root = mounted(page, payloads.nasty())
    text = "</script><img src=x onerror=alert(1)>"
    go(page, 1)
    expect(root.locator("script")).to_have_count(0)
    expect(root.locator(".ipygrad-notice")).to_have_text(text)
    expect(root.locator(".ipygrad-notes")).to_have_text(text)
    expect(root.locator("title").nth(2)).to_contain_text(text)
    # The picture cannot be parsed: words stand in its place.
    expect(root.locator(".ipygrad-plot")).to_have_text(payloads.WORDS["plot_none"])
    expect(root.locator("img")).to_have_count(0)


def test_long_names_are_cut_in_boxes_only(page: Page) -> None:
    root = mounted(page, payloads.long_names())
    names = root.locator(".ipygrad-name").all_text_contents()
    assert names == ["학습률을_곱한_기…", "the_weighted_sum_…", "손실"]
    overflow = root.locator("svg g.ipygrad-box").evaluate_all(
        """boxes => boxes.filter((box) => [...box.querySelectorAll("text")].some(
             (text) => text.getBBox().width > box.querySelector("rect").getBBox().width))"""
    )
    assert overflow == []
    assert root.get_attribute("lang") == "ko"


# ---------------------------------------------------------------- going to a step


def test_boxes_lines_and_rows_go_to_their_step(page: Page) -> None:
    root = mounted(page, payloads.chain())
    box(root, "function exp").click()
    assert step_of(page) == 2
    box(root, "variable x").click()
    assert step_of(page) == 3
    box(root, "variable b").press("Enter")
    assert step_of(page) == 1
    box(root, "variable y").press(" ")
    assert step_of(page) == 0
    root.get_by_role("button", name="a = square(x)").click()
    assert step_of(page) == 3
    root.get_by_text(payloads.WORDS["table"]).click()
    row = root.get_by_role("row", name="exp")
    row.click()
    assert step_of(page) == 2
    expect(row).to_have_attribute("aria-current", "step")
    root.get_by_role("button", name="Go to step 1", exact=True).press("Enter")
    assert step_of(page) == 1
    expect(row).not_to_have_attribute("aria-current", "step")


def test_a_row_of_the_table_selects_what_it_is_about(page: Page) -> None:
    root = mounted(page, payloads.chain())
    root.get_by_text(payloads.WORDS["table"]).click()
    row = root.get_by_role("row", name="exp")
    (exp, variable) = (box(root, name) for name in ("function exp", "variable a"))
    row.click()
    expect(row).to_have_class(re.compile("ipygrad-selected"))
    expect(exp).to_have_class(re.compile("ipygrad-path"))
    expect(variable).to_have_class(re.compile("ipygrad-path"))
    # From another step a press keeps what is selected, there a second one lets it go.
    root.get_by_role("button", name=payloads.WORDS["first"]).click()
    row.click()
    expect(row).to_have_class(re.compile("ipygrad-selected"))
    row.click()
    expect(row).not_to_have_class(re.compile("ipygrad-selected"))


def test_line_with_several_functions_goes_through_them(page: Page) -> None:
    root = mounted(page, payloads.constant())
    line = root.get_by_role("button", name="y = w * x + 2.0")
    for step in (1, 2, 1):
        line.click()
        assert step_of(page) == step


def test_every_box_is_reached_by_tab(page: Page) -> None:
    mounted(page, payloads.chain())
    page.locator("#above").click()
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert [name.split(",")[0] for name in reached] == [
        "variable x",
        "function square",
        "variable a",
        "function exp",
        "variable b",
        "function square",
        "variable y",
    ]


def test_a_step_is_the_nearest_that_there_is(page: Page) -> None:
    root = mounted(page, payloads.chain())
    root.get_by_role("slider").fill("2")
    assert step_of(page) == 2
    page.evaluate("stepper.go(99)")
    assert step_of(page) == 3
    page.evaluate("stepper.go('no number')")
    assert step_of(page) == 0


def test_buttons_at_the_ends_keep_focus(page: Page) -> None:
    root = mounted(page, payloads.chain())
    last = button(root, "last")
    last.click()
    expect(last).to_have_attribute("aria-disabled", "true")
    expect(last).to_be_focused()
    assert last.is_enabled() is False
    assert last.evaluate("button => button.disabled") is False
    page.keyboard.press("Enter")
    assert step_of(page) == 3


def test_selected_variable_shows_its_chain(page: Page) -> None:
    root = mounted(page, payloads.chain())
    region = root.get_by_role("group", name=payloads.WORDS["chain"], exact=True)
    expect(region).to_have_count(0)
    box(root, "variable a").click()
    assert step_of(page) == 2
    expect(box(root, "variable a")).to_have_attribute("aria-pressed", "true")
    math = region.get_by_role("math")
    expect(math).to_have_count(2)
    expect(math.nth(0)).to_have_accessible_name("∂y/∂a")
    expect(math.nth(1)).to_have_accessible_name("∂y/∂b · ∂b/∂a = 2.568 · 1.284 = 3.297")
    edges = root.locator(".ipygrad-edge.ipygrad-path")
    expect(edges).to_have_count(4)
    box(root, "variable x").press("Enter")
    assert step_of(page) == 3
    expect(math.nth(0)).to_have_accessible_name("∂y/∂x")
    expect(box(root, "variable a")).to_have_attribute("aria-pressed", "false")
    expect(edges).to_have_count(6)
    go(page, 1)
    expect(region).to_be_visible()
    box(root, "variable x").click()
    assert step_of(page) == 3
    expect(region).to_be_visible()
    box(root, "variable x").click()
    expect(region).to_have_count(0)
    expect(root.locator(".ipygrad-path")).to_have_count(0)


def test_chain_is_closed_by_its_button(page: Page) -> None:
    root = mounted(page, payloads.chain())
    box(root, "variable a").click()
    button(root, "close").press("Enter")
    expect(root.get_by_role("group", name=payloads.WORDS["chain"])).to_have_count(0)
    expect(box(root, "variable a")).to_have_attribute("aria-pressed", "false")
    # Focus is not lost with the button: the stepper still has its keys.
    page.keyboard.press("ArrowLeft")
    assert step_of(page) == 1


def test_chain_has_a_line_for_each_path_and_one_for_the_rest(page: Page) -> None:
    root = mounted(page, payloads.paths())
    box(root, "variable x").click()
    lines = root.get_by_role("group", name=payloads.WORDS["chain"]).get_by_role("listitem")
    expect(lines).to_have_count(8 + 1 + 1)
    expect(lines.nth(8)).to_have_text("and 8 more paths")
    total = lines.nth(9).get_by_role("math")
    expect(total).to_have_accessible_name(re.compile(r"^∂y/∂x = 1 \+ 1 \+ .* = 16$"))


def test_selecting_announces_the_step_only(page: Page) -> None:
    root = mounted(page, payloads.chain())
    page.evaluate(
        """() => {
          window.said = [];
          const live = root.querySelectorAll("[role=status], [role=alert], [aria-live]");
          const watch = new MutationObserver((changes) => said.push(changes.length));
          for (const region of live) watch.observe(region, {childList: true, subtree: true});
        }"""
    )
    box(root, "variable a").click()
    expect(root.get_by_role("status")).to_have_text("Step 2 of 3: exp: from b to a")
    assert page.evaluate("said") == [1]
    assert root.locator("[aria-live]").count() == 0


def test_selection_outlives_a_new_painting(page: Page) -> None:
    payload = payloads.large()
    formula = payloads.formula("∂total/∂x979")
    path = {**formula, "factors": []}
    chain = {"heading": formula, "paths": [path], "more": "", "total": None}
    payload["graph"]["variables"][979]["chain"] = chain
    root = mounted(page, payload)
    go(page, 22)
    box(root, "variable x979").click()
    expect(root.get_by_role("group", name=payloads.WORDS["chain"])).to_be_visible()
    go(page, 5)
    expect(box(root, "variable x979")).to_have_count(0)
    go(page, 23)
    expect(box(root, "variable x979")).to_have_attribute("aria-pressed", "true")


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize(
    "focus", ["button.ipygrad-next", "svg [tabindex]", "button.ipygrad-line", "input", "summary"]
)
def test_arrows_home_and_end_work_wherever_the_focus_is(page: Page, focus: str) -> None:
    root = mounted(page, payloads.chain())
    root.locator(focus).first.focus()
    moves = {"ArrowRight": 1, "End": 3, "ArrowLeft": 2, "Home": 0}
    for key, step in moves.items():
        page.keyboard.press(key)
        assert step_of(page) == step, key


def test_handled_keys_do_not_reach_the_page(page: Page) -> None:
    root = mounted(page, payloads.chain())
    page.evaluate(
        "window.keys = []; document.addEventListener('keydown', (event) => keys.push(event.key))"
    )
    for focus in ("button.ipygrad-next", "svg [tabindex]", "input", "summary"):
        root.locator(focus).first.focus()
        for key in ("ArrowRight", "ArrowLeft", "Home", "End", " "):
            page.keyboard.press(key)
    assert page.evaluate("keys") == []
    page.keyboard.press("a")
    page.keyboard.press("Shift+ArrowUp")
    assert page.evaluate("keys") == ["a", "Shift", "ArrowUp"]


def test_text_fields_inside_keep_their_keys(page: Page) -> None:
    root = mounted(page, payloads.chain())
    root.evaluate("root => root.append(document.createElement('textarea'))")
    root.locator("textarea").press_sequentially("a b")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert step_of(page) == 0
    assert root.locator("textarea").input_value() == "a b"


@pytest.mark.parametrize("build", [payloads.chain, payloads.large, payloads.constant])
def test_everything_with_focus_keeps_its_keys_from_the_notebook(
    page: Page, build: Callable[[], payloads.Payload]
) -> None:
    root = mounted(page, build())
    root.locator("summary").click()
    focusable = "a, button, input, summary, [tabindex], .ipygrad-graph, .ipygrad-code"
    elements = root.locator(focusable)
    assert elements.count() > 10
    without = elements.evaluate_all(
        "elements => elements.filter((e) => !e.hasAttribute('data-lm-suppress-shortcuts')).length"
    )
    assert without == 0


def test_notebook_sees_chords_on_an_element_that_lets_them_pass(page: Page) -> None:
    root = mounted(page, payloads.chain())
    page.evaluate(
        """window.passed = {};
        document.addEventListener("keydown", (event) => {
          passed[event.key] = !event.target.hasAttribute("data-lm-suppress-shortcuts");
          event.preventDefault();
        }, true)"""
    )
    for focus in ("button.ipygrad-next", "svg [tabindex]", "input"):
        element = root.locator(focus).first
        element.focus()
        for chord in ("Control+s", "Meta+k", "Alt+ArrowUp", "Shift+Enter", "Escape", "x", "Enter"):
            page.keyboard.press(chord)
            expect(element).to_have_attribute("data-lm-suppress-shortcuts", "true")
        passed = page.evaluate("passed")
        assert (passed["s"], passed["k"], passed["ArrowUp"], passed["Escape"]) == (True,) * 4
        assert (passed["x"], passed["Enter"]) == (False, False)
        page.keyboard.press("Shift+Enter")
        assert page.evaluate("passed.Enter") is True


# ---------------------------------------------------------------- playing


def test_play_moves_on_a_single_timer_and_stops_at_the_end(page: Page) -> None:
    page.clock.install()
    root = mounted(page, payloads.chain())
    button(root, "play").click()
    expect(button(root, "pause")).to_be_focused()
    page.clock.run_for(1250)
    assert step_of(page) == 1
    button(root, "pause").click()
    page.clock.run_for(5000)
    assert step_of(page) == 1
    for _ in range(3):
        button(root, "play").click()
        button(root, "pause").click()
    button(root, "play").click()
    page.clock.run_for(1250)
    assert step_of(page) == 2
    page.clock.run_for(10_000)
    assert step_of(page) == 3
    button(root, "play").click()
    assert step_of(page) == 0


def test_any_control_pauses(page: Page) -> None:
    page.clock.install()
    root = mounted(page, payloads.chain())
    for control in (button(root, "next"), box(root, "function exp")):
        button(root, "play").click()
        control.click()
        expect(button(root, "play")).to_be_visible()
    root.locator("input").focus()
    page.keyboard.press(" ")
    expect(button(root, "pause")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(button(root, "play")).to_be_visible()


def test_pause_is_never_left_behind(page: Page) -> None:
    page.clock.install()
    root = mounted(page, payloads.chain())
    go(page, 3)
    button(root, "play").click()
    page.clock.run_for(10_000)
    assert step_of(page) == 3
    expect(button(root, "play")).to_be_visible()
    button(root, "play").click()
    page.evaluate("window.root = document.getElementById('root'); root.hidden = true")
    page.wait_for_function("!root.querySelector('[aria-label=Pause]')")
    page.evaluate("root.querySelector('[aria-label=Play]').click(); root.hidden = false")
    expect(button(root, "play")).to_be_visible()
    page.clock.run_for(10_000)
    assert step_of(page) == 0
    button(root, "play").click()
    page.evaluate("stepper.destroy()")
    page.clock.run_for(10_000)
    assert step_of(page) == 0


# ---------------------------------------------------------------- plots


def test_plot_is_an_image_or_words_in_the_room_kept_for_it(page: Page) -> None:
    root = mounted(page, payloads.chain())
    plot = root.locator(".ipygrad-plot")
    expect(plot).to_have_text(payloads.WORDS["plot_none"])
    empty = plot.bounding_box()
    go(page, 2)
    image = root.get_by_role("img", name="exp: from b to a: the curve with its tangent")
    expect(image).to_be_visible()
    assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }")
    assert plot.bounding_box() == empty


def test_each_curve_of_a_plot_is_an_image_of_its_own(page: Page) -> None:
    root = mounted(page, payloads.shared())
    go(page, 1)
    images = root.locator(".ipygrad-plot img")
    expect(images).to_have_count(2)
    expect(root.get_by_role("img", name=re.compile("curve with its tangent"))).to_have_count(1)
    sides = """images => images.map((image) => {
      const {left, top, right, bottom} = image.getBoundingClientRect();
      return [left, top, right, bottom];
    })"""
    one, other = images.evaluate_all(sides)
    assert one[1] == other[1]
    assert one[2] <= other[0]
    page.set_viewport_size({"width": 360, "height": 900})
    one, other = images.evaluate_all(sides)
    assert one[0] == other[0]
    assert one[3] <= other[1]


def test_pass_without_pictures_keeps_no_room_and_asks_for_none(page: Page) -> None:
    payload = payloads.chain()
    for step in payload["steps"]:
        step.update(columns=0, plot=None)
    root = with_model(page, payload)
    go(page, 2)
    expect(root.locator(".ipygrad-plot")).to_have_count(0)
    assert page.evaluate("model.sent") == []


def test_step_without_picture_asks_for_none(page: Page) -> None:
    payload = payloads.chain()
    payload["steps"][2].update(columns=0, plot=None)
    root = with_model(page, payload)
    go(page, 2)
    expect(root.locator(".ipygrad-plot")).to_have_text(payloads.WORDS["plot_none"])
    assert page.evaluate("model.sent") == []


def test_missing_plots_are_asked_for_once(page: Page) -> None:
    payload = payloads.chain()
    for step in payload["steps"][2:]:
        step["plot"] = None
    root = with_model(page, payload)
    go(page, 2)
    plot = root.locator(".ipygrad-plot")
    expect(plot).to_have_text(payloads.WORDS["plot_waiting"])
    for step in (3, 2, 1, 0, 2):
        go(page, step)
    assert page.evaluate("model.sent.map(({step}) => step)") == [2, 3]
    drawn = {"type": "plot", "step": 2, "svg": payloads.plot("exp"), "values": {}}
    page.evaluate("drawn => model.fire('msg:custom', drawn)", drawn)
    expect(plot.locator("img")).to_be_visible()
    for nothing in ({"step": 3, "svg": None}, {"step": 99, "svg": "<svg/>"}):
        page.evaluate("drawn => model.fire('msg:custom', drawn)", {**drawn, **nothing})
    go(page, 3)
    expect(plot).to_have_text(payloads.WORDS["plot_none"])


# ---------------------------------------------------------------- the link with a kernel


def linked(page: Page, *, step: int = 0, first: int | None = None) -> None:
    """Mount a stepper with the id "s", go to step `first`, then let a model appear at `step`."""
    prepare(page)
    page.evaluate(
        """([payload, step, first]) => {
          window.model = makeModel({stepper_id: "s", step, payload});
          window.stepper = ipygrad.mount(root, payload, {id: "s"});
          if (first !== null) stepper.go(first);
          window.forget = ipygrad.initialize({model});
        }""",
        [payloads.chain(), step, first],
    )


def test_step_is_the_same_on_both_sides_without_echo(page: Page) -> None:
    linked(page)
    go(page, 2)
    assert page.evaluate("[model.get('step'), model.saves]") == [2, 1]
    page.evaluate("model.set('step', 1)")
    assert step_of(page) == 1
    assert page.evaluate("model.saves") == 1


def test_step_before_the_link_wins_over_the_models_start(page: Page) -> None:
    linked(page, first=2)
    assert page.evaluate("[stepper.step, model.get('step'), model.saves]") == [2, 2, 1]


def test_step_that_the_kernel_set_wins(page: Page) -> None:
    linked(page, step=3, first=2)
    assert page.evaluate("[stepper.step, model.get('step'), model.saves]") == [3, 3, 0]


def test_copies_follow_each_other_whenever_they_are_mounted(page: Page) -> None:
    linked(page)
    page.evaluate(
        """payload => {
          const copy = document.body.appendChild(document.createElement("div"));
          stepper.go(2);
          window.second = ipygrad.mount(copy, payload, {id: "s"});
        }""",
        payloads.chain(),
    )
    assert page.evaluate("second.step") == 2
    page.evaluate("second.go(3)")
    assert step_of(page) == 3
    page.evaluate("model.set('step', 0)")
    assert page.evaluate("[stepper.step, second.step]") == [0, 0]


@pytest.mark.parametrize("end", ["model.fire('destroy')", "model.fire('comm:close')"])
def test_stepper_goes_on_alone_without_its_model(page: Page, end: str) -> None:
    linked(page)
    page.evaluate(end)
    page.evaluate("forget()")
    go(page, 2)
    assert page.evaluate("[stepper.step, model.get('step'), __ipygrad.size]") == [2, 0, 0]


def test_model_draws_the_missing_plots(page: Page) -> None:
    payload = payloads.chain()
    payload["steps"][1]["plot"] = None
    prepare(page)
    page.evaluate(
        """payload => {
          window.model = makeModel({step: 0, payload});
          window.unmount = ipygrad.render({model, el: root});
          model.set("step", 1);
        }""",
        payload,
    )
    assert page.evaluate("model.sent") == [{"type": "plot", "step": 1, "values": {}}]
    message = {"type": "plot", "step": 1, "svg": payloads.plot("square"), "values": {}}
    page.evaluate("message => model.fire('msg:custom', message, [])", message)
    expect(page.locator("#root img")).to_be_visible()


def test_view_of_a_model_starts_at_its_step_and_ends_with_it(page: Page) -> None:
    prepare(page)
    page.evaluate(
        """payload => {
          window.model = makeModel({step: 3, payload});
          window.unmount = ipygrad.render({model, el: root});
        }""",
        payloads.chain(),
    )
    root = page.locator("#root")
    expect(root.get_by_role("status").first).to_contain_text("Step 3 of 3")
    page.evaluate("unmount()")
    assert page.evaluate("model.listeners()") == 0
    expect(root).to_have_text("still picture")


# ---------------------------------------------------------------- sizes of gradients


def test_bars_tell_how_large_gradients_are_and_go_to_their_steps(page: Page) -> None:
    y = Variable(12.0, name="x")
    for _ in range(9):
        y = y * 0.1
    root = mounted(page, backward_pass(tanh(y))._payload({}))
    name = re.compile("^Gradient arriving at each step, on a log scale from 1e-08 to 1")
    bars = root.get_by_role("img", name=name)
    path = bars.locator(".ipygrad-bar").get_attribute("d")
    assert path
    assert len(re.findall("M", path)) == 11
    box_ = bars.bounding_box()
    assert box_
    bars.click(position={"x": box_["width"] * 4.5 / 11, "y": 5})
    assert step_of(page) == 4
    expect(bars.locator(".ipygrad-bar-now")).to_have_attribute("d", "M4.5 1V0")
    assert mounted(page, payloads.chain()).locator(".ipygrad-bars").count() == 0


# ---------------------------------------------------------------- what if


def with_knobs(bp: BackwardPass) -> payloads.Payload:
    return bp._payload({})


def knob(root: Locator, name: str, role: str = "spinbutton") -> Locator:
    label = payloads.WORDS["knob"].format(name=name)
    return root.get_by_role(role, name=label, exact=True)  # type: ignore[arg-type]


def seed_pass() -> BackwardPass:
    x = Variable(0.5, name="x")
    return backward_pass(square(exp(square(x))))


def turned_to(page: Page, bp: BackwardPass, x: float) -> None:
    """Answer as a kernel does."""
    answer = {
        "type": "what_if",
        "values": {"0": x},
        "payload": bp._with({0: np.array(x)}, drawn_like=bp)._payload({}),
    }
    page.evaluate("answer => model.fire('msg:custom', answer)", answer)


def test_a_knob_turns_the_whole_pass_and_stays_where_it_is(page: Page) -> None:
    bp = seed_pass()
    root = with_model(page, with_knobs(bp))
    page.evaluate("stepper.go(3)")
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    slider = knob(root, "x", "slider")
    assert slider.evaluate("one => [one.min, one.max, one.value]") == ["-1", "1", "0.5"]
    slider.focus()
    page.evaluate("window.held = document.activeElement; model.sent.length = 0")
    slider.fill("0.7")
    asked = {"type": "what_if", "step": 3, "values": {"0": 0.7}}
    assert page.evaluate("model.sent") == [asked]
    expect(knob(root, "x")).to_have_value("0.7")
    before = slider.bounding_box()
    turned_to(page, bp, 0.7)
    expect(root.get_by_role("status").first).to_contain_text("7.46")
    expect(box(root, "variable x, value 0.7, gradient 7.46")).to_be_visible()
    assert page.evaluate("held === document.activeElement && held.isConnected")
    assert slider.bounding_box() == before
    assert step_of(page) == 3


def test_the_kernel_is_asked_for_the_last_value_only(page: Page) -> None:
    bp = seed_pass()
    root = with_model(page, with_knobs(bp))
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    page.evaluate("model.sent.length = 0")
    for value in ("0.6", "0.7", "0.8", "0.9"):
        knob(root, "x", "slider").fill(value)
    values = "model.sent.filter(({type}) => type === 'what_if').map(({values}) => values[0])"
    assert page.evaluate(values) == [0.6]
    turned_to(page, bp, 0.6)
    expect(knob(root, "x", "slider")).to_have_value("0.9")
    assert page.evaluate(values) == [0.6, 0.9]
    turned_to(page, bp, 0.9)
    assert page.evaluate(values) == [0.6, 0.9]
    expect(box(root, "variable x, value 0.9")).to_be_visible()


def test_a_kernel_that_does_not_answer_is_told(page: Page) -> None:
    page.clock.install()
    bp = seed_pass()
    root = with_model(page, with_knobs(bp))
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    knob(root, "x").fill("0.7")
    page.clock.run_for(1500)
    expect(root.get_by_text(payloads.WORDS["knobs_wait"])).to_be_visible()
    turned_to(page, bp, 0.7)
    expect(root.get_by_text(payloads.WORDS["knobs_wait"])).to_have_count(0)


def test_the_range_of_a_knob_can_be_changed(page: Page) -> None:
    root = with_model(page, with_knobs(seed_pass()))
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    name = payloads.WORDS["knob_high"].format(name="x")
    root.get_by_role("spinbutton", name=name, exact=True).fill("10")
    knob(root, "x", "slider").fill("8")
    expect(knob(root, "x")).to_have_value("8")
    knob(root, "x").fill("0.25")
    expect(knob(root, "x", "slider")).to_have_value("0.25")


@pytest.mark.parametrize("width", [360, 900])
def test_a_slider_stands_between_its_ends(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    root = with_model(page, with_knobs(seed_pass()))
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    low, high = (
        root.get_by_role("spinbutton", name=payloads.WORDS[key].format(name="x"), exact=True)
        for key in ("knob_low", "knob_high")
    )
    boxes = [one.bounding_box() for one in (low, knob(root, "x", "slider"), high)]
    lefts = [box["x"] for box in boxes if box]
    assert lefts == sorted(lefts)
    middles = [box["y"] + box["height"] / 2 for box in boxes if box]
    assert max(middles) - min(middles) < 2
    assert all(box and box["x"] + box["width"] <= width for box in boxes)


def test_knobs_can_be_reset_and_kept(page: Page) -> None:
    bp = seed_pass()
    root = with_model(page, with_knobs(bp))
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    knob(root, "x").fill("0.7")
    turned_to(page, bp, 0.7)
    page.evaluate("model.sent.length = 0")
    button(root, "keep").click()
    assert page.evaluate("model.sent.at(-1)") == {"type": "keep", "values": {"0": 0.7}}
    said = {"type": "what_if", "said": "Written into the notebook: x."}
    page.evaluate("said => model.fire('msg:custom', said)", said)
    expect(root.get_by_text("Written into the notebook: x.")).to_be_visible()
    button(root, "reset").click()
    assert page.evaluate("model.sent.at(-1).values") == {}
    expect(knob(root, "x")).to_have_value("0.5")


def test_what_cannot_be_computed_is_told_and_changes_nothing(page: Page) -> None:
    root = with_model(page, with_knobs(seed_pass()))
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    knob(root, "x").fill("0.7")
    said = {"type": "what_if", "said": "log cannot be called again on these values: below 0"}
    page.evaluate("said => model.fire('msg:custom', said)", said)
    expect(root.get_by_text("log cannot be called again")).to_be_visible()
    expect(box(root, "variable x, value 0.5")).to_be_visible()
    page.evaluate("model.fire('msg:custom', {type: 'toString'}); model.fire('msg:custom', null)")


def test_without_a_kernel_knobs_rest_and_say_why(page: Page) -> None:
    payload = with_knobs(seed_pass())
    root = mounted(page, payload)
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    expect(knob(root, "x", "slider")).to_be_disabled()
    expect(root.get_by_text(payloads.WORDS["knobs_rest"])).to_be_visible()
    root = with_model(page, payload)
    root.get_by_text(payloads.WORDS["what_if"], exact=True).click()
    knob(root, "x").focus()
    page.evaluate("model.fire('comm:close')")
    expect(knob(root, "x")).to_be_disabled()
    expect(root.get_by_text(payloads.WORDS["what_if"], exact=True)).to_be_focused()


# ---------------------------------------------------------------- in and out of the document

COUNT_LISTENERS = """() => {
window.kept = new Set();
for (const target of [window, document]) {
  const {addEventListener: add, removeEventListener: remove} = target;
  target.addEventListener = (type, listener, ...others) => {
    kept.add(listener);
    add.call(target, type, listener, ...others);
  };
  target.removeEventListener = (type, listener, ...others) => {
    kept.delete(listener);
    remove.call(target, type, listener, ...others);
  };
}}"""
"""Keep in a set which listeners the window and the document have from now on."""


def count_listeners(page: Page) -> None:
    prepare(page)
    # The first use of a locator adds listeners of Playwright's own.
    page.locator("#below").focus()
    page.evaluate(COUNT_LISTENERS)


@pytest.mark.parametrize("end", ["stepper.destroy()", "root.remove()"])
def test_nothing_stays_behind(page: Page, end: str) -> None:
    count_listeners(page)
    page.evaluate(
        """payload => {
          window.model = makeModel({stepper_id: "s", step: 0, payload});
          ipygrad.initialize({model});
          window.before = model.listeners();
          window.root = document.getElementById("root");
          window.stepper = ipygrad.mount(root, payload, {id: "s"});
        }""",
        payloads.chain(),
    )
    page.locator("svg [tabindex]").first.focus()
    assert page.evaluate("kept.size") == 2
    page.evaluate(end)
    page.wait_for_function("kept.size === 0 && model.listeners() === before")


def test_stepper_lives_on_when_it_is_put_back(page: Page) -> None:
    linked(page)
    page.evaluate("window.root = document.getElementById('root'); stepper.go(2); root.remove()")
    page.wait_for_function("model.listeners() === 1")
    page.evaluate("model.set('step', 0); document.body.append(root)")
    page.wait_for_function("stepper.step === 0")
    button(page.locator("#root"), "next").click()
    assert page.evaluate("[stepper.step, model.get('step')]") == [1, 1]


def test_window_listener_is_there_only_with_focus(page: Page) -> None:
    count_listeners(page)
    page.evaluate("payload => { ipygrad.mount(root, payload); }", payloads.chain())
    assert page.evaluate("kept.size") == 1
    button(page.locator("#root"), "next").focus()
    assert page.evaluate("kept.size") == 2
    page.locator("#below").focus()
    assert page.evaluate("kept.size") == 1


# ---------------------------------------------------------------- large graphs


def expanded(root: Locator) -> list[str]:
    names: list[str] = root.locator("svg [aria-expanded=true]").evaluate_all(
        "groups => groups.map((group) => group.getAttribute('aria-label'))"
    )
    return names


def group(root: Locator, name: str) -> Locator:
    return root.locator("svg [aria-expanded]").filter(has_text=re.compile(rf"^. {name}"))


def test_a_large_graph_opens_folded(page: Page) -> None:
    root = mounted(page, payloads.large())
    groups = root.locator("svg [aria-expanded=false]")
    assert groups.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))") == [
        *["100 sin 0 of 100 done"] * 9,
        "79 sin 0 of 79 done",
        "line 3 0 of 21 done",
    ]
    assert expanded(root) == []
    expect(root.locator(".ipygrad-name")).to_have_count(13)


def test_a_group_opens_and_closes_in_place(page: Page) -> None:
    root = mounted(page, payloads.large())
    box(root, "line 3").click()
    assert expanded(root) == ["line 3 0 of 21 done"]
    expect(box(root, "function exp")).not_to_have_count(0)
    bar = group(root, "line 3")
    bar.focus()
    page.keyboard.press("Enter")
    expect(bar).to_have_attribute("aria-expanded", "false")
    expect(bar).to_be_focused()
    expect(box(root, "function exp")).to_have_count(0)


def test_following_opens_what_the_step_is_in(page: Page) -> None:
    root = mounted(page, payloads.large())
    go(page, 2)
    assert expanded(root) == ["line 3 2 of 21 done"]
    go(page, 500)
    expect(box(root, "function sin, step 500")).to_have_attribute("aria-current", "step")
    expect(box(root, "function sin, step 500")).to_be_in_viewport()
    assert len(expanded(root)) == 2
    go(page, 2)
    assert expanded(root) == ["line 3 2 of 21 done"]
    follow = root.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "false")
    assert expanded(root) == []
    go(page, 480)
    current = root.locator("svg [aria-current]")
    expect(current).to_have_attribute("aria-expanded", "false")
    expect(current).to_contain_text("80 of 100 done")
    expect(current).to_be_in_viewport()


def test_closing_what_the_step_is_in_ends_following(page: Page) -> None:
    root = mounted(page, payloads.large())
    go(page, 2)
    group(root, "line 3").press("Enter")
    assert expanded(root) == []
    expect(root.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")


def test_lines_are_lit_from_the_variable_to_the_function_through_groups(page: Page) -> None:
    root = mounted(page, payloads.large())
    go(page, 22)
    expect(box(root, "function sin, step 22")).to_have_attribute("aria-current", "step")
    assert root.locator(".ipygrad-edge.ipygrad-now").count() == 2
    go(page, 21)
    root.get_by_role("button", name="Fit").click()
    # From the group that its variable is in, and inside to the function, and to what that makes.
    expect(box(root, "function exp, step 21")).to_have_attribute("aria-current", "step")
    assert root.locator(".ipygrad-edge.ipygrad-now").count() == 3


def test_only_what_is_near_is_in_the_document(page: Page) -> None:
    root = mounted(page, payloads.large())
    graph = root.locator(".ipygrad-graph")
    for step in (1, 22, 500, 1000):
        go(page, step)
        expect(root.locator("svg [aria-current]").first).to_be_in_viewport()
        assert root.locator("*").count() < 1100
    # Scrolling brings the rest.
    expect(box(root, "variable total")).to_have_count(0)
    graph.evaluate("graph => graph.scrollTo(graph.scrollWidth, 0)")
    expect(box(root, "variable total")).to_be_visible()
    # What has the focus stays.
    box(root, "variable total").focus()
    graph.evaluate("graph => graph.scrollTo(0, 0)")
    expect(box(root, "variable x0")).to_be_visible()
    expect(box(root, "variable total")).to_be_focused()


def test_focus_stays_inside_when_following_goes_on(page: Page) -> None:
    root = mounted(page, payloads.large())
    go(page, 500)
    box(root, "function sin, step 500").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    assert step_of(page) == 512
    assert root.evaluate("root => root.contains(document.activeElement)")


def test_a_large_graph_is_zoomed_and_fitted(page: Page) -> None:
    root = mounted(page, payloads.large())
    drawing = root.locator(".ipygrad-drawing")
    width = "drawing => drawing.clientWidth"
    before = drawing.evaluate(width)
    root.get_by_role("button", name="Zoom in").click()
    assert drawing.evaluate(width) == pytest.approx(1.25 * before, abs=1)
    root.get_by_role("button", name="Zoom out").click()
    assert drawing.evaluate(width) == pytest.approx(before, abs=1)
    root.get_by_role("button", name="Fit").click()
    graph = root.locator(".ipygrad-graph")
    assert graph.evaluate("({scrollWidth, clientWidth}) => scrollWidth - clientWidth") <= 0
    fitted = drawing.evaluate(width)
    graph.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(f"root.querySelector('.ipygrad-drawing').clientWidth > {fitted} + 50")


def test_the_background_of_a_large_graph_can_be_dragged(page: Page) -> None:
    root = mounted(page, payloads.large())
    go(page, 500)
    graph = root.locator(".ipygrad-graph")
    expect(box(root, "function sin, step 500")).to_be_in_viewport()
    at = graph.bounding_box()
    assert at
    before = graph.evaluate("graph => graph.scrollLeft")
    y = at["y"] + at["height"] - 30
    page.mouse.move(at["x"] + 300, y)
    page.mouse.down()
    page.mouse.move(at["x"] + 200, y, steps=4)
    page.mouse.up()
    assert graph.evaluate("graph => graph.scrollLeft") == pytest.approx(before + 100, abs=2)


def test_find_goes_to_what_has_the_name(page: Page) -> None:
    root = mounted(page, payloads.large())
    field = root.get_by_role("textbox", name="Find")
    field.fill("x41")
    field.press("Enter")
    expect(root.locator(".ipygrad-found .ipygrad-name")).to_have_text("x41")
    expect(box(root, "variable x41,")).to_be_in_viewport()
    field.press("Enter")
    expect(root.locator(".ipygrad-found .ipygrad-name")).to_have_text("x410")
    field.fill("nowhere")
    field.press("Enter")
    expect(root.locator(".ipygrad-found")).to_have_count(0)
    expect(field).to_have_class(re.compile("ipygrad-disagrees"))
    assert step_of(page) == 0


def test_a_graph_that_is_too_large_to_be_folded_has_a_table(page: Page) -> None:
    payload = payloads.large()
    shape = {"width": 0, "height": 0, "boxes": [], "lines": []}
    payload["graph"].update(
        height=None, groups=[{"label": "", "shape": 0, "items": []}], shapes=[shape]
    )
    root = mounted(page, payload)
    expect(root.locator(".ipygrad-graph")).to_have_count(0)
    go(page, 500)
    expect(root.get_by_role("status")).to_contain_text("Step 500 of 1000")


def test_a_long_table_goes_with_the_step(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1200})
    root = mounted(page, payloads.large())
    go(page, 500)
    root.get_by_text(payloads.WORDS["table"]).click()
    current = root.locator("tbody tr[aria-current=step]")
    for step in (500, 900, 3):
        go(page, step)
        expect(current.locator("td").first).to_have_text(str(step))
        expect(current).to_be_in_viewport()
    current.locator("button").focus()
    go(page, 1000)
    expect(current).to_be_in_viewport()
    assert page.evaluate("root.contains(document.activeElement)")


@pytest.mark.parametrize("build", [lambda: payloads.network(15, 5), payloads.large])
def test_a_step_costs_less_than_five_milliseconds(
    page: Page, build: Callable[[], payloads.Payload]
) -> None:
    mounted(page, build())
    milliseconds: float = page.evaluate(
        """() => {
          const times = [];
          for (let k = 0; k < 60; k += 1) {
            const start = performance.now();
            stepper.go(k);
            times.push(performance.now() - start);
          }
          return times.sort((a, b) => a - b)[30];
        }"""
    )
    assert milliseconds < 5


# ---------------------------------------------------------------- looks


@pytest.mark.parametrize("width", [1280, 640, 360])
@pytest.mark.parametrize(
    "build",
    [
        payloads.chain,
        payloads.shared,
        payloads.constant,
        payloads.arrays,
        payloads.long_names,
        payloads.large,
        disagreeing,
    ],
)
def test_no_step_moves_the_layout(
    page: Page, build: Callable[[], payloads.Payload], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    root = mounted(page, build())
    parts = root.locator(
        ".ipygrad-graph, .ipygrad-controls, .ipygrad-text, .ipygrad-code, .ipygrad-plot, summary"
    )
    boxes = "parts => parts.map((part) => JSON.stringify(part.getBoundingClientRect()))"
    last = page.evaluate("Number(root.querySelector('input').max)")
    for pressed in (None, "variable"):
        if pressed:
            box(root, pressed).first.click()
        first = parts.evaluate_all(boxes)
        for step in range(min(last, 30) + 1):
            go(page, step)
            assert parts.evaluate_all(boxes) == first, step
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_graph_scrolls_in_its_own_box_only(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 400})
    root = mounted(page, payloads.network(10, 2))
    graph = root.locator(".ipygrad-graph")
    is_inside = """() => {
      const inner = root.querySelector("svg [aria-current]").getBoundingClientRect();
      const outer = root.querySelector(".ipygrad-graph").getBoundingClientRect();
      return inner.left >= outer.left && inner.right <= outer.right;
    }"""
    for step in (0, 21, 10):
        go(page, step)
        page.wait_for_function(is_inside)
    page.set_viewport_size({"width": 300, "height": 400})
    page.wait_for_function(is_inside)
    assert graph.evaluate("graph => graph.scrollLeft") > 0
    assert page.evaluate("[scrollX, scrollY]") == [0, 0]


def test_seed_example_is_seen_whole_in_a_default_notebook(page: Page, tmp_path: Path) -> None:
    x = Variable(0.5, name="x")
    path = tmp_path / "seed.html"
    backward_pass(square(exp(square(x)))).to_html(path)
    page.set_viewport_size({"width": 824 + 32, "height": 700})
    page.goto(path.as_uri())
    root = page.locator(".ipygrad")
    size = root.bounding_box()
    assert size
    assert size["width"] == 824
    assert size["height"] <= 650
    graph = root.locator(".ipygrad-graph")
    assert graph.evaluate("({scrollWidth, clientWidth}) => scrollWidth - clientWidth") == 0
    for step in (1, 2, 3):
        button(root, "next").click()
        expect(root.locator(".ipygrad-position")).to_have_text(f"{step} / 3")
        touched = root.evaluate(
            """root => {
              const label = root.querySelector(".ipygrad-contribution").getBoundingClientRect();
              return [...root.querySelectorAll("rect")].filter((shape) => {
                const box = shape.getBoundingClientRect();
                return box.left < label.right && label.left < box.right;
              }).length;
            }"""
        )
        assert touched == 0, step


# Twice the size in a window of 1280 is the same layout as a window of 640.
@pytest.mark.parametrize("width", [360, 640, 824])
@pytest.mark.parametrize(
    "build", [payloads.chain, payloads.shared, payloads.constant, payloads.arrays]
)
def test_nothing_is_cut_off(page: Page, build: Callable[[], payloads.Payload], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    root = mounted(page, build())
    root.locator("summary").click()
    box(root, "variable").first.click()
    last = page.evaluate("Number(root.querySelector('input').max)")
    for step in range(last + 1):
        go(page, step)
        cut = root.evaluate(
            """root => {
              const may = ".ipygrad-graph, .ipygrad-code, .ipygrad-table-box, [role=status]";
              return [...root.querySelectorAll("*")].filter((element) =>
                element instanceof HTMLElement && getComputedStyle(element).display !== "inline"
                && !element.matches(may) && element.scrollWidth > element.clientWidth
              ).map(({className}) => className);
            }"""
        )
        assert cut == [], step


def test_a_long_equation_scrolls_by_itself(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 900})
    payload = payloads.arrays()
    for step in payload["steps"]:
        for product in step["products"]:
            product["equation"] = payloads.formula("∂" * 200, "∂" * 200)
    root = mounted(page, payload)
    products = root.locator(".ipygrad-products")
    assert products.evaluate("({scrollWidth, clientWidth}) => scrollWidth - clientWidth") == 0
    for k in range(len(payload["steps"])):
        go(page, k)
        for working in root.locator(".ipygrad-working").all():
            size = working.bounding_box()
            assert size
            assert size["x"] + size["width"] <= 360


@pytest.mark.parametrize("width", [360, 900])
@pytest.mark.parametrize("build", [payloads.chain, payloads.arrays])
def test_a_long_number_stays_in_its_box(
    page: Page, build: Callable[[], payloads.Payload], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    payload = build()
    for product in payload["steps"][1]["products"]:
        product["contribution"]["text"] = "[0.1739, -0.1366, -0.03049, -0.006803]"
    root = mounted(page, payload)
    go(page, 1)
    outside = root.evaluate(
        """root => [...root.querySelectorAll(".ipygrad-factor.ipygrad-result")].filter((box) => {
          const caption = box.querySelector(".ipygrad-caption").getBoundingClientRect();
          const number = box.querySelector(".ipygrad-number").getBoundingClientRect();
          const {bottom} = box.getBoundingClientRect();
          return number.top < caption.bottom - 1 || number.bottom > bottom;
        }).length"""
    )
    assert outside == 0


# What JupyterLab's own two themes set.
THEMES = {
    "light": ("#ffffff", "rgba(0, 0, 0, 0.87)", "#1976d2"),
    "dark": ("#111111", "#ffffff", "#2196f3"),
    "system": None,
}

CONTRASTS = """root => {
  const context = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
    .getContext("2d", {willReadFrequently: true});
  const blend = (...colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((c) =>
      c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const paper = getComputedStyle(document.body).backgroundColor;
  const under = (element) => {
    const found = [];
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const shape = at.querySelector(":scope > .ipygrad-shape");
      const style = getComputedStyle(shape ?? at);
      found.unshift(shape ? style.fill : style.backgroundColor);
    }
    return [paper, ...found];
  };
  const texts = [...root.querySelectorAll("*")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""));
  const low = [];
  for (const text of texts.filter((text) => text.localName !== "title")) {
    const style = getComputedStyle(text);
    const colour = text instanceof SVGElement ? style.fill : style.color;
    const behind = under(text);
    const ratio = contrast(blend(...behind, colour), blend(...behind));
    if (ratio < 4.5) low.push([text.textContent, ratio]);
  }
  const focused = document.activeElement;
  const ring = getComputedStyle(focused).outlineColor;
  const outside = under(focused.parentElement);
  const ratio = contrast(blend(...outside, ring), blend(...outside));
  return {low, count: texts.length, ring: ratio, width: getComputedStyle(focused).outlineWidth};
}"""
"""Contrast of every text with what is painted behind it, and of the focus ring, as in WCAG 2."""


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_focus_ring_have_enough_contrast(
    chromium: Browser, scheme: Any, theme: str
) -> None:
    page = chromium.new_page(color_scheme=scheme)
    payload = payloads.constant()
    payloads.check(payload, 1, "disagrees", "backward is wrong.")
    root = mounted(page, payload)
    colours = THEMES[theme]
    if colours is None:
        page.add_style_tag(content="body { background: Canvas }")
    else:
        paper, ink, brand = colours
        page.add_style_tag(
            content=f"body {{ background: {paper}; --jp-layout-color0: {paper};"
            f" --jp-content-font-color1: {ink}; --jp-brand-color1: {brand} }}"
        )
    page.add_style_tag(content="* { transition: none !important }")
    root.locator("summary").click()
    box(root, "variable x").click()
    page.keyboard.press("Shift+Tab")
    for step in (0, 1, 2):
        go(page, step)
        found = root.evaluate(CONTRASTS)
        assert found["count"] > 40
        assert found["low"] == []
    for focus in ("button.ipygrad-next", "svg [tabindex]", "button.ipygrad-line", "input"):
        root.locator(focus).first.focus()
        found = root.evaluate(CONTRASTS)
        assert found["width"] == "2px"
        assert found["ring"] >= 4.5
    page.close()


def test_reduced_motion_has_no_transitions(page: Page) -> None:
    shape = "getComputedStyle(document.querySelector('.ipygrad-shape')).transitionDuration"
    page.emulate_media(reduced_motion="no-preference")
    mounted(page, payloads.chain())
    assert page.evaluate(shape) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(shape) == "0s"


def test_host_colours_are_followed_live(page: Page) -> None:
    root = mounted(page, payloads.chain())
    page.evaluate(
        "document.body.style.setProperty('--jp-content-font-color1', 'rgb(1, 2, 3)')",
    )
    expect(root).to_have_css("color", "rgb(1, 2, 3)")


def test_styles_of_a_notebook_do_not_leak_in(page: Page) -> None:
    root = mounted(page, payloads.chain())
    root.locator("summary").click()
    expect(root.get_by_role("row")).to_have_count(5)
    parts = root.locator("svg, td, th, tr, table, button, img")
    looks = """parts => parts.map((part) => {
      const {textAlign, padding, width, height, backgroundColor, margin} = getComputedStyle(part);
      return [part.tagName, textAlign, padding, width, height, backgroundColor, margin].join(" ");
    })"""
    before = parts.evaluate_all(looks)
    page.add_style_tag(
        content="""
        .jp-RenderedHTMLCommon table { margin: 0 auto 1em; table-layout: fixed; font-size: 20px }
        .jp-RenderedHTMLCommon :is(td, th, tr) { padding: 0.5em; text-align: right }
        :not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon tr { text-align: right }
        .jp-RenderedHTMLCommon tbody tr:nth-child(odd) { background: red }
        .jp-RenderedHTMLCommon tbody tr:hover { background: red }
        .jp-RenderedHTMLCommon :is(svg, img) { max-width: 100%; height: auto }"""
    )
    page.evaluate("document.body.className = 'jp-RenderedHTMLCommon'")
    assert parts.evaluate_all(looks) == before


# ---------------------------------------------------------------- the files


def test_files_are_small_and_make_no_markup_of_texts() -> None:
    module, style = front_end()
    for name, most in (("stepper.js", 60_000), ("stepper.css", 20_000)):
        assert (STATIC / name).stat().st_size <= most
    # What a cell pays for them.
    assert len(gzip.compress((module + style).encode(), mtime=0)) <= 24_000
    assert not re.search(r"/\*|^\s*//", module + style, re.MULTILINE)
    forbidden = "innerHTML|outerHTML|insertAdjacentHTML|document.write|eval\\(|fetch\\("
    assert not re.search(forbidden, module)
    assert not re.search(r"^import\b|\bimport\(", module, re.MULTILINE)
    assert not re.search(r"@import|url\(", style)
    selectors = re.findall(r"^\s*([^@\n]+) \{$", style, re.MULTILINE)
    assert [one for one in selectors if not one.startswith((".ipygrad", "&"))] == []


def test_every_word_is_used() -> None:
    # The names of groups are made by folding, as a key and its values.
    folding = (STATIC.parent / "folding.py").read_text("utf-8")
    module = (STATIC / "stepper.js").read_text("utf-8") + folding
    assert [word for word in payloads.WORDS if not re.search(rf"\b{word}\b", module)] == []
