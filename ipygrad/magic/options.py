"""The line after ``%%grad`` and ``%grad``: RESULT and options, read and completed."""

from __future__ import annotations

import re
import shlex
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import argument, magic_arguments

from ipygrad.capture.adapters import Engines
from ipygrad.capture.orders import ORDERS
from ipygrad.engine.core import Variable
from ipygrad.explain.words import LANGUAGES
from ipygrad.magic.expectations import read_expectation

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from IPython.core.interactiveshell import InteractiveShell

DISPLAYS = ("html", "widget", "picture", "table")
MOST_DIGITS = 17
"""Digits that tell every float64 from every other."""
_OPTION = re.compile(r"-{1,2}[A-Za-z]")
ARGUMENTS = (
    argument(
        "-o",
        "--output",
        metavar="NAME",
        help="Bind the recorded BackwardPass to NAME; of several passes a tuple of them.",
    ),
    argument("-q", "--quiet", action="store_true", help="Record, but show no stepper."),
    argument("--step", type=int, metavar="N", default=0, help="Open the stepper at step N."),
    argument("--cotangent", metavar="EXPR", help="Start from this gradient instead of ones."),
    argument(
        "--create-graph",
        action="store_true",
        help="Leave gradients that can be differentiated again, and show the pass from each.",
    ),
    argument(
        "--as",
        dest="display_as",
        choices=DISPLAYS,
        help="Show the pass as the stepper (html), as its widget, a picture or a table.",
    ),
    argument("-p", "--precision", type=int, metavar="DIGITS", help="Significant digits to show."),
    argument(
        "--lang",
        dest="language",
        choices=LANGUAGES,
        help="Language of all that is shown: English, Japanese or Korean.",
    ),
    argument(
        "--no-check",
        dest="check",
        action="store_false",
        default=None,
        help="Do not compare each backward with differences of its forward.",
    ),
    argument(
        "--order",
        choices=ORDERS,
        default="generation",
        help="Take the functions' turns in this order; of these, only generation is right.",
    ),
    argument(
        "--expect",
        action="append",
        default=[],
        metavar="x.grad=VALUE",
        help="Fail the cell unless it leaves this gradient, to one part in 1,000.",
    ),
    argument(
        "--predict",
        action="store_true",
        help="Cover each next number in the stepper until a prediction is made.",
    ),
    argument("result", nargs="*", metavar="RESULT", help="Expression to go back from."),
)
OPTIONS = tuple(
    sorted(
        (name for declared in ARGUMENTS for name in declared.args if name.startswith("-")),
        key=lambda name: not name.startswith("--"),
    )
)
"""What all of them are called, long names first."""


def takes_options(method: Any) -> Any:
    """Give a magic the options, as ``method.parser``, and their part of its help."""
    for declare in reversed(ARGUMENTS):
        method = declare(method)
    return magic_arguments("%grad")(method)


def read_options(
    parser: ArgumentParser, line: str, *, digits: int, language: str, check: bool
) -> tuple[str, Namespace]:
    """Return RESULT, an empty string where there is none, and the options.

    Parameters
    ----------
    parser
        Of a magic that `takes_options`.
    line
        What is written after the magic.
    digits, language, check
        What holds where the options do not say.

    Raises
    ------
    UsageError
        With one line that says what is wrong.
    """
    expression, rest = split_at_first_option(line)
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise UsageError(f"%%grad cannot read its options, {rest}: {error}") from None
    # parse_argstring would split by IPython's rules, which leave quotes where they are.
    try:
        options: Namespace = parser.parse_args(words)
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
        options.precision = digits
    if not 1 <= options.precision <= MOST_DIGITS:
        raise UsageError(
            f"-p {options.precision}: numbers are shown with 1 to {MOST_DIGITS} digits"
        )
    options.expect = [read_expectation(text) for text in options.expect]
    if options.language is None:
        options.language = language
    if options.check is None:
        options.check = check
    return expression, options


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


def complete(shell: InteractiveShell, event: Any) -> list[str]:
    """Complete options, their values, and as RESULT the names of variables."""
    words = event.line.split()
    if event.symbol.startswith("-"):
        return list(OPTIONS)
    before = words if event.symbol == "" else words[:-1]
    for option, values in (("--as", DISPLAYS), ("--lang", LANGUAGES), ("--order", ORDERS)):
        if before[-1:] == [option]:
            return list(values)
    engines = Engines()
    return [
        name
        for name, value in shell.user_ns.items()
        if isinstance(value, Variable) or engines.is_result(value)
    ]
