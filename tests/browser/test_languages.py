"""A page in the language that was chosen, and in none: then its buttons follow the browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.jupyter import notebook
from tests.pages import payloads_of
from tests.shell import IMPORTS, SEED
from tests.test_languages import LETTERS, TERMS, latin, layer, seed, tables

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.jupyter import Host

NAMES = {"square", "exp", "x", "a", "b", "y"}


@pytest.mark.parametrize("language", ["ko", "ja"])
def test_a_page_is_whole_in_its_language(page: Page, tmp_path: Path, language: str) -> None:
    path = tmp_path / "page.html"
    seed(language).to_html(path)
    page.goto(path.as_uri())
    words = tables(language)["interface"]
    assert page.locator("html").get_attribute("lang") == language
    expect(page.get_by_role("group").first).to_have_attribute("lang", language)
    status = page.get_by_role("status")
    for step in range(4):
        expect(status).to_have_text(re.compile(f"{LETTERS[language]}.*{step}"))
        # What the page draws or says, and what only a screen reader does.
        # The line on the licence below it is the same everywhere.
        shown = page.locator(".ipygrad").inner_text().splitlines()
        shown += page.evaluate(
            "() => [...document.querySelectorAll('[aria-label], [title], [alt]')]"
            ".flatMap((e) => ['aria-label', 'title', 'alt'].map((a) => e.getAttribute(a) ?? ''))"
        )
        assert {word for text in shown for word in latin(text)} <= TERMS | NAMES
        if step < 3:
            page.get_by_role("button", name=words["next"]).click()
    label = tables(language)["sentences"]["variable_label"]
    box = re.compile("^" + label.split("{")[0] + "x")
    expect(page.get_by_role("button", name=box)).to_be_visible()


def test_no_word_is_cut_off_in_a_narrow_page(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    layer("ko").to_html(path)
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(path.as_uri() + "#step=4")
    expect(page.get_by_role("status")).to_have_text(re.compile("4단계"))
    assert page.evaluate(
        "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def test_where_no_language_is_chosen_buttons_follow_the_browser(
    page: Page, korean_page: Page, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    seed("").to_html(path)
    korean, english = tables("ko")["interface"], tables("en")["interface"]
    for opened, words, language in ((page, english, "en"), (korean_page, korean, "ko")):
        opened.goto(path.as_uri())
        opened.get_by_role("button", name=words["next"]).click()
        expect(opened.get_by_role("status")).to_have_text(re.compile("^Step 1 of 3"))
        expect(opened.get_by_role("group").first).to_have_attribute("lang", language)


def test_a_language_that_was_chosen_holds_in_every_browser(
    korean_page: Page, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    seed("en").to_html(path)
    korean_page.goto(path.as_uri())
    korean_page.get_by_role("button", name="Next step").click()
    (payload,) = payloads_of(path)
    assert payload["interfaces"] == {}


def test_under_a_cell_by_configuration(host: Host, page: Page) -> None:
    configured = IMPORTS + '%config GradMagics.language = "ko"'
    opened = host.open(page, notebook(configured, "%%grad\n" + SEED.rstrip()))
    opened.run_all()
    view = opened.cells.nth(1).get_by_role("group", name="y의 역전파")
    expect(view).to_have_attribute("lang", "ko")
    for _ in range(2):
        view.get_by_role("button", name="다음 단계").click()
    expect(view.get_by_role("status")).to_have_text(re.compile("3단계 중 2단계"))
