"""What pictures cost: time to draw them, new or on a reused figure, and bytes to keep them.

Run ``python tests/benchmarks/pictures.py``. Times are the median of several runs in milliseconds.
"""

from __future__ import annotations

import gzip
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

start = perf_counter()
import_module("matplotlib.figure")
IMPORT_SECONDS = perf_counter() - start

import numpy as np  # noqa: E402

from ipygrad import Variable, backward_pass  # noqa: E402
from ipygrad import functions as F  # noqa: E402, N812
from ipygrad.explain.local import local_derivative_of  # noqa: E402
from ipygrad.show.figures import svg_of  # noqa: E402
from ipygrad.show.layout import lay_out  # noqa: E402
from ipygrad.show.plot import StepPainter, draw_step  # noqa: E402
from ipygrad.show.still import StillStep, png_of, still_picture  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipygrad.explain.local import LocalDerivative


def milliseconds(run: Callable[[], object], times: int = 15) -> float:
    """Return the median time of a run, after one that is not counted."""
    run()
    taken = []
    for _ in range(times):
        begin = perf_counter()
        run()
        taken.append(perf_counter() - begin)
    return 1000 * median(taken)


def report(what: str, figure: float, unit: str) -> None:
    """Print a line of the table."""
    print(f"{what:52}{figure:10,.1f} {unit}")


def locals_of(made: Variable) -> list[LocalDerivative]:
    """Find the local derivatives of what made a variable, one for each input."""
    function = made.creator
    assert function is not None
    return [
        local_derivative_of(function, argnum, x_name="x", y_name="y", label=function.label)
        for argnum in range(len(function.inputs))
    ]


def larger() -> dict[str, Variable]:
    """Call functions of arrays, of each kind of picture."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Variable:
        return Variable(rng.normal(size=shape))

    return {
        "exp of 100 elements": F.exp(normal(100)),
        "exp of 5,000 elements": F.exp(normal(5000)),
        "(40, 20) times (20,)": normal(40, 20) * normal(20),
        "softmax of 8, numbers in the cells": F.softmax(normal(8)),
        "softmax of 64": F.softmax(normal(64)),
        "(4, 3) @ (3, 2)": normal(4, 3) @ normal(3, 2),
        "sum of a million": F.sum(normal(1_000_000)),
        "(512, 512) @ (512, 512)": normal(512, 512) @ normal(512, 512),
    }


def main() -> None:
    """Print the figures for the seed cell."""
    report("import of matplotlib.figure", 1000 * IMPORT_SECONDS, "ms")
    x = Variable(np.array(0.5), name="x")
    y = F.square(F.exp(F.square(x)))
    assert y.creator is not None
    function = y.creator
    record = backward_pass(y)

    sample = lambda: local_derivative_of(function, 0, x_name="b", y_name="y", label="square")  # noqa: E731
    report("local derivative, 121 samples", milliseconds(sample), "ms")

    steps = [step.local_derivatives for step in record]
    painter = StepPainter()
    new = milliseconds(lambda: [svg_of(draw_step(step)) for step in steps]) / len(steps)
    reused = milliseconds(lambda: [painter.svg(step) for step in steps]) / len(steps)
    report("plot of a step as SVG, figure made anew", new, "ms")
    report("plot of a step as SVG, figure reused", reused, "ms")
    report("  times faster", new / reused, "")
    svg = painter.svg(steps[0]).encode()
    report("  size", len(svg) / 1000, "kB")
    report("  compressed", len(gzip.compress(svg)) / 1000, "kB")

    for what, made in larger().items():
        sample_it = lambda made=made: locals_of(made)  # noqa: E731
        report(f"{what}: local derivatives", milliseconds(sample_it, 5), "ms")
        locals_ = locals_of(made)
        report("  plot, figure reused", milliseconds(lambda: painter.svg(locals_)), "ms")  # noqa: B023
        compressed = gzip.compress(painter.svg(locals_).encode())
        report("  compressed", len(compressed) / 1000, "kB")

    graph = record.graph
    values = [f"{node.value:.4g}" for node in graph.variables]
    still_steps = [
        StillStep(f"{step.index}  {step.label}", "1 × 2.568 = 2.568", step.local_derivatives)
        for step in record
    ]

    def still() -> bytes:
        return png_of(still_picture(graph, lay_out(graph, values), values, values, still_steps))

    report("still picture of the seed cell as PNG", milliseconds(still), "ms")
    report("  size", len(still()) / 1000, "kB")


if __name__ == "__main__":
    main()
