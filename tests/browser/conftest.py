"""Fixtures of the browser tests: a browser, a page under watch, and the Jupyter hosts.

Playwright's blocking interface keeps an event loop running on the main thread for as long as the
browser is open. So the browser lives as long as this package of tests, not as long as the session,
and tests elsewhere may start loops of their own. A test in here that needs one (nbclient, say) runs
it in a subprocess.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.chromium import NoBrowserError, find_browser, install_browser
from tests.browser.jupyter import Host
from tests.browser.server import JupyterServer
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

# A machine that is busy takes its time; what is right is not waited for.
expect.set_options(timeout=20_000)

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Launch a headless browser."""
    try:
        executable = find_browser() or install_browser()
    except NoBrowserError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Make a browser profile of the test's own, with a window of 1280 by 900 pixels."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext) -> Iterator[Watch]:
    """Note what pages ask of other hosts, and their errors, and fail a test that ends with any."""
    watch = Watch(context)
    yield watch
    assert watch.requests == [], "the page asked for something that is not on this machine"
    assert watch.errors == [], "the page reported errors"


@pytest.fixture
def page(watch: Watch, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open an empty page, under watch. What it shows in the end is kept in test-results."""
    page = watch.context.new_page()
    yield page
    if not page.is_closed():
        name = re.sub(r"\W+", "-", request.node.nodeid.removeprefix("tests/browser/")).strip("-")
        page.screenshot(path=request.config.rootpath / "test-results" / f"{name}.png")


@pytest.fixture
def korean_page(chromium: Browser) -> Iterator[Page]:
    """Open an empty page of a browser that is set to Korean, under watch."""
    with chromium.new_context(locale="ko-KR", viewport={"width": 1280, "height": 900}) as context:
        watch = Watch(context)
        yield context.new_page()
        assert (watch.requests, watch.errors) == ([], [])


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer("jupyterlab", "LabApp", tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def notebook7_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server = JupyterServer("notebook", "JupyterNotebookApp", tmp_path_factory.mktemp("notebook7"))
    yield server
    server.stop()


@pytest.fixture
def lab(lab_server: JupyterServer) -> Host:
    """Provide JupyterLab, with no kernel of an earlier test and the settings of a new user."""
    return _host("lab", lab_server)


@pytest.fixture
def notebook7(notebook7_server: JupyterServer) -> Host:
    """Provide Notebook 7, with no kernel of an earlier test and the settings of a new user."""
    return _host("notebook7", notebook7_server)


@pytest.fixture(params=["lab", "notebook7"])
def host(request: pytest.FixtureRequest) -> Host:
    """Provide each host in turn."""
    host: Host = request.getfixturevalue(request.param)
    return host


def _host(name: str, server: JupyterServer) -> Host:
    # Before the test, not after it: then the page is closed that would miss its kernel.
    server.end_sessions()
    server.reset_settings()
    return Host(name, server, root=Path(mkdtemp(dir=server.root)))
