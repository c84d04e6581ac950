"""What users hold: a recorded backward pass and its steps, and every way of showing them."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from ipygrad.capture.adapters import Engines
from ipygrad.capture.adapters.captured import capture
from ipygrad.capture.backward import added_to, final_gradients, left_over, run_backward
from ipygrad.capture.quiet import uncollected
from ipygrad.capture.replay import replay
from ipygrad.engine.core import Variable, as_array
from ipygrad.explain.findings import Findings
from ipygrad.explain.lessons import describe_captured
from ipygrad.explain.numbers import DIGITS, described, shape_text, short
from ipygrad.explain.products import product_holds
from ipygrad.explain.words import Words
from ipygrad.live import Live
from ipygrad.pages import write_page
from ipygrad.show.chains import chain_of
from ipygrad.show.document import document
from ipygrad.show.dot import dot_of
from ipygrad.show.files import checked_path, written_whole
from ipygrad.show.forward import tell_call
from ipygrad.show.host import has_kernel
from ipygrad.show.html import Tab, fragment
from ipygrad.show.layout import lay_out
from ipygrad.show.payload import Pass, kept_parts, make_payload
from ipygrad.show.progress import progress
from ipygrad.show.restore import restore
from ipygrad.show.sizes import shorten, text_columns
from ipygrad.show.states import box_text
from ipygrad.show.steps import told_step
from ipygrad.show.tables import (
    WIDTH,
    frame,
    markdown_sentence,
    markdown_table,
    text_table,
    visible,
)
from ipygrad.show.terminal import renderables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.console import Console, ConsoleOptions, RenderableType

    from ipygrad.capture.adapters.mirror import Translation
    from ipygrad.capture.backward import BackwardRun, BareStep
    from ipygrad.capture.graph import Graph, VariableNode
    from ipygrad.capture.lines import LoopTurn
    from ipygrad.capture.sources import RunningSource
    from ipygrad.capture.then import StandIns
    from ipygrad.capture.waiting import Waiting
    from ipygrad.engine.core import Array, Function
    from ipygrad.explain.check import Check
    from ipygrad.explain.local import LocalDerivative
    from ipygrad.show.animation import Frame
    from ipygrad.show.layout import GraphLayout
    from ipygrad.show.payload import Json, Kept
    from ipygrad.show.plot import StepPainter, StepPicture
    from ipygrad.show.widget import BackwardWidget

DisplayAs = Literal["html", "widget", "picture", "table"]

MOST_BOXES = 300
"""Boxes of the largest graph that is drawn whole."""
MOST_STEPS, MOST_ON_PAGE = 10_000, 2_000
"""Steps that are kept in a notebook, and in a page, which has the plots of all."""
MOST_TOLD, FIRST_TOLD = 1_000, 100
"""Up to so many steps a notebook keeps in words; of a longer pass only the first ones, and the
numbers of the others, because words take half a millisecond each."""
MOST_PLOTS = 40
PLOT_CHARACTERS = 400_000
"""How many plots a notebook keeps, of a longer pass fewer; later steps' plots are drawn when they
are looked at."""
PLOT_SECONDS = 5.0
"""After so long no further plot is begun. It is far more than plots take, since the same cell is to
give the same bytes on every machine."""
MOST_PRINTED_ROWS = 60
MOST_PRINTED_NOTES = 20
LEAST_WIDTH = 60
"""Columns below which no table is readable."""
MOST_NAMES = 20

# Users may have numpy raise at overflow; that is not to stop what is drawn and said about it.
_ignoring_overflow = np.errstate(all="ignore")


class Text(str):
    """Text that a notebook shows as it is, not quoted."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, eq=False)
