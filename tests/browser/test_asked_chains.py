"""The front end with what large graphs leave out: chains, the words of calls, elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from ipygrad import Variable, backward_pass, exp
from tests.browser import payloads
from tests.browser.mounting import go, mounted
from tests.browser.test_long_passes import mount

if TYPE_CHECKING:
    import pytest
    from playwright.sync_api import Page

UNTOLD = {"waiting": "The kernel is asked.", "rest": "There is no kernel."}
ASKED = {"type": "chain", "variable": 0, "values": {}}


def without_chains() -> tuple[payloads.Payload, payloads.Payload]:
    """Return a payload without the chain of x, and that chain."""
    payload = payloads.chain()
    payload["graph"]["untold"] = UNTOLD
    return payload, payload["graph"]["variables"][0].pop("chain")


def press_x(page: Page) -> None:
    page.locator("#root .ipygrad-box[data-item=v0]").click()


def test_a_chain_that_is_absent_comes_from_the_kernel(page: Page) -> None:
    payload, chain = without_chains()
    root = mount(page, payload, kernel=True)
    region = root.locator(".ipygrad-chain")
    press_x(page)
    expect(region).to_contain_text(UNTOLD["waiting"])
    asked = "model.sent.filter(({type}) => type === 'chain')"
    assert page.evaluate(asked) == [ASKED]
    answer = {**ASKED, "chain": chain}
    page.evaluate("message => model.fire('msg:custom', message, [])", answer)
    expect(region.locator("math").first).to_have_attribute("aria-label", chain["heading"]["text"])
    expect(region.locator("mfrac.ipygrad-path").first).to_be_visible()
    press_x(page)
    press_x(page)
    assert page.evaluate(asked) == [ASKED]


def test_an_answer_for_other_values_is_of_no_use(page: Page) -> None:
    payload, chain = without_chains()
    root = mount(page, payload, kernel=True)
    press_x(page)
    answer = {**ASKED, "chain": chain, "values": {"0": 1.0}}
    page.evaluate("message => model.fire('msg:custom', message, [])", answer)
    expect(root.locator(".ipygrad-chain")).to_contain_text(UNTOLD["waiting"])


def test_without_a_kernel_it_is_said_where_the_chain_comes_from(page: Page) -> None:
    payload, _ = without_chains()
    root = mount(page, payload, kernel=False)
    press_x(page)
    expect(root.locator(".ipygrad-chain")).to_contain_text(UNTOLD["rest"])


def test_a_kernel_that_goes_or_comes_back_says_so(page: Page) -> None:
    payload, _ = without_chains()
    root = mount(page, payload, kernel=True)
    press_x(page)
    page.evaluate("model.fire('comm:close')")
    expect(root.locator(".ipygrad-chain")).to_contain_text(UNTOLD["rest"])


def test_a_factor_that_is_not_kept_leads_nowhere(page: Page) -> None:
    payload = payloads.chain()
    payload["graph"]["variables"][0]["chain"]["paths"][0]["factors"][0] = None
    root = mounted(page, payload)
    press_x(page)
    expect(root.locator(".ipygrad-chain mfrac")).to_have_count(4)
    expect(root.locator(".ipygrad-chain mfrac[data-item]")).to_have_count(2)


def test_of_a_large_array_it_is_said_how_many_elements_it_has(page: Page) -> None:
    payload = payloads.chain()
    more = {"columns": 1, "texts": [], "feeds": [], "more": "65 elements: too many."}
    payload["graph"]["variables"][0]["elements"] = more
    root = mounted(page, payload)
    press_x(page)
    expect(root.locator(".ipygrad-chain")).to_contain_text("x 65 elements: too many.")
    expect(root.locator(".ipygrad-cell")).to_have_count(0)


def test_calls_that_are_not_told_come_from_the_kernel(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = Variable(0.5, name="x")
    bp = backward_pass(exp(2.0 * x * x) + x)
    told = bp._payload({})["forward"]
    monkeypatch.setattr("ipygrad.show.forward.MOST_CALLS", 2)
    payload = bp._payload({})
    payload["forward"] = [call["function"] for call in told]
    root = mount(page, payload, kernel=True)
    root.get_by_role("button", name=payload["words"]["forward"], exact=True).click()
    sentence = root.locator(".ipygrad-sentence")
    for k, call in enumerate(told, start=-len(told)):
        go(page, k)
        expect(root.get_by_role("heading")).to_have_text(
            payload["graph"]["functions"][call["function"]]["label"]
        )
        expect(sentence).to_have_text(payload["words"]["words_waiting"])
        asked = {"type": "plot", "step": k, "values": {}}
        page.wait_for_function(
            "asked => JSON.stringify(model.sent.at(-1)) === JSON.stringify(asked)", arg=asked
        )
        answer = {**asked, "told": call, "svg": None}
        page.evaluate("message => model.fire('msg:custom', message, [])", answer)
        expect(root.get_by_role("heading")).to_have_text(call["heading"])
        expect(sentence).to_have_text(call["texts"]["sentence"])
        expect(root.get_by_role("status")).to_have_text(call["status"])
        expect(root.locator(".ipygrad-product .ipygrad-factor")).to_have_count(3)
