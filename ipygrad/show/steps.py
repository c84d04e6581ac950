"""The steps of a pass, as the payload has them: in words and in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipygrad.capture.waiting import WaitingList
from ipygrad.explain.numbers import exact
from ipygrad.explain.products import (
    elementwise_formula,
    equation,
    product_before_sum,
    product_holds,
    summed_text,
)
from ipygrad.explain.turns import describe_next, describe_waiting
from ipygrad.explain.words import describe_start, describe_step

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from ipygrad.capture.backward import BareStep
    from ipygrad.explain.formula import Formula
    from ipygrad.explain.words import Words
    from ipygrad.show.payload import Kept, Pass

SIGNS = {"agrees": "✓", "disagrees": "≠", "not checked": "–"}
"""What a check found."""
MOST_WAITING = 8
"""Of the functions that wait after a step, so many are listed."""

Json = dict[str, Any]


def written(words: Words, value: np.ndarray | float) -> Json:
    """Return a number as the payload has it."""
    return {"text": words.number(value), "exact": exact(value)}


def _number(words: Words, value: np.ndarray | float | None) -> Json | None:
    return None if value is None else written(words, value)


def formula_of(formula: Formula | None) -> Json | None:
    """Return a formula as the payload has it."""
    return None if formula is None else {"text": formula.text, "math": formula.mathml}


def start_of(shown: Pass, kept: Kept) -> Json:
    """Return the start of a pass, its first step in the payload."""
    said = describe_start(shown.words, shown.graph, shown.run)
    products = []
    line = None
    if shown.run is not None:
        result = shown.graph.variables[shown.graph.results[0]]
        line = result.line
        products.append(
            {
                "variable": kept.variables[result.index],
                "name": result.name,
                "constant": False,
                "holds": True,
                "arriving": None,
                "local": None,
                "formula": None,
                "equation": None,
                "summed": None,
                "contribution": _number(shown.words, shown.run.cotangent),
                "before": None,
                "after": _number(shown.words, shown.run.cotangent),
            }
        )
    return {
        "function": None,
        "line": line,
        "heading": said.heading,
        "sentence": said.sentence,
        "status": said.status,
        "parts": [],
        "products": products,
        "notes": [],
        "check": None,
        "source": "",
        "picture": False,
        "plot": None,
    }


def step_of(shown: Pass, step: BareStep, plot: str | None, kept: Kept) -> Json:
    """Return one function's turn; `plot` is an SVG document."""
    node = shown.graph.functions[step.function]
    words = shown.words
    slopes = shown.findings.slopes(step)
    said = describe_step(words, shown.graph, step, len(shown.steps), slopes)
    arriving = _arriving(words, step)
    return {
        "function": kept.functions[step.function],
        "line": node.line,
        "heading": said.heading,
        "sentence": said.sentence,
        "status": said.status,
        "parts": list(said.parts),
        "products": [
            _product(shown, step, argnum, kept, arriving) for argnum in range(len(node.inputs))
        ],
        "notes": list(shown.findings.notes(step)),
        "check": _check(shown, step),
        "source": _source(words, step),
        "picture": shown.findings.has_plot(step),
        "plot": plot,
    }


def waiting_of(shown: Pass, kept: Kept, steps: int) -> Iterator[Json | None]:
    """Yield who waits after the start and each step; who is not kept is only counted."""
    if shown.run is None:
        yield None
        return
    waiting = WaitingList(shown.graph, shown.run)
    for index in range(steps + 1):
        if index > 0:
            waiting.advance()
        queue = waiting.queue(MOST_WAITING)
        functions = [kept.functions.get(one.function) for one in queue.first]
        yield {
            "functions": [function for function in functions if function is not None],
            "text": "\n".join(
                (
                    describe_next(shown.words, queue, stopped=index == len(shown.steps)),
                    *describe_waiting(shown.words, queue),
                )
            ),
        }


def _source(words: Words, step: BareStep) -> str:
    if step.source is None:
        return ""
    held = (f"{name} = {words.number(value)}" for name, value in step.source.values)
    return "\n".join((*step.source.lines, "", *held))


def _product(shown: Pass, step: BareStep, argnum: int, kept: Kept, arriving: Json) -> Json:
    words, graph = shown.words, shown.graph
    node = graph.functions[step.function]
    variable = node.inputs[argnum]
    contribution, slope = step.contributions[argnum], shown.findings.slopes(step)[argnum]
    is_constant = contribution is None
    is_wrong = shown.findings.check(step).status == "disagrees"
    formula = elementwise_formula(graph, step, argnum)
    local = _number(words, slope)
    if local is None and not is_constant:
        local = {"text": words("jacobian"), "exact": ""}
    summed = None
    if slope is not None and (text := summed_text(words, step, argnum)):
        summed = {"text": text, "before": _number(words, product_before_sum(step, slope))}
    return {
        "variable": kept.variables[variable],
        "name": graph.variables[variable].name,
        "constant": is_constant,
        "holds": slope is None or product_holds(step, argnum, slope),
        "arriving": arriving,
        "local": local,
        "formula": formula_of(formula),
        "equation": None if is_wrong else formula_of(equation(words, graph, step, argnum, slope)),
        "summed": summed,
        "contribution": _number(words, contribution),
        "before": _number(words, step.before[argnum]),
        "after": _number(words, step.after[argnum]),
    }


def _check(shown: Pass, step: BareStep) -> Json | None:
    check = shown.findings.check(step)
    if check.reason == "off":
        return None
    return {
        "status": check.status.replace(" ", "_"),
        "text": f"{SIGNS[check.status]} {shown.findings.verdict(step)}",
    }


def _arriving(words: Words, step: BareStep) -> Json:
    """Return what arrives at a step's function as a Number; several outputs are listed."""
    if len(step.cotangents) == 1:
        return written(words, step.cotangents[0])
    return {
        "text": "; ".join(words.number(cotangent) for cotangent in step.cotangents),
        "exact": "; ".join(exact(cotangent) for cotangent in step.cotangents),
    }
