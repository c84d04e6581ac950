"""What a cell displays, put into a page in the ways of hosts that cannot be started here.

Each way is described by what the host's own renderer does to HTML. None of these is the host.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.benchmarks.sizes import seed

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FrameLocator, Page

# Scripts that come by innerHTML are dead, so a host makes each anew from its text and these
# attributes; VS Code takes it out again at once, and so before a module has run.
INSERT = """
function insert(html, parent) {
    const output = document.createElement("div");
    output.innerHTML = html;
    parent.append(output);
    for (const dead of output.querySelectorAll("script")) {
        const script = document.createElement("script");
        script.text = dead.innerText;
        for (const name of ["type", "src", "nonce", "noModule", "async"]) {
            const value = dead[name] || dead.getAttribute(name);
            if (value) script.setAttribute(name, value);
        }
        dead.remove();
        output.append(script);
        script.remove();
    }
}
"""
SHADOW = """
const host = document.createElement("div");
document.body.append(host);
const place = host.attachShadow({ mode: "open" });
"""


def document(*places: str) -> str:
    """Return a document that puts the seed cell's output into these places, expressions."""
    html = seed().bundle()["text/html"]
    text = json.dumps(html).replace("<", "\\u003c")
    calls = "".join(f"insert({text}, {place});" for place in places)
    script = f"<script>{INSERT}{SHADOW}{calls}</script>"
    return f'<!doctype html><html lang="en"><title>Host</title><body>{script}</body></html>'


def steps(page: Page | FrameLocator) -> None:
    """Step every copy of the stepper that the page shows."""
    views = page.get_by_role("group", name=re.compile("^Backward pass"))
    expect(views.first).to_be_visible()
    for view in views.all():
        view.get_by_role("button", name="Next step").click()
        expect(view.get_by_role("status")).to_have_text(re.compile("^Step 1 of 3"))
        picture = view.get_by_role("img", name=re.compile("curve with its tangent"))
        expect(picture).to_be_visible()
        view.get_by_role("slider", name="Step").press("End")
        expect(view.get_by_role("status")).to_have_text(re.compile("^Step 3 of 3"))


@pytest.mark.parametrize(
    "places", [("document.body",), ("place",), ("document.body", "place", "document.body")]
)
def test_scripts_are_made_anew(page: Page, tmp_path: Path, places: tuple[str, ...]) -> None:
    path = tmp_path / "host.html"
    path.write_text(document(*places), "utf-8")
    page.goto(path.as_uri())
    views = page.get_by_role("group", name=re.compile("^Backward pass"))
    expect(views).to_have_count(len(places))
    steps(page)


@pytest.mark.parametrize("inserted", [True, False], ids=["inserted", "parsed"])
def test_in_a_sandbox_of_another_origin(page: Page, tmp_path: Path, *, inserted: bool) -> None:
    html = document("document.body") if inserted else seed().bundle()["text/html"]
    path = tmp_path / "host.html"
    frame = f'<iframe title="output" sandbox="allow-scripts" srcdoc="{escape(html)}"'
    path.write_text(f'<!doctype html><title>Host</title>{frame} width="900" height="700"></iframe>')
    page.goto(path.as_uri())
    output = page.frame_locator("iframe")
    storage = "() => { try { return localStorage.length; } catch (error) { return error.name; } }"
    assert output.locator("body").evaluate(storage) == "SecurityError"
    steps(output)
