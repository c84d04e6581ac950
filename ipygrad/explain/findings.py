"""What there is to find out about a pass: local derivatives, checks, notes and chains.

All of it costs time, so it is found when first asked for, and kept.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ipygrad.capture.backward import changed_in_place
from ipygrad.capture.changes import lines_that_change
from ipygrad.capture.own_runs import is_measured
from ipygrad.capture.waiting import WaitingList
from ipygrad.explain.chain import Chains
from ipygrad.explain.check import Check, check_step
from ipygrad.explain.lessons import describe_faults, describe_measured
from ipygrad.explain.local import local_derivative_of, local_slopes, slopes_of_numbers
from ipygrad.explain.notes import non_finite, notes_on
from ipygrad.explain.products import local_equation
from ipygrad.explain.verdicts import describe_check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.capture.waiting import Queue, Waiting
    from ipygrad.explain.chain import Chain
    from ipygrad.explain.local import LocalDerivative
    from ipygrad.explain.notes import NonFinite
    from ipygrad.explain.products import Slope
    from ipygrad.explain.words import Words

CHECK_SECONDS = 5.0
"""After so long no further check is begun. It is far more than checks take, since the same cell is
to give the same bytes on every machine."""

# Users may have numpy raise at overflow; that is not to stop what is found out.
_ignoring_overflow = np.errstate(all="ignore")


class Drawn(NamedTuple):
    """What the plot of one step shows, an entry for each input that is no constant.

    Attributes
    ----------
    locals_
        The local derivatives.
    numeric
        The slope that was measured, where backward is wrong; else None.
    formulas
        The local derivative in mathtext, None where it has no formula.
    """

    locals_: list[LocalDerivative]
    numeric: list[float | None]
    formulas: list[str | None]


class Findings:
    """What is known about a pass and its steps.

    Parameters
    ----------
    graph
        The graph.
    run
        The pass, None where the cell stopped before there was one.
    words
        The language of the notes.
    code
        Lines of the cell below the magic, None when it is not known.
    first_line
        Number of the first of them.
    checks
        Whether each backward is compared with differences of its forward.
    """

    has_chains = True
    can_replay = True

    def __init__(
        self,
        graph: Graph,
        run: BackwardRun | None,
        words: Words,
        *,
        code: tuple[str, ...] | None = None,
        first_line: int = 2,
        checks: bool = True,
    ) -> None:
        self._graph = graph
        self._run = run
        self._words = words
        self._source = None if code is None else "\n" * (first_line - 1) + "\n".join(code)
        self._waiting: WaitingList | None = None
        self._checks: dict[int, Check] = {}
        self._slopes: dict[int, tuple[Slope, ...]] = {}
        self._locals: dict[int, tuple[LocalDerivative | None, ...]] = {}
        self._seconds_left = CHECK_SECONDS if checks else 0.0
        self._reason_for_none: Literal["late", "off"] = "late" if checks else "off"

    def told_in(self, words: Words) -> Findings:
        """Return the same findings in other words; what a restored pass has stored stays."""
        told = copy(self)
        told._words = words
        told.__dict__.pop("_chains", None)
        return told

    def slopes(self, step: BareStep) -> tuple[Slope, ...]:
        """Return the local derivative for each input, as `ipygrad.explain.local.local_slopes`."""
        if step.index not in self._slopes:
            function = self._graph.functions[step.function].function
            with np.errstate(all="ignore"):
                self._slopes[step.index] = local_slopes(function)
        return self._slopes[step.index]

    def slopes_of_numbers(self, steps: Sequence[BareStep]) -> None:
        """Find the slopes of many functions of numbers at once, which is several times quicker."""
        functions = self._graph.functions
        found = slopes_of_numbers(functions[step.function].function for step in steps)
        for step, slopes in zip(steps, found, strict=True):
            if slopes is not None:
                self._slopes.setdefault(step.index, slopes)

    def known_slopes(self, step: BareStep) -> tuple[Slope, ...]:
        """Return the slopes that have been found by now; None for each input where none have."""
        return self._slopes.get(step.index) or (None,) * len(step.contributions)

    def queue(self, index: int, most: int | None = None) -> Queue | None:
        """Return who waits after the step of that number, 0 for the start: see `WaitingList`."""
        if self._run is None:
            return None
        # Steps are mostly asked for in order: then the list goes on from where it is.
        if self._waiting is None or self._waiting.step > index:
            self._waiting = WaitingList(self._graph, self._run)
        while self._waiting.step < index:
            self._waiting.advance()
        return self._waiting.queue(most)

    def waiting(self, step: BareStep) -> tuple[Waiting, ...]:
        """Return the functions whose turn is still to come after a step, the next one first."""
        queue = self.queue(step.index)
        return () if queue is None else queue.first

    @_ignoring_overflow
    def local_derivatives(self, step: BareStep) -> tuple[LocalDerivative | None, ...]:
        """Return the local derivative for each input; None for a constant."""
        if step.index not in self._locals:
            node, variables = self._graph.functions[step.function], self._graph.variables
            y_name = next((variables[y].name for y in node.outputs if y is not None), "")
            self._locals[step.index] = tuple(
                None
                if contribution is None
                else local_derivative_of(
                    node.function,
                    argnum,
                    x_name=variables[number].name,
                    y_name=y_name,
                    label=node.label,
                )
                for argnum, (number, contribution) in enumerate(
                    zip(node.inputs, step.contributions, strict=True)
                )
            )
        return self._locals[step.index]

    def drawn(self, step: BareStep) -> Drawn:
        """Return what the plot of a step shows; nothing where all inputs are constants."""
        check = self.check(step)
        is_wrong = check.status == "disagrees"
        drawn = Drawn([], [], [])
        for argnum, local in enumerate(self.local_derivatives(step)):
            if local is not None:
                formula = local_equation(self._graph, step, argnum)
                drawn.locals_.append(local)
                drawn.numeric.append(check.slopes[argnum] if is_wrong else None)
                drawn.formulas.append(None if formula is None else formula.mathtext)
        return drawn

    def why_no_plot(self, _step: BareStep) -> str:
        """Say why nothing can be drawn, as the rest of a sentence about the step."""
        return "has only constants as inputs, so there is no local derivative to draw"

    def has_plot(self, step: BareStep) -> bool:
        """Tell whether there is something to draw, without finding it."""
        return any(contribution is not None for contribution in step.contributions)

    @_ignoring_overflow
    def check(self, step: BareStep) -> Check:
        """Return whether the function's backward agrees with its forward."""
        if step.index not in self._checks:
            if self._seconds_left <= 0:
                return Check("not checked", self._reason_for_none)
            node = self._graph.functions[step.function]
            if is_measured(node):
                return Check("not checked", "measured")
            if step.function in self._changed:
                return Check("not checked", "changed")
            start = perf_counter()
            self._checks[step.index] = check_step(node.function, step)
            self._seconds_left -= perf_counter() - start
        return self._checks[step.index]

    def verdict(self, step: BareStep) -> str:
        """Say what the check has shown."""
        return describe_check(self._words, self._graph, step, self.check(step))

    @_ignoring_overflow
    def notes(self, step: BareStep) -> tuple[str, ...]:
        """Return what a teacher would point at: see `ipygrad.explain.notes.notes_on`."""
        # A backward that is wrong breaks products, too; its verdict says more about that.
        is_wrong = self.check(step).status == "disagrees"
        faults = describe_faults(self._words, self._graph, step)
        faults += describe_measured(self._words, self._graph.functions[step.function])
        return faults + notes_on(
            self._words,
            self._graph,
            step,
            (None,) * len(step.contributions) if is_wrong else self.slopes(step),
            [self._with_line(name) for name in self._changed.get(step.function, ())],
            lambda kind: self._first_steps[kind] == step.index,
        )

    @_ignoring_overflow
    def chain(self, variable: int) -> Chain | None:
        """Return the chain rule for a variable, None for what the pass does not reach."""
        return None if self._chains is None else self._chains.of(variable)

    @cached_property
    def _chains(self) -> Chains | None:
        if self._run is None:
            return None
        return Chains(self._words, self._graph, self._run, self.slopes)

    def _with_line(self, name: str) -> str:
        lines = () if self._source is None else lines_that_change(self._source, name)
        return self._words("changed_in_line", name=name, line=lines[-1]) if lines else name

    @cached_property
    def _changed(self) -> Mapping[int, tuple[str, ...]]:
        return changed_in_place(self._graph)

    @cached_property
    def _first_steps(self) -> dict[NonFinite | None, int]:
        """The steps in which nan, and an infinite value, appear for the first time."""
        first: dict[NonFinite | None, int] = {}
        for step in () if self._run is None else self._run.steps:
            for kind in non_finite(step):
                first.setdefault(kind, step.index)
        return first
