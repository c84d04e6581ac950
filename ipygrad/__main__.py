"""``python -m ipygrad script.py -o page.html``: ``%%grad`` for those who have no notebook."""

from __future__ import annotations

import argparse
import sys
import tokenize
import traceback
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from ipygrad.capture.adapters import Engines
from ipygrad.capture.adapters.captured import capture
from ipygrad.capture.backward import run_backward
from ipygrad.capture.history import History
from ipygrad.capture.observe import Observer
from ipygrad.capture.quiet import quietly
from ipygrad.capture.result import find_left_out, find_result
from ipygrad.capture.script import run_script
from ipygrad.capture.watching import watched
from ipygrad.explain.lessons import describe_captured
from ipygrad.explain.words import LANGUAGES, Words
from ipygrad.magic.results import (
    check_result,
    check_step_number,
    evaluate,
    fitting_cotangent,
    left_out,
    no_result,
)
from ipygrad.record import BackwardPass
from ipygrad.show.files import checked_path
from ipygrad.show.page import ENDINGS as PAGE_ENDINGS
from ipygrad.show.terminal import show_in_terminal

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from ipygrad.capture.script import Ran

PROGRAM = "python -m ipygrad"
EXAMPLE = "--result loss"
FINE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes; that of a script which ends by ``sys.exit(code)`` is handed on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a script, show the backward pass of its result, and return an exit code."""
    options = _parser().parse_args(arguments)
    try:
        path = None
        if options.output is not None:
            path = checked_path(options.output, PAGE_ENDINGS, "a page")
        source = _read(options.script)
    except (OSError, UsageError, ValueError) as error:
        return _say(str(error), MISUSED)
    observer = Observer(options.script)
    recorder = History().next_cell(observer)
    engines = Engines(recorder.calls)
    with watched(source, {}, observer, recorder, engines):
        ran = run_script(options.script, source, observer.follow)
    code = _exit_code(ran.error)
    if code is not None:
        return code
    try:
        bp = _pass(options, source, ran, observer, engines)
    except UsageError as error:
        return _say(str(error), MISUSED)
    if path is None:
        show_in_terminal(bp)
    else:
        try:
            bp.to_html(path)
        except OSError as error:
            return _say(str(error), MISUSED)
        _say(f"{path} has the {len(bp)} steps of this pass", FINE)
    if bp.error is not None:
        return _say(bp.error, FAILED)
    return FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Run a script and step back through the backward pass of its result. Without "
        "-o the table of steps is printed.",
        epilog="Exit codes: 0 fine, 1 the script or a backward failed, 2 wrong use; that of a "
        "script which calls sys.exit(code) is handed on.",
    )
    parser.add_argument("script", help="Python file; runs once, as python runs it.")
    parser.add_argument(
        "-o", "--output", metavar="PAGE", help="Write a page that steps, ending in .html."
    )
    parser.add_argument(
        "--result",
        metavar="EXPR",
        help="Go back from this expression, instead of the script's last expression or the last "
        "variable that it computes.",
    )
    parser.add_argument(
        "--cotangent", metavar="EXPR", help="Start from this gradient instead of ones."
    )
    parser.add_argument("--lang", choices=LANGUAGES, default="", help="Language of what is shown.")
    parser.add_argument("--step", type=int, metavar="N", default=0, help="Open the page at step N.")
    return parser


def _say(sentence: str, code: int) -> int:
    print(f"ipygrad: {sentence}", file=sys.stderr)
    return code


def _read(path: str) -> str:
    try:
        with tokenize.open(path) as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no Python file: {error}") from None


def _exit_code(error: BaseException | None) -> int | None:
    """Show what a script raised, as Python would; None when one can go on."""
    if isinstance(error, SystemExit):
        if isinstance(error.code, int) or error.code is None:
            return error.code or None
        print(error.code, file=sys.stderr)
        return FAILED
    if error is None:
        return None
    traceback.print_exception(error)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED


def _pass(
    options: Namespace, source: str, ran: Ran, observer: Observer, engines: Engines
) -> BackwardPass:
    found = _result(options, source, ran, observer, engines)
    captured = capture([found], engines, ran.namespace, observer)
    graph = captured.graph
    cotangent = None
    if options.cotangent is not None:
        value = evaluate(options.cotangent, "--cotangent", ran.namespace)
        cotangent = fitting_cotangent(value, graph, options.cotangent)
    with quietly():
        run = run_backward(graph, cotangent)
    check_step_number(options.step, run)
    lines = tuple(source.rstrip("\n").split("\n"))
    return BackwardPass(
        graph,
        run,
        code=lines,
        first_line=1,
        language=options.lang,
        notices=describe_captured(Words(options.lang), captured),
        start=options.step,
        untaken=observer.untaken,
        translation=captured.translation,
    )


def _result(
    options: Namespace, source: str, ran: Ran, observer: Observer, engines: Engines
) -> object:
    if options.result is not None:
        found = evaluate(options.result, "--result", ran.namespace)
        what = options.result
    else:
        found = find_result(source, ran.value, observer, engines, ran.namespace)
        what = "the script's last expression"
        if found is None:
            out = find_left_out(source, ran.value, engines, ran.namespace)
            if out is not None:
                raise left_out(*out, PROGRAM, EXAMPLE)
            raise no_result(ran.value, PROGRAM, "the script", EXAMPLE)
    check_result(found, engines, PROGRAM, what, EXAMPLE)
    return found


if __name__ == "__main__":
    sys.exit(main())
