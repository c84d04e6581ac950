"""Bytes of a pass in a saved notebook and as a page: ``python -m tests.benchmarks.sizes``.

The last row takes minutes, for the 2,000 plots of its page.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ipygrad import Variable, backward_pass, exp, functions, square
from ipygrad.record import MOST_ON_PAGE

if TYPE_CHECKING:
    from ipygrad import BackwardPass

MOST_IN_NOTEBOOK = {3: 150_000, 60: 500_000, 1_000: 1_500_000, 10_000: 5_000_000}
PAGE, PAGE_STEP = 110_000, 8_000


def seed() -> BackwardPass:
    """Record the pass of the seed cell."""
    x = Variable(np.array(0.5), name="x")
    return backward_pass(square(exp(square(x))))


def mixed(count: int) -> BackwardPass:
    """Record the pass of so many functions of several kinds."""
    x = y = Variable(0.5, name="x")
    kinds = (functions.sin, exp, functions.tanh, lambda v: v * x, square, lambda v: v + 0.1)
    for number in range(count):
        y = kinds[number % len(kinds)](y)
    return backward_pass(y)


def in_notebook(bp: BackwardPass) -> int:
    """Return the bytes of a cell's output as a notebook stores it."""
    bundle = bp.bundle()
    bundle["image/png"] = base64.b64encode(bundle["image/png"]).decode("ascii")
    output = {"data": bundle, "metadata": {}, "output_type": "display_data"}
    return len(json.dumps(output, indent=1, ensure_ascii=False).encode())


def main() -> None:
    """Print a row for each size."""
    print("functions   in the notebook    at most         page    at most")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        for functions_, most in MOST_IN_NOTEBOOK.items():
            bp = seed() if functions_ == 3 else mixed(functions_)
            stored = in_notebook(bp)
            bp.to_html(page)
            size, most_page = page.stat().st_size, PAGE + PAGE_STEP * min(functions_, MOST_ON_PAGE)
            print(f"{functions_:9,} {stored:17,} {most:10,} {size:12,} {most_page:10,}")


if __name__ == "__main__":
    main()
