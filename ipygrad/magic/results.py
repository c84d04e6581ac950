"""What users write in options: evaluated, and refused where one cannot go back from it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from ipygrad.capture.backward import checked_cotangent
from ipygrad.engine.core import Function, Variable
from ipygrad.explain.numbers import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from ipygrad.capture.adapters import Engines
    from ipygrad.capture.backward import BackwardRun
    from ipygrad.capture.graph import Graph
    from ipygrad.engine.core import Array


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


def asked_for(
    expression: str, evaluate: Callable[[str, str], object], engines: Engines, asker: str
) -> list[Any]:
    """Return the results that RESULT names: one, or of a tuple or list its elements.

    Parameters
    ----------
    evaluate
        From an expression and the name of its option to its value.
    engines
        Whose variables count.
    asker
        Who needs a result: ``"%%grad"``.

    Raises
    ------
    UsageError
        When one of them is no result.
    """
    parts = _parts_of(expression, evaluate(expression, "RESULT"))
    for what, part in parts:
        check_result(part, engines, asker, what, f"{asker} loss")
    return [part for _, part in parts]


def _parts_of(expression: str, value: object) -> list[tuple[str, object]]:
    """Return what RESULT names, each with its own expression; of a tuple or list its elements."""
    if not isinstance(value, (tuple, list)) or not value:
        return [(expression, value)]
    node = ast.parse(expression, mode="eval").body
    elements = node.elts if isinstance(node, (ast.Tuple, ast.List)) else []
    if len(elements) != len(value):  # a name of it, or one with a star in it
        whole = expression if expression.isidentifier() else f"({expression})"
        return [(f"{whole}[{place}]", part) for place, part in enumerate(value)]
    return [(ast.unparse(one), part) for one, part in zip(elements, value, strict=True)]


def check_result(value: object, engines: Engines, asker: str, what: str, example: str) -> None:
    """Raise a UsageError that says what `value` is when one cannot go back from it.

    Parameters
    ----------
    engines
        Whose variables count.
    asker
        Who needs a result: ``"%%grad"``.
    what
        What `value` is: an expression, or ``"the cell's last expression"``.
    example
        How to name another one: ``"%%grad loss"``.
    """
    if not isinstance(value, Variable) and engines.adapter_of(value) is None:
        raise UsageError(
            f"{asker} needs a result to go back from: {what} is {_without_history(value)}.\n"
            f"Name a Variable that functions have made: {example}"
        )
    if not engines.is_result(value):
        reason = engines.why_left_out(value)
        if reason is not None:
            raise left_out(what, reason, asker, example)
        raise UsageError(
            f"{asker} needs a result to go back from: {what} is a leaf, a Variable that no "
            f"function made.\nName one that was computed from others: {example}"
        )
    if isinstance(value, Variable) and not isinstance(value.creator, Function):
        raise UsageError(
            f"{asker} cannot go back from {what}: it was made by a "
            f"{type(value.creator).__name__}, which is not derived from ipygrad's Function"
        )


def fitting_cotangent(value: object, graph: Graph, expression: str) -> Array:
    """Return what ``--cotangent`` gave, if it fits the graph's result, else raise a UsageError."""
    result = graph.variables[graph.results[0]]
    try:
        return checked_cotangent(result.variable, result.name, value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"--cotangent {expression}: {error}") from None


def check_step_number(number: int, recorded: BackwardRun) -> None:
    """Raise a UsageError when a pass has no step of that number."""
    if not 0 <= number <= len(recorded.steps):
        raise UsageError(
            f"--step {number} is not in this pass, which has steps 0 to {len(recorded.steps)}"
        )


def no_result(value: object, asker: str, whole: str, example: str) -> UsageError:
    """Return what to raise where a cell or script, which ends in `value`, has no result."""
    return UsageError(
        f"{asker} needs a result to go back from: {_ending(value, whole)}.\n"
        f"End {whole} with a Variable, or name one: {example}"
    )


def left_out(name: str, reason: str, asker: str, example: str) -> UsageError:
    """Return what to raise where a learner's function has left a result without a creator."""
    return UsageError(
        f"{asker} needs a result to go back from: {name} has no creator: {reason}.\n"
        f"Name a Variable that was computed otherwise: {example}"
    )


def _ending(value: object, whole: str) -> str:
    if value is None:
        return f"no name in {whole} holds a Variable that a function made"
    return f"{whole} ends in {_without_history(value)}"


def _without_history(value: object) -> str:
    """Say what a value is: "an ndarray of shape (3,), which has no history"."""
    return described(value) + (", which has no history" if hasattr(value, "shape") else "")
