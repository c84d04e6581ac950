"""The steps of a pass, as the payload has them: in words and in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ipygrad.explain.numbers import exact
from ipygrad.explain.products import (
    elementwise_formula,
    equation,
    product_before_sum,
    product_holds,
    summed_text,
)
from ipygrad.explain.turns import describe_next, describe_waiting
from ipygrad.explain.words import describe_start, describe_step, describe_turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ipygrad.capture.backward import BareStep
    from ipygrad.explain.formula import Formula
    from ipygrad.explain.words import StepWords, Words
    from ipygrad.show.payload import Kept, Pass

SIGNS = {"agrees": "✓", "disagrees": "≠", "not checked": "–"}
"""What a check found."""
MOST_WAITING = 8
"""Of the functions that wait after a step, so many are listed."""

Json = dict[str, Any]


def written(words: Words, value: np.ndarray | float) -> Json:
    """Return a number as the payload has it."""
    return {"text": words.number(value), "exact": exact(value)}


def number_of(words: Words, value: np.ndarray | float | None) -> Json | None:
    """Return a number as the payload has it, None for none."""
    return None if value is None else written(words, value)


def formula_of(formula: Formula | None) -> Json | None:
    """Return a formula as the payload has it."""
    return None if formula is None else {"text": formula.text, "math": formula.mathml}


def said_step(
    said: StepWords,
    function: int | None,
    line: int | None,
    texts: Mapping[str, str] | None = None,
    **known: Any,
) -> Json:
    """Return a step in words; of what is not `known`, and in more `texts`, it has nothing."""
    every = {"sentence": said.sentence, **(texts or {})}
    return {
        "function": function,
        "line": line,
        "heading": said.heading,
        "status": said.status,
        "texts": {name: text for name, text in every.items() if text},
        "parts": list(said.parts),
        "products": [],
        "check": None,
        "waiting": [],
        "columns": 0,
        "plot": None,
        **known,
    }


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
                "contribution": number_of(shown.words, shown.run.cotangent),
                "before": None,
                "after": number_of(shown.words, shown.run.cotangent),
            }
        )
    waiting, turns = waiting_after(shown, kept, 0)
    return said_step(said, None, line, {"turns": turns}, products=products, waiting=waiting)


def told_step(shown: Pass, step: BareStep, kept: Kept, plot: str | None) -> Json:
    """Return one function's turn in words; `plot` is an SVG document."""
    node = shown.graph.functions[step.function]
    words = shown.words
    slopes = shown.findings.slopes(step)
    said = describe_step(words, shown.graph, step, len(shown.steps), slopes)
    arriving = _arriving(words, step)
    products = [_product(shown, step, argnum, kept, arriving) for argnum in range(len(node.inputs))]
    columns = sum(one["local"] is not None and not one["constant"] for one in products)
    waiting, turns = waiting_after(shown, kept, step.index)
    status, checked = _check(shown, step)
    texts = {
        "notes": " ".join(shown.findings.notes(step)),
        "turns": turns,
        "check": checked,
        "source": _source(words, step),
    }
    return said_step(
        said,
        kept.functions[step.function],
        node.line,
        texts,
        products=products,
        check=status,
        waiting=waiting,
        columns=columns if shown.findings.has_plot(step) else 0,
        plot=plot,
    )


def lean_step(shown: Pass, step: BareStep, kept: Kept, numbers: NumberList) -> Json:
    """Return one function's turn in the numbers that are known, which takes little time.

    `Findings.slopes_of_numbers` finds the local derivatives of many steps at once.
    """
    node = shown.graph.functions[step.function]
    if len(step.cotangents) == 1:
        arriving = numbers.place(step.cotangents[0])
    else:
        arriving = numbers.add(_arriving(shown.words, step))
    slopes = shown.findings.known_slopes(step)
    columns = sum(contribution is not None for contribution in step.contributions)
    return {
        "function": kept.functions[step.function],
        "line": node.line,
        "heading": describe_turn(shown.words, shown.graph, step),
        "columns": columns if shown.findings.has_plot(step) else 0,
        "arriving": arriving,
        "products": [
            [
                kept.variables[variable],
                slope is None or product_holds(step, argnum, slope),
                *map(numbers.place, (slope, contribution, before, after)),
            ]
            for argnum, (variable, slope, contribution, before, after) in enumerate(
                zip(node.inputs, slopes, step.contributions, step.before, step.after, strict=True)
            )
        ],
    }


class NumberList:
    """Numbers that stand in a payload once, and elsewhere by their place here.

    Parameters
    ----------
    words
        Know how many digits are shown.

    Attributes
    ----------
    written
        The numbers, as the payload has them.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self._places: dict[object, int] = {}
        self.written: list[Json] = []

    def place(self, value: np.ndarray | float | None) -> int | None:
        """Return where a number stands, None for none."""
        if value is None:
            return None
        key: object = value
        if isinstance(value, np.ndarray):
            # Arrays are those of the pass, which stay while the payload is made.
            key = ("array", id(value)) if value.ndim else value.item()
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self.add(written(self._words, value))
        return place

    def add(self, number: Json) -> int:
        """Write a number as the payload has it, and return where it stands."""
        self.written.append(number)
        return len(self.written) - 1


def waiting_after(shown: Pass, kept: Kept, index: int) -> tuple[list[int], str]:
    """Return who waits after a step, or the start, and why; who is not kept is only counted."""
    queue = shown.findings.queue(index, MOST_WAITING)
    if queue is None:
        return [], ""
    functions = [kept.functions.get(one.function) for one in queue.first]
    lines = (
        describe_next(shown.words, queue, stopped=index == len(shown.steps)),
        *describe_waiting(shown.words, queue),
    )
    return [function for function in functions if function is not None], "\n".join(lines)


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
    local = number_of(words, slope)
    if local is None and not is_constant:
        local = {"text": words("jacobian"), "exact": ""}
    summed = None
    if slope is not None and (text := summed_text(words, step, argnum)):
        summed = {"text": text, "before": number_of(words, product_before_sum(step, slope))}
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
        "contribution": number_of(words, contribution),
        "before": number_of(words, step.before[argnum]),
        "after": number_of(words, step.after[argnum]),
    }


def _check(shown: Pass, step: BareStep) -> tuple[str | None, str]:
    """Return what a check found, and say it; nothing where checks are off."""
    check = shown.findings.check(step)
    if check.reason == "off":
        return None, ""
    said = f"{SIGNS[check.status]} {shown.findings.verdict(step)}"
    return check.status.replace(" ", "_"), said


def _arriving(words: Words, step: BareStep) -> Json:
    """Return what arrives at a step's function as a Number; several outputs are listed."""
    if len(step.cotangents) == 1:
        return written(words, step.cotangents[0])
    return {
        "text": "; ".join(words.number(cotangent) for cotangent in step.cotangents),
        "exact": "; ".join(exact(cotangent) for cotangent in step.cotangents),
    }
