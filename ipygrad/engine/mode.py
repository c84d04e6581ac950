"""What holds for all calls at the moment: recorded or not, watched or not, and since when."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipygrad.engine.core import Function
    from ipygrad.engine.variable import Variable


Cut = Literal["no_grad", "detach", "unchain"]
"""What makes a leaf of a variable that functions have computed."""


class Witness(Protocol):
    """Somebody who is told what a piece of code does with the engine; see `watching`."""

    def noted(self, outputs: tuple[Variable, ...]) -> None:
        """Hear that a function was called and recorded, and what it made."""

    def ran_backward(self, result: Variable) -> None:
        """Hear that ``result.backward()`` begins."""

    def assigned_grad(self, variable: Variable) -> None:
        """Hear that a gradient was assigned by hand."""


recording = True
witness: Witness | None = None
differentiating: Function | None = None
"""The function whose backward runs on Variables, so that it can be differentiated again."""
time = 0
"""How often data has been assigned to a Variable: orders these assignments and the calls."""


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: what is made inside has no creator. Also works as a decorator."""
    global recording
    before, recording = recording, False
    try:
        yield
    finally:
        recording = before


@contextmanager
def recorded() -> Iterator[None]:
    """Record what is computed inside, though it may stand in `no_grad`, and tell nobody of it."""
    global recording, witness
    before = recording, witness
    recording, witness = True, None
    try:
        yield
    finally:
        recording, witness = before


@contextmanager
def watching(somebody: Witness) -> Iterator[None]:
    """Tell `somebody` what the code inside the block does with the engine."""
    global witness
    before, witness = witness, somebody
    try:
        yield
    finally:
        witness = before
