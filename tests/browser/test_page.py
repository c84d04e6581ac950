"""The page that ``to_html`` writes, opened from a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pypandoc
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


def test_all_steps_are_on_paper(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    expect(page.get_by_role("status")).to_have_text(re.compile("^Step 0 of 3"))
    page.emulate_media(media="print")
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    expect(page.get_by_role("button")).to_have_count(0)
    steps = page.locator(".paper > [role=group]")
    expect(steps).to_have_count(4)
    for step in (1, 2, 3):
        expect(steps.nth(step).get_by_role("heading")).to_be_visible()
        picture = steps.nth(step).get_by_role("img", name=re.compile("curve with its tangent"))
        expect(picture).to_be_visible()
    expect(page.get_by_role("img", name="Backward pass of y")).to_be_visible()
    page.evaluate("() => { dispatchEvent(new Event('afterprint')); }")
    page.emulate_media(media="screen")
    expect(page.locator(".paper")).to_have_count(0)
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("^Step 1 of 3"))


def test_the_browser_prints_all_steps(page: Page, path: Path) -> None:
    page.goto(path.as_uri())
    expect(page.get_by_role("status")).to_have_text(re.compile("^Step 0 of 3"))
    printed = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 2
    expect(page.locator(".paper")).to_have_count(0)


@pytest.mark.parametrize("sandbox", ["", 'sandbox="allow-scripts"'])
def test_it_steps_inside_another_page(page: Page, path: Path, sandbox: str) -> None:
    course = path.with_name("course.html")
    course.write_text(
        f'<!doctype html><title>Course</title><iframe {sandbox} title="pass" width="900" '
        f'height="700" src="{path.name}#step=2"></iframe>'
    )
    page.goto(course.as_uri())
    frame = page.frame_locator("iframe")
    status = frame.get_by_role("status")
    expect(status).to_have_text(re.compile("^Step 2 of 3"))
    frame.get_by_role("button", name="Next step").click()
    expect(status).to_have_text(re.compile("^Step 3 of 3"))


def test_several_passes_step_apart(page: Page, tmp_path: Path) -> None:
    x = Variable(np.array(0.5), name="x")
    first, second = backward_pass(square(x)), backward_pass(exp(square(x)))
    path = tmp_path / "two.html"
    first.to_html(path, second)
    page.goto(path.as_uri() + "#pass=2&step=2")
    expect(page.get_by_role("heading", name=re.compile(r"^\d\. Backward pass of"))).to_have_count(2)
    statuses = page.get_by_role("status")
    expect(statuses.nth(0)).to_have_text(re.compile("^Step 0 of 1"))
    expect(statuses.nth(1)).to_have_text(re.compile("^Step 2 of 2"))
    page.get_by_role("button", name="Next step").first.click()
    expect(statuses.nth(0)).to_have_text(re.compile("^Step 1 of 1"))
    expect(statuses.nth(1)).to_have_text(re.compile("^Step 2 of 2"))
    page.evaluate("() => { location.hash = 'pass=9&step=1'; }")
    page.evaluate("() => { location.hash = 'pass=2&step=1'; }")
    expect(statuses.nth(1)).to_have_text(re.compile("^Step 1 of 2"))


@pytest.mark.parametrize("scripts", [True, False])
def test_markdown_of_a_notebook_as_a_web_site_shows_it(
    page: Page, tmp_path: Path, *, scripts: bool
) -> None:
    markdown = nbconvert(EXAMPLES[0], "markdown", tmp_path).read_text("utf-8")
    site = tmp_path / "site.html"
    site.write_text(pypandoc.convert_text(markdown, "html", "gfm", ["-s", "-M", "title=site"]))
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=scripts) as context:
        shown = context.new_page()
        shown.goto(site.as_uri())
        if scripts:
            view = shown.get_by_role("group", name="Backward pass of y").first
            view.get_by_role("button", name="Next step").click()
            expect(view.get_by_role("status")).to_have_text(re.compile("^Step 1 of 3"))
        else:
            expect(shown.get_by_role("img", name="Backward pass of y")).to_have_count(4)
            assert "atob" not in shown.locator("body").inner_text()
