"""The front end with steps of which only the numbers are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser import payloads
from tests.browser.mounting import go, prepare

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def lean(payload: payloads.Payload, steps: range) -> list[payloads.Payload]:
    """Leave only the numbers of some steps, and return these in words."""
    told = [payload["steps"][k] for k in steps]
    numbers = payload["numbers"]

    def place(number: payloads.Number | None) -> int | None:
        if number is None:
            return None
        numbers.append(number)
        return len(numbers) - 1

    for k in steps:
        step = payload["steps"][k]
        keys = ("local", "contribution", "before", "after")
        payload["steps"][k] = {
            **{key: step[key] for key in ("function", "line", "heading", "columns")},
            "arriving": place(step["products"][0]["arriving"]),
            "products": [
                [one["variable"], one["holds"], *(place(one[key]) for key in keys)]
                for one in step["products"]
            ],
        }
    return told


def mount(page: Page, payload: payloads.Payload, *, kernel: bool) -> Locator:
    prepare(page)
    page.evaluate(
        """([payload, kernel]) => {
          window.model = makeModel({stepper_id: "s", step: payload.start, payload});
          window.stepper = ipygrad.mount(root, payload, kernel ? {id: "s", model} : {});
        }""",
        [payload, kernel],
    )
    return page.locator("#root")


def send(page: Page, step: int, told: Any) -> None:
    message = {"type": "plot", "step": step, "svg": None, "told": told, "values": {}}
    page.evaluate("message => model.fire('msg:custom', message, [])", message)


def test_without_a_kernel_the_numbers_are_there_and_a_sentence_says_so(page: Page) -> None:
    payload = payloads.chain()
    (_, second, _) = lean(payload, range(1, 4))
    root = mount(page, payload, kernel=False)
    go(page, 2)
    expect(root.get_by_role("heading")).to_have_text(second["heading"])
    for key in ("arriving", "local", "contribution"):
        number = second["products"][0][key]["text"]
        expect(root.locator(".ipygrad-products")).to_contain_text(number)
    rest = payloads.WORDS["words_rest"]
    expect(root.get_by_text(rest)).to_have_count(2)
    expect(root.get_by_role("status")).to_have_text(f"{second['heading']}. {rest}")


def test_with_a_kernel_the_words_come_when_the_step_is_shown(page: Page) -> None:
    payload = payloads.chain()
    (_, second, _) = lean(payload, range(1, 4))
    root = mount(page, payload, kernel=True)
    go(page, 2)
    assert page.evaluate("model.sent") == [{"type": "plot", "step": 2, "values": {}}]
    expect(root.get_by_text(payloads.WORDS["words_waiting"])).to_be_visible()
    expect(root.get_by_role("status")).to_have_text("")
    numbers = root.locator(".ipygrad-products").inner_text()
    send(page, 2, second)
    expect(root.get_by_text(second["texts"]["sentence"], exact=True)).to_be_visible()
    expect(root.get_by_role("status")).to_have_text(second["status"])
    assert numbers.split()[:3] == root.locator(".ipygrad-products").inner_text().split()[:3]
    go(page, 0)
    go(page, 2)
    expect(root.get_by_text(second["texts"]["sentence"], exact=True)).to_be_visible()
    assert page.evaluate("model.sent.length") == 1


def test_the_kernel_is_asked_where_one_stays_and_not_on_the_way(page: Page) -> None:
    payload = payloads.chain()
    (first, _, third) = lean(payload, range(1, 4))
    root = mount(page, payload, kernel=True)
    for step in (1, 2, 3):
        go(page, step)
    assert page.evaluate("model.sent.map(({step}) => step)") == [1]
    send(page, 1, first)
    assert page.evaluate("model.sent.map(({step}) => step)") == [1, 3]
    send(page, 3, third)
    expect(root.get_by_text(third["texts"]["sentence"], exact=True)).to_be_visible()
    assert page.evaluate("model.sent.length") == 2


def test_a_kernel_that_goes_says_so_in_the_step(page: Page) -> None:
    payload = payloads.chain()
    lean(payload, range(1, 4))
    root = mount(page, payload, kernel=True)
    go(page, 2)
    page.evaluate("model.fire('comm:close')")
    expect(root.get_by_text(payloads.WORDS["words_rest"]).first).to_be_visible()


def test_nothing_moves_when_the_words_come(page: Page) -> None:
    payload = payloads.chain()
    (_, second, _) = lean(payload, range(1, 4))
    payload["room"]["texts"] = {
        **payload["room"]["texts"],
        "sentence": [second["texts"]["sentence"], payloads.WORDS["words_rest"]],
    }
    root = mount(page, payload, kernel=True)
    go(page, 2)
    before = root.bounding_box()
    send(page, 2, second)
    expect(root.get_by_text(second["texts"]["sentence"], exact=True)).to_be_visible()
    assert root.bounding_box() == before
