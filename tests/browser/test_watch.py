"""A page under watch reaches this machine only, and what it does wrong comes to light."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.watch import Watch


def test_another_host_is_not_reached_and_is_noted(page: Page, watch: Watch) -> None:
    address = "https://elsewhere.example/picture.png"
    with page.expect_event("requestfailed"):
        page.set_content(f"<img src='{address}'>")
    assert watch.requests == [address]
    watch.requests.clear()
    watch.errors.clear()


def test_data_addresses_are_let_pass(page: Page) -> None:
    page.set_content("<img src='data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\"/>'>")
    page.wait_for_function("() => document.images[0].complete")


def test_errors_are_noted(page: Page, watch: Watch) -> None:
    with page.expect_event("console"):
        page.evaluate("console.error('said')")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('thrown'); })")
    assert [error.splitlines()[0] for error in watch.errors] == ["said", "thrown"]
    watch.errors.clear()
