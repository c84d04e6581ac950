"""The magics ``%%grad`` and ``%grad``: from the text of a cell to the stepper under it."""

from __future__ import annotations

import re
import shlex
from contextlib import nullcontext
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, cast

import traitlets
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display

from ipygrad.capture.backward import checked_cotangent, final_gradients, run_backward
from ipygrad.capture.evaluate import (
    forget_rendering,
    parse,
    render_as_if_from,
    run,
    shown_in_short,
)
from ipygrad.capture.graph import capture_graph
from ipygrad.capture.observe import Observer
from ipygrad.capture.quiet import quietly
from ipygrad.capture.result import ends, find_result, observing, ran_backward_itself
from ipygrad.engine.core import Function, Variable
from ipygrad.explain.numbers import described, short
from ipygrad.explain.words import Words
from ipygrad.record import BackwardPass, has_kernel
from ipygrad.show.terminal import show_in_terminal

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.evaluate import Cell, Outcome
    from ipygrad.capture.graph import Graph
    from ipygrad.record import DisplayAs

DISPLAYS = ("html", "widget", "picture", "table")
OPTIONS = (
    *("--output", "--quiet", "--step", "--cotangent", "--as", "--precision", "--no-check"),
    *("-o", "-q", "-p"),
)
MOST_DIGITS = 17
"""Digits that tell every float64 from every other."""
MOST_LIVE_CELLS = 100
"""Cells whose steppers the kernel follows; older ones go on without it."""
_OPTION = re.compile(r"-{1,2}[A-Za-z]")


