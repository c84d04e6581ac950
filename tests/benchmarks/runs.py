"""What a thousand runs of one cell leave in a kernel: ``python -m tests.benchmarks.runs``.

Beside it stand runs of the same cell without the magic, in a kernel of its own.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from tests.kernel import kernel
from tests.shell import SEED

CELL = f"%%grad -o bp\n{SEED}"
RUNS = (100, 500, 1_000)


def main() -> None:
    """Print a row for each number of runs."""
    print(" runs   models   passes   figures   memory, MB   ms a run   without %%grad, MB")
    with ExitStack() as stack:
        running, plain = (
            stack.enter_context(kernel(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
            for _ in range(2)
        )
        done = 0
        for goal in RUNS:
            start = perf_counter()
            for _ in range(goal - done):
                running.run(CELL, "a")
            milliseconds = 1000 * (perf_counter() - start) / (goal - done)
            for _ in range(goal - done):
                plain.run(SEED, "a")
            done = goal
            counts = running.counts()
            print(
                f"{done:5,} {counts['StepperLink']:8} {counts['BackwardPass']:8}"
                f" {counts['Figure']:9} {counts['bytes'] / 1e6:12.1f} {milliseconds:10.0f}"
                f" {plain.counts()['bytes'] / 1e6:20.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