class BackwardStep:
    """One function's turn in a backward pass.

    Attributes
    ----------
    index
        Number of the step: 1 for the function that made the result.
    function
        The function, as the cell made it.
    label
        Its name for people: ``square``, or the class name of a user's function.
    line
        Line of the cell where it was called, the magic's line being 1; None where unknown.
    turns : tuple of LoopTurn
        In which turns of loops it was called, the outermost first, each with the `line` of the
        loop, its `turn` and the number `of` turns (None where that is not known); () outside of
        loops, and where nobody watched.
    cotangents : tuple of ndarray
        The gradient arriving, one for each output, of the output's shape.
    contributions : tuple of ndarray or None
        For each input what this step adds to its gradient: cotangent times local derivative, of the
        input's shape; None for a constant.
    before, after : tuple of ndarray or None
        For each input its gradient before and after the addition; ``before`` is None for "not yet".
    check : Check
        Whether ``backward`` agrees with differences of ``forward``.
    waiting : tuple of Waiting
        The functions whose turn is still to come after this step, the next one first, each with its
        label, its generation, and how many gradients have arrived at what it made, of how many.
    notes : tuple of str
        What to look at: a value that changed in place, nan, a backward that is wrong.
    """

    index: int
    function: Function
    label: str
    line: int | None
    turns: tuple[LoopTurn, ...]
    cotangents: tuple[Array, ...]
    contributions: tuple[Array | None, ...]
    before: tuple[Array | None, ...]
    after: tuple[Array | None, ...]
    notes: tuple[str, ...]
    _bare: BareStep
    _findings: Findings

    @property
    def local_derivatives(self) -> tuple[LocalDerivative | None, ...]:
        """For each input what the function does to a small change of it, the others held.

        None for a constant.
        """
        return self._findings.local_derivatives(self._bare)

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """The functions whose turn is still to come after this step, the next one first."""
        return self._findings.waiting(self._bare)

    @property
    def check(self) -> Check:
        """Whether ``backward`` agrees with differences of ``forward``: see `Check`."""
        return self._findings.check(self._bare)

    @property
    def source(self) -> RunningSource | None:
        """The text of the ``backward`` that ran, and the values of its names when it returned.

        It has `lines` and `values`, pairs of a name and an array. None where no user wrote it, or
        its text is not to be had.
        """
        return self._bare.source

    @_ignoring_overflow
    def __repr__(self) -> str:
        where = "" if self.line is None else f", line {self.line}"
        contributions = ", ".join(short(c) for c in self.contributions if c is not None)
        return f"BackwardStep({self.index}: {self.label}{where}, contributions {contributions})"


