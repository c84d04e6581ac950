"""The page that ``to_html`` writes, opened from a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from ipygrad import Variable, backward_pass, exp, square
from tests.converter import EXAMPLES, nbconvert

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.watch import Watch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    x = Variable(np.array(0.5), name="</script><img src=x onerror=window.hacked=1>")
    a = square(x)
    y = square(exp(a))
    path = tmp_path / "backprop.html"
    backward_pass(y).to_html(path)
    return path


def test_it_steps_under_its_strict_policy(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    status = page.get_by_role("status")
    expect(status).to_have_text(re.compile("^Step 0 of 3"))
    for step in (1, 2, 3):
        page.get_by_role("button", name="Next step").click()
        expect(status).to_have_text(re.compile(f"^Step {step} of 3"))
        picture = page.get_by_role("img", name=re.compile("curve with its tangent"))
        expect(picture).to_be_visible()
        page.wait_for_function("() => document.querySelector('img').naturalWidth > 0")
    assert page.evaluate("() => window.hacked") is None


def test_no_other_script_runs_in_it(page: Page, path: Path, watch: Watch) -> None:
    page.goto(path.as_uri())
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.hacked = 1";
        document.body.append(script);
    }""")
    assert page.evaluate("() => window.hacked") is None
    assert "Content Security Policy" in watch.errors.pop()


def test_a_link_opens_at_a_step(page: Page, path: Path) -> None:
    page.goto(path.as_uri() + "#step=2")
    status = page.get_by_role("status")
    expect(status).to_have_text(re.compile("^Step 2 of 3"))
    page.evaluate("() => { location.hash = 'step=3'; }")
    expect(status).to_have_text(re.compile("^Step 3 of 3"))
    page.evaluate("() => { location.hash = 'step=99'; }")
    expect(status).to_have_text(re.compile("^Step 3 of 3"))


def test_what_nbconvert_makes_steps_too(page: Page, tmp_path: Path, watch: Watch) -> None:
    html = nbconvert(EXAMPLES[0], "html", tmp_path)
    page.goto(html.as_uri())
    view = page.get_by_role("group", name="Backward pass of y").first
    view.get_by_role("button", name="Next step").click()
    expect(view.get_by_role("status")).to_have_text(re.compile("^Step 1 of 3"))
    # Its page template asks for MathJax and the like; that is not ours, and it was refused.
    assert not any("grad" in request for request in watch.requests)
    watch.requests.clear()
    watch.errors.clear()


def test_without_scripts_it_is_a_picture_and_a_table(page: Page, path: Path) -> None:
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False) as context:
        plain = context.new_page()
        plain.goto(path.as_uri())
        expect(plain.get_by_role("img", name="Backward pass of y")).to_be_visible()
        plain.get_by_text("Table of the whole pass").click()
        expect(plain.get_by_role("row")).to_have_count(5)
