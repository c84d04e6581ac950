"""What holds for all tests: how the browser tests are marked, left out and announced."""

from __future__ import annotations

import atexit
import gc
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tests.browser.chromium import NoBrowserError, browser_version, find_browser
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSER_TESTS = Path(__file__).parent / "browser"
LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-browser",
        action="store_true",
        help="leave out the browser tests, which otherwise fail where no browser is found",
    )


def pytest_report_header(config: pytest.Config) -> str:
    if config.getoption("--no-browser"):
        return "browser: not used (--no-browser)"
    try:
        executable = find_browser()
    except NoBrowserError as error:
        return f"browser: {error}"
    if executable is None:
        return "browser: none found; the browser tests will ask Playwright to install one"
    return f"browser: {browser_version(executable)} ({executable})"


def pytest_itemcollected(item: pytest.Item) -> None:
    if BROWSER_TESTS in item.path.parents:
        item.add_marker(pytest.mark.browser)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--no-browser"):
        left_out = [item for item in items if item.get_closest_marker("browser")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        config.stash[LEFT_OUT] = len(left_out)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if count := config.stash.get(LEFT_OUT, 0):
        left_out = f"{count} browser tests NOT RUN (--no-browser)"
        terminalreporter.write_sep("=", left_out, yellow=True)


@pytest.fixture(autouse=True, scope="module")
def _quick_searches_for_garbage() -> None:
    """Leave what is there already out of the searches: each shell that ends makes one of its own.

    With the libraries of all tests in memory it would take longer than the test.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _all_the_time_for_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw as many plots on a busy machine as on any other."""
    monkeypatch.setattr("ipygrad.record.PLOT_SECONDS", math.inf)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Give a fresh IPython shell with the extension loaded, and forget it afterwards."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config({"HistoryManager": {"enabled": False}})
    ipython = InteractiveShell.instance(config=config)
    yield Shell(ipython)
    # Now, and not when all is over: each of hundreds of shells would search for garbage once more.
    ipython.atexit_operations()
    atexit.unregister(ipython.atexit_operations)
    InteractiveShell.clear_instance()