class BackwardPass(Sequence[BackwardStep]):
    """A backward pass, from the result to the leaves: a sequence of steps that shows itself.

    Made by `backward_pass` and by ``%%grad -o NAME``. ``bp[0]`` is step 1; shown numbers count from
    1, because step 0 is the start, where the result has gradient 1.

    Attributes
    ----------
    graph : Graph
        Which function made which variable.
    error : str or None
        Why the pass ended before the leaves, None if it did not.
    """

    def __init__(
        self,
        graph: Graph,
        run: BackwardRun | None,
        *,
        code: tuple[str, ...] | None = None,
        first_line: int = 2,
        notices: tuple[str, ...] = (),
        digits: int = DIGITS,
        language: str = "",
        checks: bool = True,
        start: int = 0,
        predict: bool = False,
        dropped: frozenset[int] = frozenset(),
        untaken: tuple[int, ...] = (),
        findings: Findings | None = None,
        translation: Translation | StandIns | None = None,
        number: int | None = None,
        share: int = 1,
        drawn_like: BackwardPass | None = None,
    ) -> None:
        self.graph = graph
        self._drawn_like = drawn_like
        self._checks = checks
        self._translation = translation
        self._number = number
        # Among so many passes of one cell a notebook's room for plots is shared.
        self._share = share
        self.error = None if run is None or run.error is None else str(run.error)
        self._run = run
        self._code = code
        self._first_line = first_line
        self._words = Words(language, digits)
        self._findings = findings or Findings(
            graph, run, self._words, code=code, first_line=first_line, checks=checks
        )
        self._start = start
        self._predict = predict
        self._dropped = dropped
        self._untaken = untaken
        self._told = notices
        self._notices = (*self._failure(), *notices)
        self._id = secrets.token_hex(8)
        self._live = Live(self, self._id)
        self._steps: dict[int, BackwardStep] = {}
        self._pictures: dict[int, str | None] = {}

    # --- a sequence of steps ---

    @property
    def _bare(self) -> tuple[BareStep, ...]:
        return () if self._run is None else self._run.steps

    def __len__(self) -> int:
        return len(self._bare)

    @overload
    def __getitem__(self, position: int) -> BackwardStep: ...

    @overload
    def __getitem__(self, position: slice) -> tuple[BackwardStep, ...]: ...

    def __getitem__(self, position: int | slice) -> BackwardStep | tuple[BackwardStep, ...]:
        if isinstance(position, slice):
            return tuple(self[i] for i in range(*position.indices(len(self))))
        bare = self._bare[position]
        if bare.index not in self._steps:
            self._steps[bare.index] = self._step(bare)
        return self._steps[bare.index]

    def _step(self, bare: BareStep) -> BackwardStep:
        node = self.graph.functions[bare.function]
        return BackwardStep(
            index=bare.index,
            function=node.function,
            label=node.label,
            line=node.line,
            turns=node.turns,
            cotangents=bare.cotangents,
            contributions=bare.contributions,
            before=bare.before,
            after=bare.after,
            notes=self._findings.notes(bare),
            _bare=bare,
            _findings=self._findings,
        )

    def _numbered(self, number: int) -> BackwardStep:
        if not 1 <= number <= len(self):
            count = "no steps" if len(self) == 0 else f"steps 1 to {len(self)}"
            raise IndexError(f"this pass has {count}, so there is no step {number}")
        return self[number - 1]

    # --- what is known about it ---

    def _failure(self) -> tuple[str, ...]:
        if self._run is None or self._run.error is None:
            return ()
        message, words = str(self._run.error), self._words
        if self._run.failed is None:
            return (words("notice_error", message=message),)
        node = self.graph.functions[self._run.failed]
        if node.line is None:
            return (words("notice_error", message=message),)
        values = {"message": message, "function": node.label, "line": node.line}
        return (words("notice_error_line", **values),)

    @cached_property
    def _layout(self) -> GraphLayout | None:
        # While a knob is turned, no box may move.
        if self._drawn_like is not None:
            return self._drawn_like._layout
        if len(self.graph.variables) + len(self.graph.functions) > MOST_BOXES:
            return None
        shapes = [shape_text(node.value.shape) for node in self.graph.variables]
        return lay_out(self.graph, self._widest_texts, shapes)

    @cached_property
    def _widest_texts(self) -> list[str]:
        """What each variable's box needs room for."""
        return [
            shorten(max(value, gradient, key=text_columns))
            for value, gradient in zip(self._values, self._gradient_texts(), strict=True)
        ]

    @cached_property
    def _values(self) -> list[str]:
        return [self._words.number(node.value) for node in self.graph.variables]

    @cached_property
    def _gradients(self) -> list[str | None]:
        """Return each variable's gradient at the end; None where the pass does not reach."""
        finals = {} if self._run is None else final_gradients(self.graph, self._run)
        texts = {variable: self._words.number(gradient) for variable, gradient in finals.items()}
        return [texts.get(node.index) for node in self.graph.variables]

    def _gradient_texts(self) -> list[str]:
        """Return what stands in each variable's box at the end."""
        return [
            box_text(self._words, "constant" if node.kind == "constant" else "unreached", node.cut)
            if gradient is None
            else box_text(self._words, "arrived", node.cut, value=gradient)
            for node, gradient in zip(self.graph.variables, self._gradients, strict=True)
        ]

    @property
    def _shown(self) -> Pass:
        return Pass(
            graph=self.graph,
            run=self._run,
            words=self._words,
            code=self._code,
            findings=self._findings,
            notices=self._notices,
            first_line=self._first_line,
            dropped=self._dropped,
            untaken=self._untaken,
            number=self._number,
        )

    def chain(self, variable: object) -> Text:
        """Return the chain rule from the result to a variable: every path, in numbers, and the sum.

        Of more than eight paths those that contribute most are written out.

        Parameters
        ----------
        variable
            The variable itself, also one of another engine, or its name on the graph.

        Raises
        ------
        ValueError
            When it is not in the graph, when the pass does not reach it, and when the pass was
            restored from data in which chains are not.
        """
        if not self._findings.has_chains:
            raise ValueError(
                "this pass was restored from data without chains: only a graph that is small "
                "enough to be drawn is written with them"
            )
        node = self._node_of(variable, self.graph.variables)
        if node is None:
            shown = _listed([node for node in self.graph.variables if node.kind != "constant"])
            raise ValueError(
                f"{variable!r} is not in this graph. Its variables are {shown}"
                if isinstance(variable, str)
                else f"chain needs a variable of this graph or its name: {shown}"
            )
        chain = self._findings.chain(node.index)
        if chain is None:
            raise ValueError(f"the pass does not reach {node.name}: it has no gradient here")
        return Text(chain.text)

    def _node_of(self, wanted: Any, among: Sequence[VariableNode]) -> VariableNode | None:
        """Find a variable by itself, also one of another engine, or by its name."""
        is_name = isinstance(wanted, str)
        if self._translation is not None:
            wanted = self._translation.mirror_or_itself(wanted)
        found = (n for n in among if (n.name == wanted if is_name else n.variable is wanted))
        return next(found, None)

    # --- what if ---

    def what_if(
        self, changes: Mapping[Any, object] | None = None, /, **named: object
    ) -> BackwardPass:
        """Return the pass as it would be if leaves had other values; nothing else changes.

        The same functions are called again, on copies: a branch that the cell did not take is not
        taken here, and what was drawn at random stays as it was. ``bp.what_if(x=0.7)`` is short for
        ``bp.what_if({"x": 0.7})``.

        Parameters
        ----------
        changes, named
            Other values, each of the shape of its leaf, by the leaf itself or by its name.

        Raises
        ------
        ValueError
            When there is no such leaf, a value has another shape, or a function cannot be called on
            the values, as in a pass that was restored from data.
        TypeError
            When a value does not hold real numbers.
        """
        values: dict[int, Array] = {}
        for leaf, value in {**(changes or {}), **named}.items():
            node = self._leaf(leaf)
            array = as_array(value, f"A value of {node.name}")
            if array.shape != node.value.shape:
                raise ValueError(
                    f"{node.name} has shape {node.value.shape}, so it cannot have a value of shape "
                    f"{array.shape}"
                )
            values[node.index] = array
        return self._with(values)

    def _leaf(self, wanted: Any) -> VariableNode:
        leaves = [node for node in self.graph.variables if node.kind == "leaf"]
        node = self._node_of(wanted, leaves)
        if node is None:
            what = repr(wanted) if isinstance(wanted, str) else "that"
            raise ValueError(f"{what} is no leaf of this graph. Its leaves are {_listed(leaves)}")
        return node

    @_ignoring_overflow
    def _with(
        self, values: Mapping[int, Array], *, drawn_like: BackwardPass | None = None
    ) -> BackwardPass:
        """Return the pass with other values of leaves, by number."""
        if not self._findings.can_replay:
            raise ValueError(
                "this pass was restored from data, so its functions cannot be called again"
            )
        graph, run = replay(self.graph, values), None
        right: tuple[str, ...] = ()
        if self._run is not None:
            run = run_backward(graph, None if self._run.origin == "ones" else self._run.cotangent)
            if any(step.faults for step in self._run.steps):
                right = (self._words("notice_what_if_right"),)
            else:
                run = added_to(graph, run, left_over(self.graph, self._run))
        return BackwardPass(
            graph,
            run,
            code=self._code,
            first_line=self._first_line,
            # A stepper says beside its knobs how they stand.
            notices=(self._what_if(values), *right) if drawn_like is None else self._told,
            digits=self._words.digits,
            language=self._words.chosen,
            checks=self._checks,
            untaken=self._untaken,
            number=self._number,
            drawn_like=drawn_like,
        )

    def _what_if(self, values: Mapping[int, Array]) -> str:
        words = self._words
        changes = [
            words(
                "what_if_change",
                name=self.graph.variables[number].name,
                now=words.number(value),
                before=words.number(self.graph.variables[number].value),
            )
            for number, value in values.items()
        ]
        return words("notice_what_if", changes=words("list").join(changes))

    def _keep(self, values: Mapping[int, Array]) -> str:
        """Give the user's own leaves other values, and say so."""
        for number, value in values.items():
            leaf = self.graph.variables[number].variable
            if self._translation is None:
                leaf.data = value
            else:
                self._translation.assign(leaf, value)
        names = [self.graph.variables[number].name for number in values]
        return self._words("kept", names=self._words("list").join(names))

    # --- text and data ---

    @_ignoring_overflow
    def table(self, style: Literal["text", "markdown"] = "text", *, width: int = WIDTH) -> Text:
        """Return the table of the whole pass: a row for each contribution.

        Below it stand the notes, at most 20. Where there was no pass, because the cell raised, it
        is the table of the variables that there are.

        Parameters
        ----------
        style
            ``"text"``, aligned for a terminal, or ``"markdown"``, for a document.
        width
            Columns that aligned text may take, at least 60.

        Raises
        ------
        ValueError
            For another style or a smaller width.
        """
        if style == "markdown":
            notes = [*self._notices, *self._printed_notes(None)]
            bullets = "\n".join(f"- {markdown_sentence(note)}" for note in notes)
            return Text("\n\n".join(filter(None, [markdown_table(self._shown), bullets])))
        if style != "text":
            raise ValueError(f'a table is "text" or "markdown", not {style!r}')
        if width < LEAST_WIDTH:
            raise ValueError(f"the table needs a width of at least {LEAST_WIDTH}, not {width}")
        return self._table(None, width)

    @_ignoring_overflow
    def _table(self, most: int | None, width: int = WIDTH) -> Text:
        shown = self._shown
        sentences = [*self._left_out(most), *self._printed_notes(most)]
        # A sentence stays in one line: the terminal breaks it, and it can be searched for.
        above, below = (map(visible, part) for part in ((shown.title, *self._notices), sentences))
        return Text("\n".join([*above, "", text_table(shown, most, width), *below]))

    def _left_out(self, most: int | None) -> tuple[str, ...]:
        """Say what a table of so many steps, or variables, leaves out."""
        count, key = len(self), "steps_cut"
        if self._run is None:
            count = sum(node.kind != "constant" for node in self.graph.variables)
            key = "variables_cut"
        left_out = count - len(range(count)[:most])
        return (self._words(key, count=f"{left_out:,}"),) if left_out else ()

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a pandas frame with exact values, a row for each contribution.

        Columns are ``step``, ``function``, ``line``, ``arriving``, ``formula`` (of the local
        derivative, as text), ``local``, ``contribution``, ``variable``, ``before`` and ``after``;
        of a partial graph ``name``, ``value``, ``made_by`` and ``line``. Numbers are floats,
        arrays ndarrays, and what is not there is missing.

        Raises
        ------
        ImportError
            When pandas is not installed.
        """
        return frame(self._shown)

    def _printed_notes(self, most: int | None) -> list[str]:
        words = self._words
        lines = [
            words("note_printed", index=bare.index, note=note)
            for bare in self._bare[:most]
            for note in (*self._findings.notes(bare), *self._verdict(bare))
        ]
        left_out = len(lines) - MOST_PRINTED_NOTES
        if left_out > 0:
            lines[MOST_PRINTED_NOTES:] = [words("notes_cut", count=f"{left_out:,}")]
        return lines

    def _verdict(self, bare: BareStep) -> tuple[str, ...]:
        """Return what is wrong with a step's backward; nothing where nothing is known to be."""
        is_wrong = self._findings.check(bare).status == "disagrees"
        return (self._findings.verdict(bare),) if is_wrong else ()

    @_ignoring_overflow
    def to_dict(self, *, plots: bool = False) -> dict[str, Any]:
        """Return the pass as data that ``json.dumps`` takes; numbers exact, arrays nested lists.

        `ipygrad.show.document` describes every field. `from_dict` makes a pass of it again.

        Parameters
        ----------
        plots
            Whether to add what the plots are drawn from: about 8 kB for each input of each step,
            for a Jacobian up to 80 kB.
        """
        own_notices = self._notices[len(self._failure()) :]
        has_chains = self._layout is not None
        return document(self._shown, own_notices, plots=plots, chains=has_chains)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BackwardPass:
        """Make a pass again from what `to_dict` returned, in another process or years later.

        It shows what the first one showed, but its functions cannot be called. Plots are there if
        they were asked for when it was written. Nothing in the data is executed, and all of it is
        checked, so it may come from anybody.

        Raises
        ------
        ValueError
            When the data are of another version, or broken; the sentence names the place.
        """
        restored = restore(data)
        return cls(
            restored.graph,
            restored.run,
            code=restored.code,
            first_line=restored.first_line,
            notices=restored.notices,
            digits=restored.digits,
            language=restored.language,
            dropped=restored.dropped,
            untaken=restored.untaken,
            findings=restored.findings,
        )

    @_ignoring_overflow
    def to_dot(self) -> str:
        """Return the graph with values and gradients as text for Graphviz, for tools that read it.

        Nothing else here needs Graphviz.
        """
        return dot_of(self.graph, self._values, self._gradients)

    def __str__(self) -> str:
        return str(self._table(MOST_PRINTED_ROWS))

    __repr__ = __str__

    @_ignoring_overflow
    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> list[RenderableType]:
        below = (*self._left_out(MOST_PRINTED_ROWS), *self._printed_notes(MOST_PRINTED_ROWS))
        return renderables(self._shown, below, MOST_PRINTED_ROWS, options.max_width)

    # --- pictures and pages ---

    @_ignoring_overflow
    def plot(self, number: int, *, ax: Axes | None = None) -> StepPicture:
        """Draw the local derivatives of a step.

        Parameters
        ----------
        number
            Of the step, counted from 1.
        ax
            Where to draw the curve with its tangent, for a function of one input; None for a new
            figure, in which the derivative's own curve stands below it.

        Returns
        -------
        StepPicture
            It shows itself in a notebook, and has ``figure`` and ``axes``.

        Raises
        ------
        IndexError
            When there is no such step.
        ValueError
            When the function has several inputs and `ax` is given, when all its inputs are
            constants, and when the pass was restored from data without plots.
        """
        from ipygrad.show.plot import picture_of_step

        step = self._numbered(number)
        drawn = self._findings.drawn(step._bare)
        if not drawn.locals_:
            reason = self._findings.why_no_plot(step._bare)
            raise ValueError(f"step {number}, {step.label}, {reason}")
        return picture_of_step(ax=ax, words=self._words.of_pictures, **drawn._asdict())

    @_ignoring_overflow
    def _draw(self, number: int) -> str | None:
        """Return the SVG document of a step's plot, None where there is nothing to draw."""
        if number not in self._pictures:
            drawn = self._findings.drawn(self._bare[number - 1])
            self._pictures[number] = self._painter.svg(*drawn) if drawn.locals_ else None
        return self._pictures[number]

    @cached_property
    def _painter(self) -> StepPainter:
        if self._drawn_like is not None:
            return self._drawn_like._painter
        from ipygrad.show.plot import StepPainter

        return StepPainter(self._words.of_pictures)

    def _plots(self) -> dict[int, str]:
        """Draw the plots that a notebook keeps, from the first step on."""
        end = perf_counter() + PLOT_SECONDS / self._share
        plots: dict[int, str] = {}
        characters = 0
        # A long pass is to open soon.
        last = self._last_shown if self._most_told is None else 0
        for number in range(1, last + 1):
            if len(plots) >= max(MOST_PLOTS // self._share, 1) or perf_counter() > end:
                break
            svg = self._draw(number)
            if svg is None:
                continue
            characters += len(svg)
            if characters > PLOT_CHARACTERS / self._share:
                break
            plots[number] = svg
        return plots

    @property
    def _on_page(self) -> range:
        """Numbers of the steps that a page keeps."""
        return range(1, min(len(self), MOST_ON_PAGE) + 1)

    def _undrawn(self) -> list[int]:
        return [number for number in self._on_page if number not in self._pictures]

    def _all_plots(self) -> dict[int, str]:
        drawn = {number: self._draw(number) for number in self._on_page}
        return {number: svg for number, svg in drawn.items() if svg is not None}

    @_ignoring_overflow
    def _payload(self, plots: Mapping[int, str] | None = None, *, is_of_page: bool = False) -> Json:
        return make_payload(
            self._shown,
            self._layout,
            plots=self._plots() if plots is None else plots,
            texts=self._widest_texts,
            start=self._start,
            predict=self._predict,
            most_steps=MOST_ON_PAGE if is_of_page else MOST_STEPS,
            most_told=None if is_of_page else self._most_told,
        )

    @property
    def _most_told(self) -> int | None:
        """How many steps a notebook keeps in words; None for all."""
        return FIRST_TOLD if len(self) > MOST_TOLD else None

    @_ignoring_overflow
    def _tell(self, number: int) -> Json | None:
        """Return a step in words for a stepper that has only numbers; None where it has words."""
        if self._most_told is None or number <= self._most_told:
            return None
        return told_step(self._shown, self._bare[number - 1], self._kept, None)

    def _tell_call(self, number: int) -> Json | None:
        """Return a call of the forward pass in words, the last one being -1; None without it."""
        return tell_call(self._shown, self._kept, number)

    @_ignoring_overflow
    def _tell_chain(self, place: int) -> Json | None:
        """Return the chain rule for a variable, by its place in the notebook's payload."""
        numbers = [number for number in self._kept.variables if number is not None]
        return chain_of(self._shown, self._kept, self.graph.variables[numbers[place]])

    @cached_property
    def _kept(self) -> Kept:
        """The parts of the graph that a notebook keeps."""
        return kept_parts(self._shown, MOST_STEPS)

    @cached_property
    def _notebook_payload(self) -> Json:
        return self._payload()

    @property
    def _last_shown(self) -> int:
        """Number of the last step that a notebook keeps."""
        return min(len(self), MOST_STEPS)

    def _still(self, most_panels: int) -> Figure:
        from ipygrad.show.still import StillStep, still_picture

        steps = [
            StillStep(f"{step.index}  {step.label}", self._equations(bare), step.local_derivatives)
            for bare, step in zip(self._bare[:most_panels], self[:most_panels], strict=True)
        ]
        return still_picture(
            self.graph,
            self._layout,
            self._values,
            self._gradients,
            steps,
            left_out=len(self) - len(steps),
            most_panels=most_panels,
        )

    def _equations(self, bare: BareStep) -> str:
        """Write the product for each input that is no constant."""
        number, slopes = self._words.number, self._findings.slopes(bare)
        lines = []
        for argnum, (slope, contribution) in enumerate(
            zip(slopes, bare.contributions, strict=True)
        ):
            if contribution is None:
                continue
            factor, sign = "Jacobian", "→"
            if slope is not None:
                factor = number(slope)
                sign = "=" if product_holds(bare, argnum, slope) else "≠"
            lines.append(f"{number(bare.cotangents[0])} × {factor} {sign} {number(contribution)}")
        return "\n".join(lines)

    @cached_property
    @_ignoring_overflow
    def _png(self) -> bytes:
        from ipygrad.show.still import MOST_PANELS, png_of

        return png_of(self._still(MOST_PANELS if self._most_told is None else 0))

    @_ignoring_overflow
    def savefig(self, path: str | Path, *, overwrite: bool = True) -> None:
        """Save the still picture: graph, values, gradients, and each step in numbers and a plot.

        Of a long pass it has the first 100 plots, of a large graph an overview.

        Parameters
        ----------
        path
            Ending in ``.png``, ``.svg`` or ``.pdf``.
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        ValueError
            For another ending.
        OSError
            When the file cannot be written, or must not be replaced.
        """
        from ipygrad.show.still import ENDINGS, MOST_SAVED_PANELS, save_figure

        path = checked_path(path, ENDINGS, "a picture", overwrite=overwrite)
        with written_whole(path) as part:
            save_figure(self._still(MOST_SAVED_PANELS), part)

    @_ignoring_overflow
    def animate(
        self,
        path: str | Path,
        *,
        seconds: float = 2.0,
        size: tuple[int, int] = (1280, 720),
        overwrite: bool = True,
    ) -> None:
        """Save an animation for slides: the start, then a frame for each step.

        A frame shows the graph with the gradients that have arrived so far, the step in words and
        numbers, and its plot; in English, as all pictures, whose font has neither Hangul nor Kana.
        While the frames are drawn, a bar shows how many are done.

        Parameters
        ----------
        path
            Ending in ``.gif``, or in ``.mp4`` where ffmpeg is installed.
        seconds
            For which each step is shown, from 0.1 to 60.
        size
            Width and height of the frames, from 320 to 4096 pixels.
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        ValueError
            For another ending, size or time, and for a pass without steps or with more than 500.
        FileNotFoundError, FileExistsError
            When there is no such folder; when the file must not be replaced.
        RuntimeError
            For ``.mp4`` when there is no ffmpeg.
        """
        from ipygrad.show.animation import Scene, animate, check_arguments

        path = check_arguments(path, len(self), size, seconds, overwrite=overwrite)
        words = self._words.of_pictures
        scene = Scene(self.graph, self._layout, self._values, words, last=len(self))
        frames = progress(self._frames(), len(self) + 1, path.name)
        animate(scene, frames, path, size, seconds)

    def _frames(self) -> Iterator[Frame]:
        from ipygrad.show.animation import Frame

        if self._run is None:
            return
        words = self._words.of_pictures
        shown = replace(self._shown, words=words, findings=self._findings.told_in(words))
        told = make_payload(shown, self._layout, plots={}, texts=self._widest_texts)["steps"]
        gradients: list[str | None] = [None] * len(self.graph.variables)
        gradients[self.graph.results[0]] = words.number(self._run.cotangent)
        yield Frame(0, tuple(gradients), None, told[0], None)
        for bare in self._bare:
            inputs = self.graph.functions[bare.function].inputs
            for variable, after in zip(inputs, bare.after, strict=True):
                if after is not None:
                    gradients[variable] = words.number(after)
            drawn = self._findings.drawn(bare)
            yield Frame(bare.index, tuple(gradients), bare.function, told[bare.index], drawn)

    @_ignoring_overflow
    def to_html(self, path: str | Path, *others: BackwardPass, overwrite: bool = True) -> None:
        """Write a page that steps through this pass in any browser, without kernel or network.

        The page runs its own script and nothing else, can be embedded by ``<iframe>``, and has all
        steps when it is printed. It opens at ``page.html#step=2``, with several passes also at
        ``page.html#pass=2&step=1``. While many plots are drawn, a bar shows how many are done.

        Parameters
        ----------
        path
            Ending in ``.html`` or ``.htm``.
        others
            Further passes, to stand below this one.
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        ValueError
            For another ending.
        OSError
            When the file cannot be written, or must not be replaced.
        """
        write_page(path, (self, *others), overwrite=overwrite)

    @cached_property
    def widget(self) -> BackwardWidget:
        """The stepper as a widget: ``w.step = 2`` moves it, ``w.observe(f, "step")`` follows it.

        It is linked to the stepper that this pass displays. Displayed by itself it is that stepper
        once more, inside an ``HBox`` a view of its own, which needs its kernel.
        """
        return self._live.widget()

    def close(self) -> None:
        """Free what the kernel holds for the stepper; the page goes on without it.

        When the pass is displayed again, it is linked anew.
        """
        self._live.close()
        self.__dict__.pop("widget", None)

    @uncollected()
    @_ignoring_overflow
    def bundle(self, display_as: DisplayAs = "html", *, link: bool = False) -> dict[str, Any]:
        """Return what a notebook displays, by MIME type.

        Parameters
        ----------
        display_as
            ``"html"``, the stepper with a still picture where no script runs; ``"widget"``, the
            same with the whole `widget` behind it; ``"picture"``, without script; ``"table"``, text
            only.
        link
            Let this kernel follow the stepper, draw plots that it lacks and move it.
        """
        bundle: dict[str, Any] = {"text/plain": str(self)}
        if display_as == "table":
            return bundle
        bundle["image/png"] = self._png
        if display_as == "widget":
            return self.widget._repr_mimebundle_()
        if display_as == "html":
            bundle["text/html"] = fragment([self._tab(link=link)])
        return bundle

    def _tab(self, *, link: bool) -> Tab:
        """Return what a notebook's HTML holds of it; with a link the kernel follows that."""
        if link:
            self._live.be_linked()
        return Tab(self._shown.name, self._notebook_payload, self._png, self._id)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        kernel = has_kernel()
        return self.bundle("html" if kernel else "table", link=kernel)


def _listed(nodes: Sequence[VariableNode]) -> str:
    names = [node.name for node in nodes]
    return ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")


def local_derivative(step: BackwardStep, argnum: int = 0) -> LocalDerivative:
    """Return what a step's function does to a small change of one of its inputs.

    Parameters
    ----------
    step
        A step of a recorded pass.
    argnum
        Which input, counted from 0.

    Returns
    -------
    LocalDerivative
        A curve with a slope for a function of numbers, points on a curve for one that works element
        by element, a Jacobian for any other.

    Raises
    ------
    IndexError
        When the function has no such input.
    ValueError
        When that input is a constant, for which backward finds nothing, and when the pass was
        restored from data without plots.
    """
    count = len(step.contributions)
    if not 0 <= argnum < count:
        numbers = "input 0 only" if count == 1 else f"inputs 0 to {count - 1}"
        raise IndexError(f"{step.label} has {numbers}, so there is no input {argnum}")
    if step.contributions[argnum] is None:
        raise ValueError(
            f"input {argnum} of {step.label} is a constant, for which backward finds nothing: make "
            "it a Variable"
        )
    local = step.local_derivatives[argnum]
    if local is None:
        reason = step._findings.why_no_plot(step._bare)
        raise ValueError(f"step {step.index}, {step.label}, {reason}")
    return local


def backward_pass(y: Any, cotangent: object = None, *, language: str = "") -> BackwardPass:
    """Record the backward pass from `y` to its leaves; no ``.grad`` is read or written.

    Parameters
    ----------
    y : Variable
        The result to go back from; also one of DeZero, micrograd or PyTorch.
    cotangent
        Gradient of a final number with respect to `y`, of its shape. By default what
        ``y.backward()`` starts with: ``y.grad`` if that was assigned by hand, else ones.
    language
        Of all that the pass shows but pictures: ``"en"``, ``"ja"`` or ``"ko"``. Where it is left
        empty, texts are English, and a page's buttons and labels as the reader's browser is set.

    Returns
    -------
    BackwardPass
        When a function's ``backward`` fails, the steps up to there, and the reason in ``error``.

    Raises
    ------
    TypeError
        When `y` is no Variable.
    ValueError
        When `y` is a leaf, the cotangent does not fit it, or there is no such language.
    """
    engines = Engines()
    if not isinstance(y, Variable) and engines.adapter_of(y) is None:
        raise TypeError(
            f"backward_pass needs a Variable to go back from, but got {described(y)}: "
            "pass a result such as y = square(x)"
        )
    caller = sys._getframe(1)
    namespace = {**caller.f_globals, **caller.f_locals}
    if not engines.is_result(y):
        name = getattr(y, "name", None) or "the variable"
        raise ValueError(
            f"{name} is a leaf: no function made it, so there is nothing to go back through. "
            "Pass a result such as y = square(x)"
        )
    captured = capture([y], engines, namespace)
    return BackwardPass(
        captured.graph,
        run_backward(captured.graph, cotangent),
        language=language,
        notices=describe_captured(Words(language), captured),
        translation=captured.translation,
    )