@magics_class
class GradMagics(Magics):  # type: ignore[misc]
    """``%%grad`` and ``%grad``, and their defaults (``%config GradMagics``)."""

    display_as = traitlets.Enum(
        DISPLAYS, "html", help="How a pass is shown when --as does not say."
    ).tag(config=True)
    digits = traitlets.Int(
        4, min=1, max=MOST_DIGITS, help="Significant digits of shown numbers."
    ).tag(config=True)

    check = traitlets.Bool(
        True, help="Whether each backward is compared with differences of its forward."
    ).tag(config=True)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._shown: dict[str, tuple[str, list[BackwardPass]]] = {}

    @magic_arguments("%grad")
    @argument("-o", "--output", metavar="NAME", help="Bind the recorded BackwardPass to NAME.")
    @argument("-q", "--quiet", action="store_true", help="Record, but show no stepper.")
    @argument("--step", type=int, metavar="N", default=0, help="Open the stepper at step N.")
    @argument("--cotangent", metavar="EXPR", help="Start from this gradient instead of ones.")
    @argument(
        "--as",
        dest="display_as",
        choices=DISPLAYS,
        help="Show the pass as the stepper (html), as a widget, a picture or a table.",
    )
    @argument("-p", "--precision", type=int, metavar="DIGITS", help="Significant digits to show.")
    @argument(
        "--no-check",
        dest="check",
        action="store_false",
        default=None,
        help="Do not compare each backward with differences of its forward.",
    )
    @argument("result", nargs="*", metavar="RESULT", help="Expression to go back from.")
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
        expression, options = self._options(line)
        if cell is None:
            self._step_through(expression, options)
        else:
            self._run_cell(cell, expression, options)

    def _options(self, line: str) -> tuple[str, Namespace]:
        expression, rest = split_at_first_option(line)
        try:
            words = shlex.split(rest)
        except ValueError as error:
            raise UsageError(f"%%grad cannot read its options, {rest}: {error}") from None
        # parse_argstring would split by IPython's rules, which leave quotes where they are.
        try:
            options: Namespace = self.grad.parser.parse_args(words)
        except UsageError as error:
            raise UsageError(f"{error}. The options are {', '.join(OPTIONS)}") from None
        if options.result:
            raise UsageError(
                f"%%grad got {options.result[0]!r} after its options; write RESULT first, as in "
                "%%grad loss --step 2"
            )
        if options.output is not None and not is_name(options.output):
            raise UsageError(f"-o needs a name to bind, not {options.output!r}")
        if options.precision is None:
            options.precision = self.digits
        if not 1 <= options.precision <= MOST_DIGITS:
            raise UsageError(
                f"-p {options.precision}: numbers are shown with 1 to {MOST_DIGITS} digits"
            )
        if options.check is None:
            options.check = self.check
        return expression, options

    # --- %grad ---

    def _step_through(self, expression: str, options: Namespace) -> None:
        if not expression:
            raise UsageError("%grad needs a result to go back from: write %grad y")
        result = self._named(expression, "%grad")
        graph = capture_graph([result], self.shell.user_ns)
        self._finish(result, graph, options)

    # --- %%grad ---

    def _run_cell(self, text: str, expression: str, options: Namespace) -> None:
        __tracebackhide__ = True
        cell = parse(self.shell, text)
        if not cell.statements:
            raise UsageError("%%grad found nothing to run: the cell below it is empty")
        observer = Observer(cell.filename)
        outcome = self._observed(cell, observer)
        if outcome.error is not None:
            error = outcome.error
            self._after_the_cell(lambda: forget_rendering(error))
            if not options.quiet:
                self._after_the_cell(lambda: self._partial(cell, observer, options))
            raise render_as_if_from(error, self.shell)
        result = self._result_of(cell, outcome, observer, expression)
        graph = capture_graph([result], self.shell.user_ns, observer)
        write = not ran_backward_itself(graph, observer)
        self._finish(result, graph, options, cell=cell, write=write)

    def _observed(self, cell: Cell, observer: Observer) -> Outcome:
        with observing(cell.source, observer):
            return run(self.shell, cell)

    def _result_of(
        self, cell: Cell, outcome: Outcome, observer: Observer, expression: str
    ) -> Variable:
        """Return the variable that the pass starts from."""
        if expression:
            return self._named(expression, "%%grad")
        result = find_result(cell.source, outcome.value, observer, self.shell.user_ns)
        if result is not None:
            return checked_result(result, "%%grad", "the cell's last expression", "%%grad loss")
        raise UsageError(
            f"%%grad needs a result to go back from: {ending(outcome.value, 'the cell')}.\n"
            "End the cell with a Variable, or name one: %%grad loss"
        )

    def _named(self, expression: str, magic: str) -> Variable:
        value = self._evaluate(expression, "RESULT")
        return checked_result(value, magic, expression, f"{magic} loss")

    def _evaluate(self, expression: str, what: str) -> object:
        return evaluate(expression, what, self.shell.user_global_ns, self.shell.user_ns)

    # --- what becomes of it ---

    def _finish(
        self,
        result: Variable,
        graph: Graph,
        options: Namespace,
        *,
        cell: Cell | None = None,
        write: bool = False,
    ) -> None:
        cotangent = None
        if options.cotangent is not None:
            cotangent = self._cotangent(result, graph, options.cotangent)
        # What the user's backward methods print is heard where they run as in result.backward().
        with nullcontext() if write else quietly():
            recorded = run_backward(graph, cotangent)
        if not 0 <= options.step <= len(recorded.steps):
            raise UsageError(
                f"--step {options.step} is not in this pass, which has steps 0 to "
                f"{len(recorded.steps)}"
            )
        notices: tuple[str, ...] = ()
        if write and recorded.error is None:
            notices = self._write(graph, recorded, options.precision)
        elif cell is not None and recorded.error is None:
            notices = (Words()("notice_not_written"),)
        bp = BackwardPass(
            graph,
            recorded,
            code=None if cell is None else cell.lines,
            notices=notices,
            digits=options.precision,
            checks=options.check,
            start=options.step,
        )
        if options.output is not None:
            self.shell.push({options.output: bp})
        display_as = options.display_as or self.display_as
        if recorded.error is None:
            if not options.quiet:
                self._show(bp, display_as)
            return
        if not options.quiet:
            self._after_the_cell(lambda: self._show(bp, display_as))
        raise shown_in_short(recorded.error, self.shell)

    def _cotangent(self, result: Variable, graph: Graph, expression: str) -> object:
        value = self._evaluate(expression, "--cotangent")
        try:
            return checked_cotangent(result, graph.variables[graph.results[0]].name, value)
        except (TypeError, ValueError) as error:
            raise UsageError(f"--cotangent {expression}: {error}") from None

    def _write(self, graph: Graph, recorded: BackwardRun, digits: int) -> tuple[str, ...]:
        """Leave gradients as ``result.backward()`` does; tell of those that were added to."""
        gradients = final_gradients(graph, recorded)
        if recorded.origin == "by_hand":
            del gradients[graph.results[0]]
        nodes = [graph.variables[number] for number in gradients]
        held = {node: node.variable.grad for node in nodes if node.variable.grad is not None}
        for number, gradient in gradients.items():
            graph.variables[number].variable.receive_grad(gradient)
        if not held:
            return ()
        words = Words(digits=digits)
        leaves = [node for node in held if node.creator is None] or list(held)
        return (
            words(
                "notice_leftover",
                names=words.enumerate([f"{node.name}.grad" for node in leaves]),
                sums=words.enumerate(
                    [
                        f"{node.name}.grad {short(held[node], digits)} → "
                        f"{short(node.variable.grad, digits)}"
                        for node in leaves
                    ]
                ),
            ),
        )

    def _partial(self, cell: Cell, observer: Observer, options: Namespace) -> None:
        """Show the graph of what a cell had computed when it stopped."""
        results = ends(observer.made())
        if results:
            graph = capture_graph(results, self.shell.user_ns, observer)
            bp = BackwardPass(graph, None, code=cell.lines, digits=options.precision)
            self._show(bp, options.display_as or self.display_as)

    def _show(self, bp: BackwardPass, display_as: str) -> None:
        if not has_kernel():
            show_in_terminal(bp)
            return
        is_live = display_as in ("html", "widget")
        if is_live:
            self._close_earlier_run(bp)
        display(bp.bundle(cast("DisplayAs", display_as), link=is_live), raw=True)

    def _close_earlier_run(self, bp: BackwardPass) -> None:
        """Free what the kernel holds for the steppers that this run of a cell replaces."""
        parent = self.shell.get_parent()
        run = parent.get("header", {}).get("msg_id", "")
        # A front end tells which cell is running; where one does not, only the latest are kept.
        cell = parent.get("metadata", {}).get("cellId", run)
        earlier_run, shown = self._shown.pop(cell, (run, []))
        if earlier_run != run:
            _close_all(shown)
            shown = []
        self._shown[cell] = (run, [*shown, bp])
        while len(self._shown) > MOST_LIVE_CELLS:
            _close_all(self._shown.pop(next(iter(self._shown)))[1])

    def _after_the_cell(self, call: Callable[[], None]) -> None:
        """Call when IPython has shown the cell's traceback."""
        events = self.shell.events

        def once(_result: object) -> None:
            events.unregister("post_run_cell", once)
            call()

        events.register("post_run_cell", once)


