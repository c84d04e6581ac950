"""What a cell's own code costs more because ``%%grad`` listens while it runs.

Run it with ``python -m tests.benchmarks.observation``. Each loop makes 10,000 calls and lets go of
what it made; display, graph and pass are not in these times. Each is the best of several runs, the
plain and the observed ones in turns.
"""

from __future__ import annotations

import linecache
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.capture.adapters import Engines
from ipygrad.capture.calls import Calls
from ipygrad.capture.observe import Observer
from ipygrad.capture.recording import CallRecorder
from ipygrad.capture.watching import watched

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 10_000
RUNS = 7
LOOP = "for _ in range(10_000):\n    y = {}\n"
TYPED = """
class Variable:
    def __init__(self, data):
        self.data = data
        self.grad = None
        self.creator = None
    def set_creator(self, function):
        self.creator = function
class Function:
    def __call__(self, input):
        output = Variable(np.asarray(self.forward(input.data)))
        output.set_creator(self)
        self.input = input
        self.output = output
        return output
class Square(Function):
    def forward(self, x):
        return x ** 2
    def backward(self, gy):
        return 2 * self.input.data * gy
x = Variable(np.array(0.5))
"""
WITHOUT_LINKS = """
class Variable:
    def __init__(self, data):
        self.data = data
class Function:
    def __call__(self, input):
        return Variable(self.forward(input.data))
class Square(Function):
    def forward(self, x):
        self.x = x
        return x ** 2
    def backward(self, gy):
        return 2 * self.x * gy
x = Variable(np.array(0.5))
square = Square()
"""
# Name, what a cell before has run, what the loop calls, and how many times its plain time it may
# take.
CELLS = (
    ("no engine", "def double(v):\n    return v + v\nx = 0.5", "double(x)", 2),
    ("ours", "from ipygrad import Variable, square\nx = Variable(0.5)", "square(x)", 2),
    ("classes of one's own", TYPED, "Square()(x)", 3),
    ("the same without links", WITHOUT_LINKS, "Square()(x)", 3),
    ("backward by hand", WITHOUT_LINKS, "square(x), square.backward(1.0)", 3),
    ("micrograd", "from micrograd.engine import Value\nx = Value(0.5)", "x * x", 3),
    ("DeZero", "import dezero\nx = dezero.Variable(np.array(0.5))", "x * x", 3),
    ("PyTorch", "import torch\nx = torch.tensor(0.5, requires_grad=True)", "x * x", 3),
)


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes; what it returns is let go of afterwards."""
    start = perf_counter()
    kept = run()
    end = perf_counter()
    del kept
    return end - start


def measure(setup: str, expression: str) -> tuple[float, float]:
    """Return the plain and the observed time of a loop, in seconds."""
    namespace: dict[str, Any] = {"np": np, "__name__": "__main__"}
    # As the shell does: the text of methods is read again.
    linecache.cache["<setup>"] = (len(setup), None, setup.splitlines(keepends=True), "<setup>")
    exec(compile(setup, "<setup>", "exec"), namespace)  # noqa: S102 - the cells of this file
    source = LOOP.format(expression)
    code = compile(source, "<cell>", "exec")

    def plain() -> None:
        exec(code, namespace)  # noqa: S102

    def observed() -> CallRecorder:
        observer = Observer("<cell>")
        recorder = CallRecorder(observer, Calls())
        with watched(source, namespace, observer, recorder, Engines(recorder.calls)):
            observer.follow(code)
            exec(code, namespace)  # noqa: S102
        return recorder

    times = [(seconds(plain), seconds(observed)) for _ in range(RUNS)]
    return min(t for t, _ in times), min(t for _, t in times)


def main() -> int:
    """Print everything; return how many limits are missed."""
    np.int = int  # type: ignore[attr-defined]  # noqa: NPY001 - DeZero 0.0.13 still reads it
    missed = 0
    print(f"a loop of {CALLS:,} calls, ms (best of {RUNS})")
    print(f"{'':22} {'plain':>8} {'observed':>8} {'times':>6}   at most")
    for name, setup, expression, limit in CELLS:
        try:
            plain, observed = measure(setup, expression)
        except ImportError as error:
            print(f"{name:22} not measured: {error}")
            continue
        ratio = observed / plain
        missed += ratio > limit
        verdict = "" if ratio <= limit else "   MISSED"
        times = f"{plain * 1e3:8.1f} {observed * 1e3:8.1f} {ratio:6.2f}"
        print(f"{name:22} {times}   {limit}{verdict}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
