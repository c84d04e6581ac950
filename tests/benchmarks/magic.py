"""Time from a cell's start to its bundle, its size, and what importing costs.

Run it with ``python tests/benchmarks/magic.py``.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipygrad.record import BackwardPass

SEED = "x = Variable(np.array(0.5))\na = square(x)\nb = exp(a)\ny = square(b)\n"
IMPORTS = {
    "numpy": "import numpy",
    "numpy, IPython": "import numpy, IPython",
    "ipygrad": "import ipygrad",
    "ipygrad, recording": "import ipygrad; ipygrad.backward_pass",
}
RUNS = 11


def import_milliseconds() -> dict[str, float]:
    """Return the median time of each import, in turns, each in a new interpreter."""
    taken: dict[str, list[float]] = {name: [] for name in IMPORTS}
    timed = "import time; t = time.perf_counter(); {}; print((time.perf_counter() - t) * 1e3)"
    for _ in range(RUNS):
        for name, statement in IMPORTS.items():
            command = [sys.executable, "-c", timed.format(statement)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
            taken[name].append(float(done.stdout))
    return {name: median(times) for name, times in taken.items()}


def bundles() -> tuple[float, float, float, dict[str, int]]:
    """Return first, second and later (median) milliseconds from cell to bundle, and its bytes."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell(
        "%load_ext ipygrad\nimport numpy as np\nfrom ipygrad import Variable, square, exp"
    )
    times = []
    for _ in range(RUNS + 1):
        gc.collect()
        start = perf_counter()
        # Quiet, because what a terminal shows instead of the bundle is not what is measured.
        shell.run_cell("%%grad -q -o bp\n" + SEED)
        bp: BackwardPass = shell.user_ns["bp"]
        bundle = bp.bundle(link=True)
        times.append((perf_counter() - start) * 1e3)
    sizes = {
        "text/html": len(bundle["text/html"]),
        "image/png, in base64": len(bundle["image/png"]) * 4 // 3,
        "text/plain": len(bundle["text/plain"]),
    }
    return times[0], times[1], median(times[1:]), sizes


def main() -> None:
    """Print everything."""
    imports = import_milliseconds()
    print("import, ms (median of new interpreters, in turns)")
    for name, milliseconds in imports.items():
        print(f"  {name:22} {milliseconds:7.1f}")
    more = imports["ipygrad"] - imports["numpy"]
    print(f"  ipygrad more than numpy {more:6.1f}   to reach: at most 60")
    first, second, later, sizes = bundles()
    print("\nthe seed cell, from its start to its bundle, ms")
    print(f"  first (imports matplotlib and anywidget) {first:7.0f}   to reach: at most 1,200")
    print(f"  second                                   {second:7.0f}")
    print(f"  later (median of {RUNS})                     {later:7.0f}   to reach: at most 350")
    print("\nbytes in the saved notebook")
    for name, size in sizes.items():
        print(f"  {name:22} {size:8,}")
    print(f"  {'together':22} {sum(sizes.values()):8,}   to reach: at most 150,000")


if __name__ == "__main__":
    main()
