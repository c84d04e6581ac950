"""Find the browser that the browser tests drive, or have Playwright bring one.

``python -m tests.browser.chromium`` prints the path of the one that is here, and fails if none is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

VARIABLE = "IPYGRAD_BROWSER"
COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
PLACES = {
    "darwin": (
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    "win32": (
        r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
        r"%ProgramFiles(x86)%\Google\Chrome\Application\chrome.exe",
        r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
        r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
    ),
}
REMEDY = (
    "Install Chromium, Chrome or Edge (on Debian: apt-get install chromium), "
    f"or set {VARIABLE} to the path of one, "
    "or leave the browser tests out by name: pytest --no-browser."
)


class NoBrowserError(RuntimeError):
    """No browser can be had; the message says what was tried and what to do."""


def find_browser() -> Path | None:
    """Return the executable of a Chromium-based browser that is already here, or None.

    Raises
    ------
    NoBrowserError
        If the environment variable IPYGRAD_BROWSER names something that cannot be run.
    """
    if named := os.environ.get(VARIABLE):
        if found := shutil.which(named):
            return Path(found)
        raise NoBrowserError(f"{VARIABLE} is {named!r}, which cannot be run. {REMEDY}")
    usual = (os.path.expandvars(place) for place in PLACES.get(sys.platform, ()))
    for candidate in (*COMMANDS, *usual):
        if found := shutil.which(candidate):
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def install_browser() -> Path:
    """Have Playwright download its Chromium into its own cache, and return the executable.

    Raises
    ------
    NoBrowserError
        If the download fails, for want of a network most likely.
    """
    done = subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found := find_browser():
        return found
    said = [line for line in done.stderr.splitlines() if "Error" in line]
    reason = said[0] if said else f"exit status {done.returncode}"
    raise NoBrowserError(
        "The browser tests need a browser, and none was found. "
        f"Tried: {VARIABLE}, which is not set; {', '.join(COMMANDS)} on PATH; the usual places of "
        f"{sys.platform}; Playwright's own; and `python -m playwright install chromium`, "
        f"which failed ({reason}). {REMEDY}"
    )


def browser_version(executable: Path) -> str:
    """Return what the browser calls itself, "Chromium 131.0.6778.85" or so."""
    if sys.platform == "win32":
        # There --version opens a window; the version is the name of a folder beside the executable.
        names = [entry.name for entry in executable.parent.iterdir()]
        numbers = [name for name in names if re.fullmatch(r"\d+(\.\d+){3}", name)]
        return f"{executable.stem} {max(numbers, default='of unknown version')}"
    done = subprocess.run(  # noqa: S603
        [executable, "--version"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    browser = find_browser()
    sys.exit(REMEDY) if browser is None else print(browser)
