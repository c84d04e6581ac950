"""Checks in words: what a comparison of backward with forward has shown, and the likely slip."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from ipygrad.capture.adapters.mirror import MirrorFunction
from ipygrad.explain.check import LARGEST_FACTOR, MOST_ELEMENTS

if TYPE_CHECKING:
    from ipygrad.capture.backward import BareStep
    from ipygrad.capture.graph import Graph
    from ipygrad.explain.check import Check
    from ipygrad.explain.words import Words


def describe_check(words: Words, graph: Graph, step: BareStep, check: Check) -> str:
    """Say what a check has shown, and for which input; one sentence, or two with the slip."""
    node = graph.functions[step.function]
    if check.status == "agrees":
        return words("check_agrees", function=node.label)
    if check.argnum is None or check.ratio is None:
        if check.reason == "forward fails" and isinstance(node.function, MirrorFunction):
            why = node.function.why_not_again()
            if why is not None:
                return words("check_not_again", function=node.label, reason=why)
        reason = str(check.reason).replace(" ", "_")
        return words(f"check_{reason}", function=node.label, most=f"{MOST_ELEMENTS:,}")
    contribution = step.contributions[check.argnum]
    values: dict[str, object] = {
        "function": node.label,
        "input": graph.variables[node.inputs[check.argnum]].name,
        "contribution": words.number(contribution),
        "ratio": words.number(check.ratio),
    }
    slope = check.slopes[check.argnum]
    if slope is not None:
        values["expected"] = words.number(step.cotangents[0] * slope)
        values["slope"] = words.number(slope)
        sentence = words("check_disagrees", **values)
    elif math.isfinite(check.ratio):
        sentence = words("check_disagrees_array", **values)
    else:
        sentence = words("check_disagrees_zero", **values)
    if check.slip is None:
        return sentence
    values["factor"] = Fraction(abs(check.ratio)).limit_denominator(LARGEST_FACTOR)
    slip = words("slip_" + check.slip.replace(" ", "_"), **values)
    return words.join([sentence, slip])
