"""What is known about a pass whose functions are gone: what was found out while they were there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ipygrad.explain.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.explain.chain import Chain
    from ipygrad.explain.check import Check
    from ipygrad.explain.local import LocalDerivative
    from ipygrad.explain.products import Slope
    from ipygrad.explain.words import Words


class Stored(NamedTuple):
    """What a document tells about one step beside its numbers.

    Attributes
    ----------
    locals_
        None where plots were not asked for.
    """

    slopes: tuple[Slope, ...]
    notes: tuple[str, ...]
    check: Check
    verdict: str
    locals_: tuple[LocalDerivative | None, ...] | None


class RestoredFindings(Findings):
    """What was found out when the functions could still be called.

    Parameters
    ----------
    stored
        By number of the step.
    chains
        One for each variable; None where they were not stored.
    """

    can_replay = False

    def __init__(
        self,
        graph: Graph,
        run: BackwardRun | None,
        words: Words,
        stored: Mapping[int, Stored],
        chains: Sequence[Chain | None] | None,
    ) -> None:
        super().__init__(graph, run, words)
        self._stored = stored
        self._stored_chains = chains
        self.has_chains = chains is not None

    def slopes(self, step: BareStep) -> tuple[Slope, ...]:
        """Return the local derivative for each input, None where it is not known."""
        return self._stored[step.index].slopes

    def slopes_of_numbers(self, steps: Sequence[BareStep]) -> None:
        """Find nothing: all that is known was stored."""

    def known_slopes(self, step: BareStep) -> tuple[Slope, ...]:
        """Return the same as `slopes`."""
        return self.slopes(step)

    def local_derivatives(self, step: BareStep) -> tuple[LocalDerivative | None, ...]:
        """Return what the plot is drawn from; None for each input where it was not stored."""
        return self._stored[step.index].locals_ or (None,) * len(step.contributions)

    def why_no_plot(self, step: BareStep) -> str:
        """Say why nothing can be drawn, as the rest of a sentence about the step."""
        if super().has_plot(step):
            return "was restored from data without its plot: write it with to_dict(plots=True)"
        return super().why_no_plot(step)

    def has_plot(self, step: BareStep) -> bool:
        """Tell whether something to draw was stored."""
        return any(local is not None for local in self.local_derivatives(step))

    def check(self, step: BareStep) -> Check:
        """Return whether the function's backward agreed with its forward."""
        return self._stored[step.index].check

    def verdict(self, step: BareStep) -> str:
        """Say what the check has shown."""
        return self._stored[step.index].verdict

    def notes(self, step: BareStep) -> tuple[str, ...]:
        """Return what a teacher would point at."""
        return self._stored[step.index].notes

    def chain(self, variable: int) -> Chain | None:
        """Return the chain rule for a variable, None where it was not stored."""
        return None if self._stored_chains is None else self._stored_chains[variable]