def _close_all(passes: list[BackwardPass]) -> None:
    for bp in passes:
        bp.close()


def is_name(text: str) -> bool:
    """Tell whether one can assign to `text`."""
    return text.isidentifier() and not iskeyword(text)


def split_at_first_option(line: str) -> tuple[str, str]:
    """Split a magic's line into RESULT, an expression, and the options after it.

    An option is a word that begins with one or two hyphens and a letter, outside quotes and
    brackets.
    """
    quote = ""
    depth = 0
    for position, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "#":
            return line[:position].strip(), ""
        elif (
            depth == 0
            and _OPTION.match(line, position)
            and (position == 0 or line[position - 1].isspace())
        ):
            return line[:position].strip(), line[position:]
    return line.strip(), ""


def _without_history(value: object) -> str:
    """Say what a value is: "an ndarray of shape (3,), which has no history"."""
    return described(value) + (", which has no history" if hasattr(value, "shape") else "")


def ending(value: object, whole: str) -> str:
    """Say what a cell or script ends in that has no result."""
    if value is None:
        return f"no name in {whole} holds a Variable that a function made"
    return f"{whole} ends in {_without_history(value)}"


def evaluate(
    expression: str,
    what: str,
    namespace: dict[str, Any],
    local_names: dict[str, Any] | None = None,
) -> object:
    """Evaluate what a user wrote in an option; whatever goes wrong is a UsageError of one line."""
    try:
        return eval(expression, namespace, local_names)  # noqa: S307
    except SyntaxError as error:
        raise UsageError(f"{what} is not an expression: {expression} ({error.msg})") from None
    except NameError as error:
        raise UsageError(f"{what}, {expression}, uses an unknown name: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever an expression raises, it is one line
        raise UsageError(f"{what}, {expression}, raised {type(error).__name__}: {error}") from None


def checked_result(value: object, asker: str, what: str, example: str) -> Variable:
    """Return `value` if one can go back from it, else raise a UsageError that says what it is.

    Parameters
    ----------
    asker
        Who needs a result: ``"%%grad"``.
    what
        What `value` is: an expression, or ``"the cell's last expression"``.
    example
        How to name another one: ``"%%grad loss"``.
    """
    if not isinstance(value, Variable):
        raise UsageError(
            f"{asker} needs a result to go back from: {what} is {_without_history(value)}.\n"
            f"Name a Variable that functions have made: {example}"
        )
    if value.creator is None:
        raise UsageError(
            f"{asker} needs a result to go back from: {what} is a leaf, a Variable that no "
            f"function made.\nName one that was computed from others: {example}"
        )
    if not isinstance(value.creator, Function):
        raise UsageError(
            f"{asker} cannot go back from {what}: it was made by a "
            f"{type(value.creator).__name__}, which is not derived from ipygrad's Function"
        )
    return value


def _complete(shell: InteractiveShell, event: Any) -> list[str]:
    """Complete options, the values of ``--as``, and as RESULT the names of variables."""
    words = event.line.split()
    if event.symbol.startswith("-"):
        return list(OPTIONS)
    before = words if event.symbol == "" else words[:-1]
    if before[-1:] == ["--as"]:
        return list(DISPLAYS)
    return [name for name, value in shell.user_ns.items() if isinstance(value, Variable)]


def load(shell: InteractiveShell) -> None:
    """Register the magics and the completion of their options."""
    shell.register_magics(GradMagics)
    for name in ("%%grad", "%grad"):
        shell.set_hook("complete_command", _complete, str_key=name)


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
