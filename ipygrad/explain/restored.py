"""What is known about a pass whose functions are gone: what was found out while they were there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ipygrad.engine.core import Function
from ipygrad.explain.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.explain.check import Check
    from ipygrad.explain.local import LocalDerivative
    from ipygrad.explain.words import Words


class RestoredFunction(Function):
    """A function of which only its name and its inputs are known."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_inputs: Any, **_options: Any) -> NoReturn:
        """Say that it cannot be called."""
        raise RuntimeError(f"{self._name} was restored from data, so it cannot be called")

    forward = backward = __call__


class Stored(NamedTuple):
    """What a document tells about one step beside its numbers."""

    slopes: tuple[float | None, ...]
    notes: tuple[str, ...]
    check: Check
    verdict: str
    locals_: tuple[LocalDerivative | None, ...]


class RestoredFindings(Findings):
    """What was found out when the functions could still be called.

    Parameters
    ----------
    stored
        By number of the step.
    """

    why_no_plot = "was restored from data without its plot: write it with to_dict(plots=True)"

    def __init__(
        self, graph: Graph, run: BackwardRun | None, words: Words, stored: Mapping[int, Stored]
    ) -> None:
        super().__init__(graph, run, words)
        self._stored = stored

    def slopes(self, step: BareStep) -> tuple[float | None, ...]:
        """Return the local derivative for each input, None where it is not known."""
        return self._stored[step.index].slopes

    def local_derivatives(self, step: BareStep) -> tuple[LocalDerivative | None, ...]:
        """Return what the plot is drawn from; None for each input where it was not stored."""
        return self._stored[step.index].locals_

    def check(self, step: BareStep) -> Check:
        """Return whether the function's backward agreed with its forward."""
        return self._stored[step.index].check

    def verdict(self, step: BareStep) -> str:
        """Say what the check has shown."""
        return self._stored[step.index].verdict

    def notes(self, step: BareStep) -> tuple[str, ...]:
        """Return what a teacher would point at."""
        return self._stored[step.index].notes
