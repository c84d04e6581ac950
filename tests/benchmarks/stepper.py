"""Time in the browser from a key press to the new step on the screen.

Run it with ``python -m tests.benchmarks.stepper``; it needs a browser, found as the tests find it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from playwright.sync_api import sync_playwright

from ipygrad import Variable, backward_pass, square, tanh
from tests.browser.chromium import find_browser, install_browser
from tests.browser.conftest import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

KEYS = 60

# Script: what the key's handlers and the layout that they force take. Screen: until the frame that
# shows the step has been handed over, which is the first task after the next animation frame.
MEASURE = """async ({ keys }) => {
  const status = document.querySelector("[role=status]");
  const slider = document.querySelector("input[type=range]");
  const button = document.querySelector(
    "button[aria-label='Next step'], button[title='Next step']"
  );
  button.focus();
  const script = [], screen = [];
  for (let k = 0; k < keys; k++) {
    const last = slider.max === slider.value;
    const key = last ? "Home" : "ArrowRight";
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const start = performance.now();
    const before = status.textContent;
    button.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    document.body.offsetHeight;
    script.push(performance.now() - start);
    if (status.textContent === before) throw new Error("the key did not step");
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    screen.push(performance.now() - start);
  }
  return { script, screen, elements: document.querySelectorAll("svg *").length };
}"""


def write_page(functions: int, path: Path) -> None:
    """Write the page of a pass with so many functions."""
    y = Variable(np.array(0.5))
    for k in range(functions):
        y = square(y) if k % 2 else tanh(y)
    bp = backward_pass(y)
    if functions > 100:
        bp._plots = lambda *_: {}  # type: ignore[method-assign]
    bp.to_html(path)


def measure(page: Page, path: Path) -> str:
    """Return one row of the table."""
    page.goto(path.as_uri())
    page.get_by_role("status").wait_for(state="attached")
    found = page.evaluate(MEASURE, {"keys": KEYS})
    script, screen = found["script"], found["screen"]
    return (
        f"{median(script):8.2f} {max(script):8.2f} {median(screen):12.1f} {max(screen):8.1f}"
        f" {found['elements']:10}"
    )


def main() -> None:
    """Print a row for each size."""
    print("from key press to the new step, ms (to reach: under 5 of script, one frame: 16.7)")
    print("functions   script      max   on screen      max   elements")
    executable = find_browser() or install_browser()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page()
        for functions in (3, 10, 100, 1_000):
            path = Path(folder) / f"{functions}.html"
            write_page(functions, path)
            print(f"{functions:9,} {measure(page, path)}")
        browser.close()


if __name__ == "__main__":
    main()
