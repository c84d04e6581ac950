"""Each Jupyter host does what the other browser tests take for granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbformat
from playwright.sync_api import expect

from tests.browser.jupyter import notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.jupyter import Host

HELLO = 'print("hello")'
SCRIPT = '''from IPython.display import HTML
HTML("""<p id="p">still</p>
<script type="module">document.getElementById("p").textContent = "live";</script>""")'''


def test_cells_run_keys_are_shortcuts_and_the_theme_changes(host: Host, page: Page) -> None:
    opened = host.open(page, notebook(HELLO, SCRIPT))
    opened.run_cell(1)
    expect(opened.outputs(1).locator("#p")).to_have_text("live")
    expect(opened.outputs(0)).to_have_count(0)
    opened.run_all()
    expect(opened.outputs(0)).to_have_text("hello\n")
    expect(opened.outputs(1).locator("#p")).to_have_text("live")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
    opened.set_theme("dark")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    opened.command_mode()
    page.keyboard.press("b")
    expect(opened.cells).to_have_count(3)
    expect(opened.cells.first.locator(".cm-content")).to_have_text(HELLO)


def test_saved_it_is_live_after_reload_and_without_a_kernel(host: Host, page: Page) -> None:
    opened = host.open(page, notebook(SCRIPT))
    opened.run_all()
    opened.save()
    opened.reload()
    expect(opened.outputs(0).locator("#p")).to_have_text("live")
    opened.shutdown_kernel()
    expect(opened.outputs(0).locator("#p")).to_have_text("live")
    again = host.open_without_kernel(page, opened.path)
    expect(again.outputs(0).locator("#p")).to_have_text("live")
    assert host.server.request("GET", "/api/sessions") == []


def test_scripts_run_in_a_trusted_notebook_only(host: Host, page: Page) -> None:
    unsigned = notebook(SCRIPT)
    html = SCRIPT.split('"""')[1]
    unsigned.cells[0].outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    path = host.root / "from-elsewhere.ipynb"
    nbformat.write(unsigned, path)

    opened = host.open(page, path)
    expect(opened.outputs(0).locator("p")).to_have_text("still")
    expect(opened.outputs(0).locator("script")).to_have_count(0)

    host.trust(path)
    opened = host.open(page, path)
    expect(opened.outputs(0).locator("p")).to_have_text("live")
