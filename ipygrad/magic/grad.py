"""The magics ``%%grad`` and ``%grad``: from the text of a cell to the stepper under it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

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
from ipygrad.capture.observe import Observer
from ipygrad.capture.own_runs import NO_TURNS, is_own, names_of_functions
from ipygrad.capture.quiet import quietly
from ipygrad.capture.result import (
    ends,
    find_left_out,
    find_result,
    is_on_the_way,
    ran_backward_itself,
)
from ipygrad.capture.watching import watched
from ipygrad.explain.lessons import describe_captured, describe_on_the_way
from ipygrad.explain.words import LANGUAGES, Words
from ipygrad.magic.expectations import UnexpectedGradientError, check_expectations
from ipygrad.magic.options import DISPLAYS, MOST_DIGITS, complete, read_options, takes_options
from ipygrad.magic.passes import dropped_gradients, leave_gradients, own_pass, pass_in_order
from ipygrad.magic.results import (
    check_result,
    check_step_number,
    evaluate,
    fitting_cotangent,
    left_out,
    no_result,
)
from ipygrad.magic.steppers import Steppers
from ipygrad.record import BackwardPass

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from ipygrad.capture.adapters.captured import Captured
    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.evaluate import Cell, Outcome
    from ipygrad.capture.own_runs import OwnTurns
    from ipygrad.capture.recording import CallRecorder


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
        result = self._evaluate(expression, "RESULT")
        check_result(result, engines, "%grad", expression, "%grad loss")
        self._finish(capture([result], engines, self.shell.user_ns), options)

    # --- %%grad ---

    def _run_cell(self, text: str, expression: str, options: Namespace) -> None:
        __tracebackhide__ = True
        cell = parse(self.shell, text)
        if not cell.statements:
            raise UsageError("%%grad found nothing to run: the cell below it is empty")
        observer = Observer(cell.filename)
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
        names = self.shell.user_ns
        result = None if expression else self._history.result_of(recorder, outcome.value)
        is_found = result is None and not expression
        if result is None:
            result = self._result_of(cell, outcome, observer, engines, expression)
        captured = capture([result], engines, names, observer)
        told: tuple[str, ...] = ()
        if is_found and is_on_the_way(result, outcome.value, observer, engines, names):
            told = (describe_on_the_way(Words(options.language), captured.graph),)
        passes = [*observer.ran_backward_from, *(run.result for run in recorder.runs)]
        own = self._history.turns_in(captured.graph, recorder)
        ran = bool(own.turns) or own.is_cut
        write = not ran and not ran_backward_itself(captured, observer, passes, engines)
        untaken = observer.untaken
        self._finish(captured, options, cell=cell, write=write, own=own, told=told, untaken=untaken)

    def _observed(
        self, cell: Cell, observer: Observer, recorder: CallRecorder, engines: Engines
    ) -> Outcome:
        names = self.shell.user_ns
        with watched(cell.source, names, observer, recorder, engines):
            outcome = run(self.shell, cell, observer.follow)
        if recorder.by_hand.turns:
            self._history.guess(names)
        return outcome

    def _result_of(
        self,
        cell: Cell,
        outcome: Outcome,
        observer: Observer,
        engines: Engines,
        expression: str,
    ) -> object:
        """Return the variable that the pass starts from."""
        if expression:
            result = self._evaluate(expression, "RESULT")
            check_result(result, engines, "%%grad", expression, "%%grad loss")
            return result
        names = self.shell.user_ns
        result = find_result(cell.source, outcome.value, observer, engines, names)
        if result is not None:
            what = "the cell's last expression"
            check_result(result, engines, "%%grad", what, "%%grad loss")
            return result
        found = find_left_out(cell.source, outcome.value, engines, names)
        if found is not None:
            raise left_out(*found, "%%grad", "%%grad loss")
        raise no_result(outcome.value, "%%grad", "the cell", "%%grad loss")

    def _evaluate(self, expression: str, what: str) -> object:
        return evaluate(expression, what, self.shell.user_global_ns, self.shell.user_ns)

    # --- what becomes of it ---

    def _finish(
        self,
        captured: Captured,
        options: Namespace,
        *,
        cell: Cell | None = None,
        write: bool = False,
        own: OwnTurns = NO_TURNS,
        told: tuple[str, ...] = (),
        untaken: tuple[int, ...] = (),
    ) -> None:
        graph, translation = captured
        cotangent = None
        if options.cotangent is not None:
            value = self._evaluate(options.cotangent, "--cotangent")
            cotangent = fitting_cotangent(value, graph, options.cotangent)
        # What the user's backward methods print is heard where they run as in result.backward().
        with nullcontext() if write and translation is None else quietly():
            right = run_backward(graph, cotangent)
        words = Words(options.language, options.precision)
        if is_own(graph):
            names = names_of_functions(self.shell.user_ns)
            recorded, notices = own_pass(captured, right, words, own, names, write=write)
            check_step_number(options.step, recorded)
        else:
            recorded, notices = pass_in_order(graph, right, options.order, words)
            check_step_number(options.step, recorded)
            if write and right.error is None:
                notices += leave_gradients(captured, right, words)
        dropped: frozenset[int] = frozenset()
        if cell is not None and not write and right.error is None:
            notices += (words("notice_not_written"),)
            dropped = dropped_gradients(captured)
        notices = told + describe_captured(words, captured) + notices
        bp = BackwardPass(
            graph,
            recorded,
            code=None if cell is None else cell.lines,
            notices=notices,
            digits=options.precision,
            language=options.language,
            checks=options.check,
            start=options.step,
            predict=options.predict,
            dropped=dropped,
            untaken=untaken,
            translation=translation,
        )
        if options.output is not None:
            self.shell.push({options.output: bp})
        display_as = options.display_as or self.display_as
        if recorded.error is None:
            if not options.quiet:
                self._steppers.show(bp, display_as)
            self._check_expectations(options)
            return
        if not options.quiet:
            self._after_the_cell(lambda: self._steppers.show(bp, display_as))
        raise shown_in_short(recorded.error, self.shell)

    def _check_expectations(self, options: Namespace) -> None:
        __tracebackhide__ = True
        try:
            check_expectations(options.expect, self._evaluate, options.precision)
        except UnexpectedGradientError as error:
            raise shown_in_short(error, self.shell) from None

    def _partial(
        self,
        cell: Cell,
        observer: Observer,
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
        bp = BackwardPass(
            captured.graph,
            recorded,
            code=cell.lines,
            notices=notices,
            digits=options.precision,
            language=options.language,
            checks=options.check,
            untaken=observer.untaken,
            translation=captured.translation,
        )
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
