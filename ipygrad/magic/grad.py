"""The magics ``%%grad`` and ``%grad``: from the text of a cell to the stepper under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import traitlets
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ipygrad.capture.adapters import Engines
from ipygrad.capture.adapters.captured import capture
from ipygrad.capture.backward import run_backward
from ipygrad.capture.evaluate import (
    forget_rendering,
    parse,
    render_as_if_from,
    run,
    shown_in_short,
)
from ipygrad.capture.history import History
from ipygrad.capture.moments import PassObserver
from ipygrad.capture.own_runs import names_of_functions
from ipygrad.capture.quiet import quietly, uncollected
from ipygrad.capture.result import (
    as_results,
    ends,
    find_left_out,
    find_result,
    is_on_the_way,
    ran_backward_itself,
)
from ipygrad.capture.watching import watched
from ipygrad.explain.lessons import describe_on_the_way
from ipygrad.explain.words import LANGUAGES, Words
from ipygrad.magic.cell_jobs import jobs_of_cell
from ipygrad.magic.expectations import UnexpectedGradientError, check_expectations
from ipygrad.magic.jobs import MOST_TABS, Job, jobs_of_results
from ipygrad.magic.options import DISPLAYS, MOST_DIGITS, complete, read_options, takes_options
from ipygrad.magic.passes import describe_cell, dropped_gradients, own_pass
from ipygrad.magic.recorded import (
    Recorded,
    gradients_to_show,
    job_of_gradient,
    pass_of,
    record,
)
from ipygrad.magic.results import asked_for, check_result, evaluate, left_out, no_result
from ipygrad.magic.steppers import Steppers
from ipygrad.passes import BackwardPasses

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from ipygrad.capture.adapters.captured import Captured
    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.evaluate import Cell, Outcome
    from ipygrad.capture.recording import CallRecorder
    from ipygrad.magic.jobs import Read


class _Ran(NamedTuple):
    """A cell that has run, and who watched it."""

    cell: Cell
    outcome: Outcome
    observer: PassObserver
    recorder: CallRecorder
    engines: Engines


@magics_class
class GradMagics(Magics):  # type: ignore[misc]
    """``%%grad`` and ``%grad``, and their defaults (``%config GradMagics``)."""

    display_as = traitlets.Enum(
        DISPLAYS, "html", help="How a pass is shown when --as does not say."
    ).tag(config=True)
    digits = traitlets.Int(
        4, min=1, max=MOST_DIGITS, help="Significant digits of shown numbers."
    ).tag(config=True)

    language = traitlets.Enum(
        ("", *LANGUAGES),
        "",
        help="Language of what is shown. Empty: English, with the buttons and labels of a page as "
        "the reader's browser is set.",
    ).tag(config=True)

    check = traitlets.Bool(
        True, help="Whether each backward is compared with differences of its forward."
    ).tag(config=True)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._history = History()
        self._steppers = Steppers(shell)

    @takes_options
    @no_var_expand
    @line_cell_magic
    def grad(self, line: str, cell: str | None = None) -> None:
        """Run a cell and step back through the backward pass of its result.

        On top of a cell, ``%%grad`` runs it once, as it would run without the magic. Its result is
        RESULT where that is given, else the cell's last expression, else the last variable that the
        cell computes. Afterwards gradients stand as after ``result.backward()``, unless the cell
        ran a backward pass of its own.

        Several results, ``%%grad y, z`` or a cell that ends in ``y, z``, have a tab each, which
        shows its pass alone; gradients add up as after ``y.backward(); z.backward()``. So have the
        passes that a cell runs itself, each with the values that it ran with, the last eight at
        most; and the gradients of leaves that ``create_graph=True``, or ``--create-graph``, has
        made. ``--step`` is for the first tab, ``--cotangent`` for each result.

        In one line, ``%grad y`` steps through what an earlier cell computed, and changes nothing.

        Options come after RESULT; their values are quoted as in a shell::

            %%grad loss -o bp --step 2
            %grad y --cotangent "np.ones(3)" --as table
        """
        __tracebackhide__ = True
        expression, options = read_options(
            self.grad.parser,
            line,
            digits=self.digits,
            language=self.language,
            check=self.check,
        )
        if cell is None:
            self._step_through(expression, options)
        else:
            self._run_cell(cell, expression, options)

    # --- %grad ---

    def _step_through(self, expression: str, options: Namespace) -> None:
        if not expression:
            raise UsageError("%grad needs a result to go back from: write %grad y")
        self._history.guess(self.shell.user_ns)
        engines = Engines(self._history.calls)
        results = asked_for(expression, self._evaluate, engines, "%grad")
        names = self.shell.user_ns

        def read(result: object) -> Captured:
            return capture([result], engines, names)

        self._finish(jobs_of_results(results, read, Job), options, read)

    # --- %%grad ---

    def _run_cell(self, text: str, expression: str, options: Namespace) -> None:
        __tracebackhide__ = True
        cell = parse(self.shell, text)
        if not cell.statements:
            raise UsageError("%%grad found nothing to run: the cell below it is empty")
        observer = PassObserver(cell.filename)
        recorder = self._history.next_cell(observer)
        engines = Engines(recorder.calls)
        outcome = self._observed(cell, observer, recorder, engines)
        if outcome.error is not None:
            error = outcome.error
            observer.stopped_by(error)
            self._after_the_cell(lambda: forget_rendering(error))
            if not options.quiet:
                self._after_the_cell(
                    lambda: self._partial(cell, observer, recorder, engines, options)
                )
            raise render_as_if_from(error, self.shell)
        # One search for garbage, after the cell has been shown, is enough.
        with uncollected():
            self._go_back(_Ran(cell, outcome, observer, recorder, engines), expression, options)

    def _go_back(self, ran: _Ran, expression: str, options: Namespace) -> None:
        __tracebackhide__ = True
        cell, outcome, observer, recorder, engines = ran
        results, is_guessed = self._results_of(ran, expression)
        names = self.shell.user_ns

        def read(result: object) -> Captured:
            return capture([result], engines, names, observer)

        words = Words(options.language, options.precision)
        cells = jobs_of_cell(
            results,
            observer,
            recorder,
            read,
            names,
            is_asked_for=bool(expression),
            is_guessed=is_guessed,
        )
        told = () if cells is None else describe_cell(words, cells)
        if cells is not None and cells.jobs:
            self._finish(cells.jobs, options, read, cell=cell, told=told, untaken=observer.untaken)
            return
        passes = [*observer.ran_backward_from, *(run.result for run in recorder.runs)]

        def job_of(captured: Captured) -> Job:
            own = self._history.turns_in(captured.graph, recorder)
            is_own = bool(own.turns) or own.is_cut
            write = not is_own and not ran_backward_itself(captured, observer, passes, engines)
            dropped: frozenset[int] = frozenset() if write else dropped_gradients(captured)
            return Job(captured, write=write, own=own, dropped=dropped)

        jobs = jobs_of_results(results, read, job_of)
        if is_guessed and is_on_the_way(results[0], outcome.value, observer, engines, names):
            told = (describe_on_the_way(words, jobs[0].captured.graph), *told)
        self._finish(jobs, options, read, cell=cell, told=told, untaken=observer.untaken)

    def _observed(
        self, cell: Cell, observer: PassObserver, recorder: CallRecorder, engines: Engines
    ) -> Outcome:
        names = self.shell.user_ns
        with watched(cell.source, names, observer, recorder, engines):
            outcome = run(self.shell, cell, observer.follow)
        if recorder.by_hand.turns:
            self._history.guess(names)
        return outcome

    def _results_of(self, ran: _Ran, expression: str) -> tuple[list[Any], bool]:
        """Return the variables that passes start from, and whether the cell leaves them unsaid."""
        cell, outcome, observer, recorder, engines = ran
        if expression:
            return asked_for(expression, self._evaluate, engines, "%%grad"), False
        several = as_results(outcome.value, engines)
        if several:
            return several, False
        result = self._history.result_of(recorder, outcome.value)
        if result is not None:
            return [result], False
        names = self.shell.user_ns
        result = find_result(cell.source, outcome.value, observer, engines, names)
        if result is not None:
            what = "the cell's last expression"
            check_result(result, engines, "%%grad", what, "%%grad loss")
            return [result], result is not outcome.value
        found = find_left_out(cell.source, outcome.value, engines, names)
        if found is not None:
            raise left_out(*found, "%%grad", "%%grad loss")
        raise no_result(outcome.value, "%%grad", "the cell", "%%grad loss")

    def _evaluate(self, expression: str, what: str) -> object:
        return evaluate(expression, what, self.shell.user_global_ns, self.shell.user_ns)

    # --- what becomes of it ---

    def _finish(
        self,
        jobs: Sequence[Job],
        options: Namespace,
        read: Read,
        *,
        cell: Cell | None = None,
        told: tuple[str, ...] = (),
        untaken: tuple[int, ...] = (),
    ) -> None:
        words, names = Words(options.language, options.precision), self.shell.user_ns
        code = None if cell is None else cell.lines
        recorded: list[Recorded] = []
        for job in jobs:
            recorded.append(record(job, options, self._evaluate, names, is_first=not recorded))
            if recorded[-1].error is not None:
                break
        error = recorded[-1].error
        again = gradients_to_show(recorded)
        count = len(recorded) + len(again)
        for gradient in again[: max(MOST_TABS - len(recorded), 0)]:
            job = job_of_gradient(gradient, read, names)
            recorded.append(record(job, options, self._evaluate, names, is_first=False))
        if count > MOST_TABS:
            told = (*told, words("notice_tabs_cut", shown=MOST_TABS, count=count))
        first = recorded[0]
        notices = told + first.notices
        if cell is not None and not first.job.write and first.has_right_end:
            notices = (*notices, words("notice_not_written"))
        recorded[0] = first._replace(notices=notices)
        del recorded[MOST_TABS:]
        passes = [
            pass_of(one, options, code, 0 if place else options.step, len(recorded), untaken)
            for place, one in enumerate(recorded)
        ]
        shown = passes[0] if len(passes) == 1 else BackwardPasses(passes)
        if options.output is not None:
            self.shell.push({options.output: shown})
        display_as = options.display_as or self.display_as
        if error is None:
            if not options.quiet:
                self._steppers.show(shown, display_as)
            self._check_expectations(options)
            return
        if not options.quiet:
            self._after_the_cell(lambda: self._steppers.show(shown, display_as))
        raise shown_in_short(error, self.shell)

    def _check_expectations(self, options: Namespace) -> None:
        __tracebackhide__ = True
        try:
            check_expectations(options.expect, self._evaluate, options.precision)
        except UnexpectedGradientError as error:
            raise shown_in_short(error, self.shell) from None

    def _partial(
        self,
        cell: Cell,
        observer: PassObserver,
        recorder: CallRecorder,
        engines: Engines,
        options: Namespace,
    ) -> None:
        """Show what a cell had computed when it stopped: the graph, and a pass of its own."""
        result = self._history.result_of(recorder, None)
        results = ends(observer.made(), engines) if result is None else [result]
        if not results:
            return
        captured = capture(results, engines, self.shell.user_ns, observer)
        own = self._history.turns_in(captured.graph, recorder)
        recorded: BackwardRun | None = None
        notices: tuple[str, ...] = ()
        if own.turns:
            with quietly():
                right = run_backward(captured.graph)
            words = Words(options.language, options.precision)
            names = names_of_functions(self.shell.user_ns)
            recorded, notices = own_pass(captured, right, words, own, names, write=False)
        stopped = Recorded(Job(captured), recorded, notices)
        bp = pass_of(stopped, options, cell.lines, untaken=observer.untaken)
        self._steppers.show(bp, options.display_as or self.display_as)

    def _after_the_cell(self, call: Callable[[], None]) -> None:
        """Call when IPython has shown the cell's traceback."""
        events = self.shell.events

        def once(_result: object) -> None:
            events.unregister("post_run_cell", once)
            call()

        events.register("post_run_cell", once)


def load(shell: InteractiveShell) -> None:
    """Register the magics and the completion of their options."""
    shell.register_magics(GradMagics)
    for name in ("%%grad", "%grad"):
        shell.set_hook("complete_command", complete, str_key=name)


def unload(shell: InteractiveShell) -> None:
    """Take back what `load` did."""
    magics = shell.magics_manager
    for kind in ("line", "cell"):
        magics.magics[kind].pop("grad", None)
    for name in ("%%grad", "%grad"):
        shell.strdispatchers["complete_command"].strs.pop(name, None)
    registered = magics.registry.pop(GradMagics.__name__, None)
    if registered in shell.configurables:
        shell.configurables.remove(registered)
