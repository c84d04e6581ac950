"""Time from the end of a cell to the stepper on the screen, and from a key press to the next step.

Run it with ``python -m tests.benchmarks.stepper``; it needs a browser, found as the tests find it.
"""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, NamedTuple

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from playwright.sync_api import sync_playwright

from tests.browser.chromium import find_browser, install_browser
from tests.browser.conftest import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = (10, 100, 1_000, 10_000)
KEYS = 60
RUNS = 3

LOAD = """%load_ext ipygrad
import random
from time import perf_counter, process_time
from ipygrad import Variable, exp, square, functions as F"""
SEED = "x = Variable(0.5)\ny = square(exp(square(x)))\n"
CHAIN = """x = y = Variable(0.5)
kinds = (F.sin, exp, F.tanh, lambda v: v * x, square, lambda v: v + 0.1)
for number in range({functions}):
    y = kinds[number % len(kinds)](y)
"""
LOOP = """x, w = Variable(0.5), Variable(0.7)
y = x
for turn in range({functions} // 100):
    for unit in range(25):
        y = F.sin(F.tanh(y * w + x))
"""
MICROGRAD = """from micrograd.engine import Value
from micrograd.nn import MLP
random.seed(0)
model, y = MLP(2, [16, 16, 1]), 0
for sample in range({functions} // 700):
    y = y + (model([Value(random.random()), Value(random.random())]) - 1) ** 2
"""

# The first task after the frame in which the stepper stands, counted from when the page was opened.
PAINT = """<script>
new MutationObserver((_, observer) => {
  if (!document.querySelector("[role=status]")?.textContent) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
}).observe(document, { childList: true, subtree: true, characterData: true });
</script>"""

# Script: what the key's handlers and the layout that they force take. Screen: until the frame that
# shows the step has been handed over, which is the first task after the next animation frame.
MEASURE = """async ({ keys }) => {
  const status = document.querySelector("[role=status]");
  const slider = document.querySelector("input[type=range]");
  const button = document.querySelector(
    "button[aria-label='Next step'], button[title='Next step']"
  );
  slider.value = Math.floor(slider.max / 2);
  slider.dispatchEvent(new Event("input"));
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


class Shown(NamedTuple):
    """What a cell leaves for the browser.

    Attributes
    ----------
    functions
        How many its pass goes through.
    html
        The stepper.
    milliseconds
        Of the kernel, from the end of the cell's own code to the bundle: in all, and of the
        processor, which tells more where others use the machine.
    """

    functions: int
    html: str
    milliseconds: tuple[float, float]


def run(shell: InteractiveShell, cell: str) -> Shown:
    """Run a cell with the magic; the quickest of a few runs, each a new pass."""
    times = []
    for _ in range(RUNS):
        gc.collect()
        with capture_output() as captured:
            shell.run_cell(f"%%grad y -o bp\n{cell}end = perf_counter(), process_time()")
        wall, processor = shell.user_ns["end"]
        times.append((1000 * (perf_counter() - wall), 1000 * (process_time() - processor)))
    return Shown(len(shell.user_ns["bp"]), captured.outputs[0].data["text/html"], min(times))


def as_in_a_notebook(shell: InteractiveShell) -> InteractiveShell:
    """Have the magic show what it shows in a notebook's kernel rather than in a terminal."""
    shell.kernel = shell
    shell.get_parent = dict
    return shell


def measure(page: Page, shown: Shown, path: Path) -> str:
    """Return one row of the table."""
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{PAINT}{shown.html}", encoding="utf-8")
    paints = []
    for _ in range(RUNS):
        page.goto(path.as_uri())
        page.wait_for_function("window.painted")
        paints.append(page.evaluate("window.painted"))
    found = page.evaluate(MEASURE, {"keys": KEYS})
    script, screen = found["script"], found["screen"]
    wall, processor = shown.milliseconds
    return (
        f"{shown.functions:9,} {wall:8.0f} {processor:10.0f} {min(paints):12.0f}"
        f" {len(shown.html):11,} {median(script):8.2f} {max(script):8.2f} {median(screen):12.1f}"
        f" {max(screen):8.1f} {found['elements']:10}"
    )


def main() -> None:
    """Print a row for each size."""
    print("ms; to reach: kernel and first paint together 1,500, a step one frame (16.7 of script)")
    print(
        "           functions   kernel  processor  first paint       bytes   script      max"
        "   on screen      max   elements"
    )
    shell = as_in_a_notebook(InteractiveShell.instance())
    shell.run_cell(LOAD)
    run(shell, SEED)
    cells = [("chain", CHAIN.format(functions=functions)) for functions in SIZES]
    cells += [
        ("loop", LOOP.format(functions=10_000)),
        ("micrograd", MICROGRAD.format(functions=10_000)),
    ]
    executable = find_browser() or install_browser()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page()
        for name, cell in cells:
            row = measure(page, run(shell, cell), Path(folder) / "stepper.html")
            print(f"{name:10} {row}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
