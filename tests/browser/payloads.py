"""Payloads for tests of the front end, built by hand: no engine and no layout."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ipygrad.show.room import room_of
from tests.browser import scenes

Payload = dict[str, Any]
Number = dict[str, str]
MathTree = str | list[Any]
Formula = dict[str, Any]

ENGLISH = json.loads(
    (resources.files("ipygrad.explain") / "languages" / "en.json").read_text("utf-8")
)
SENTENCES: dict[str, str] = ENGLISH["sentences"]
WORDS: dict[str, str] = ENGLISH["interface"]
"""The texts of the interface, in English."""

AGREES = "✓ backward agrees with the measured slope."

BOX_WIDTH = 96.0


@dataclass(frozen=True)
class Var:
    """A variable that holds one number; at is the column and row of its box, if it is drawn."""

    name: str
    value: float
    kind: str = "intermediate"
    at: tuple[float, float] | None = None


@dataclass(frozen=True)
class Call:
    """A function's call: numbers of variables, and dy/dx for each input."""

    label: str
    inputs: tuple[int, ...]
    output: int
    slopes: tuple[float, ...]
    line: int | None = None
    at: tuple[float, float] | None = None
    formulas: tuple[Formula, ...] = ()


def number(value: float | None) -> Number | None:
    return None if value is None else {"text": f"{value:.4g}", "exact": repr(value)}


def formula(text: str, *parts: MathTree) -> Formula:
    """Return a formula; with no parts, its text is one symbol."""
    return {"text": text, "math": ["mrow", *parts] if parts else ["mi", text]}


def _joined(sign: str, parts: list[Formula]) -> Formula:
    trees = [tree for part in parts for tree in (["mo", sign], part["math"])]
    return formula(f" {sign} ".join(part["text"] for part in parts), *trees[1:])


def derivative(y: str, x: str) -> Formula:
    """Return the partial derivative of y by x as a formula."""
    above, below = (["mrow", ["mo", "∂"], ["mi", name]] for name in (y, x))
    return {"text": f"∂{y}/∂{x}", "math": ["mfrac", above, below]}


def numeral(value: float) -> Formula:
    """Return a number as a formula."""
    return {"text": f"{value:.4g}", "math": ["mn", f"{value:.4g}"]}


def plot(label: str, columns: int = 1) -> str:
    """Return a small picture in SVG, of the size of a real one; it has one curve."""
    width = 302 if columns == 1 else 238 * columns
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{width}pt" height="266pt" viewBox="0 0 {width} 266">'
        f'<rect width="{width}" height="266" fill="#fff"/>'
        '<path d="M40 230H290M40 230V20" stroke="#8c8c8c" fill="none"/>'
        '<path d="M40 220C160 210 240 150 290 20" stroke="#0072b2" stroke-width="2" fill="none"/>'
        '<path d="M120 230L280 60" stroke="#d55e00" stroke-width="2" stroke-dasharray="6 4"/>'
        f'<text x="50" y="36" font-family="sans-serif" font-size="12">{label}</text></svg>'
    )


def build(
    variables: list[Var],
    calls: list[Call],
    *,
    code: list[str] | None = None,
    notices: tuple[str, ...] = (),
    plots: bool = True,
    drawn: bool = True,
    box_width: float = BOX_WIDTH,
) -> Payload:
    """Return the payload of a pass through functions of numbers, made in the order of `calls`."""
    result = calls[-1].output if calls else 0
    name = variables[result].name
    steps = [_step(None, None, f"start: {name}", [_product(result, name, 1.0)])]
    gradients = {result: 1.0}
    turns: dict[int, int] = {}
    for index, call in reversed(list(enumerate(calls))):
        turns[index] = len(steps)
        arriving = gradients[call.output]
        products = []
        output = variables[call.output].name
        for j, (variable, slope) in enumerate(zip(call.inputs, call.slopes, strict=True)):
            contribution = arriving * slope
            before = gradients.get(variable)
            constant = variables[variable].kind == "constant"
            factors = (arriving, slope, before)
            target = variables[variable].name
            product = _product(variable, target, contribution, factors, constant)
            if call.formulas:
                numbers = _joined("·", [numeral(arriving), numeral(slope)])
                letters = _joined("·", [derivative(name, output), call.formulas[j]])
                whole = [derivative(name, target), letters, numbers, numeral(contribution)]
                product.update(formula=call.formulas[j], equation=_joined("=", whole))
            products.append(product)
            if not constant:
                gradients[variable] = (before or 0.0) + contribution
        heading = f"{call.label}: from {variables[call.output].name} to " + ", ".join(
            variables[variable].name for variable in dict.fromkeys(call.inputs)
        )
        columns = sum(not product["constant"] for product in products) if plots else 0
        step = _step(index, call.line, heading, products)
        step |= {"columns": columns, "plot": plot(call.label, columns) if plots else None}
        step["check"] = "agrees"
        step["texts"]["check"] = AGREES
        steps.append(step)
    for k, step in enumerate(steps):
        step["status"] = f"Step {k} of {len(steps) - 1}: {step['heading']}"
        step["parts"] = [f"Step {k}, part {part}" for part in (1, 2)] if k else []
    for step, waiting in zip(steps, [*steps[1:], None], strict=True):
        functions = [] if waiting is None else [waiting["function"]]
        text = "\n".join(["The next one.", *(f"● {calls[f].label}" for f in functions)])
        step["waiting"] = functions
        step["texts"]["turns"] = text
    rows, row_steps, row_items = _rows(steps, calls)
    return {
        "version": 1,
        "title": f"Backward pass of {name}",
        "language": "en",
        "words": WORDS,
        "sentences": SENTENCES,
        "start": 0,
        "predict": False,
        "notices": list(notices),
        "code": _code(code, calls) if code else None,
        "graph": {
            "variables": [
                {
                    **_variable(variable, i, calls, turns),
                    **_states(variable, i, steps),
                    "chain": _chain(variables, calls, i) if drawn and i in gradients else None,
                }
                for i, variable in enumerate(variables)
            ],
            "functions": [_function(call, turns[i], variables) for i, call in enumerate(calls)],
            **(
                scenes.whole(variables, calls, box_width)
                if drawn
                else scenes.folded(calls, box_width)
            ),
        },
        "numbers": [],
        "steps": steps,
        "forward": [_forward(i, call, variables) for i, call in enumerate(calls)] if drawn else [],
        "room": room_of(steps),
        "sizes": None,
        "knobs": [],
        "knobs_more": "",
        "table": {
            "columns": ["step", "function", "to", "arriving", "local", "contribution", "gradient"],
            "rows": rows,
            "row_steps": row_steps,
            "row_items": row_items,
        },
    }


def _chain(variables: list[Var], calls: list[Call], start: int) -> Payload:
    """Follow every path from a variable to the result."""
    result = calls[-1].output if calls else start
    y, x = variables[result].name, variables[start].name
    routes: list[tuple[int, list[Formula], list[float], list[str]]] = [(start, [], [], [])]
    paths, values = [], []
    while routes:
        at, letters, numbers, edges = routes.pop()
        if at == result:
            values.append(math.prod(numbers))
            parts = [_joined("·", letters), _joined("·", [numeral(number) for number in numbers])]
            path = _joined("=", [*parts, numeral(values[-1])] if letters else [numeral(1.0)])
            paths.append({**path, "factors": edges})
        for f, call in enumerate(calls):
            step = derivative(variables[call.output].name, variables[at].name)
            for variable, slope in zip(call.inputs, call.slopes, strict=True):
                if variable == at:
                    edge = f"v{at} f{f}"
                    routes.append(
                        (call.output, [step, *letters], [slope, *numbers], [edge, *edges])
                    )
    total = _joined("+", [numeral(value) for value in values])
    whole = [derivative(y, x), total, numeral(sum(values))]
    return {
        "heading": derivative(y, x),
        "paths": paths[:8],
        "more": f"and {len(paths) - 8} more paths" if len(paths) > 8 else "",
        "total": _joined("=", whole) if len(paths) > 1 else None,
    }


def _product(
    variable: int,
    name: str,
    contribution: float,
    factors: tuple[float | None, float | None, float | None] = (None, None, None),
    constant: bool = False,
) -> Payload:
    arriving, local, before = factors
    after = (before or 0.0) + contribution
    return {
        "variable": variable,
        "name": name,
        "constant": constant,
        "holds": True,
        "arriving": number(arriving),
        "local": number(local),
        "formula": None,
        "equation": None,
        "summed": None,
        "contribution": None if constant else number(contribution),
        "before": number(before),
        "after": None if constant else number(after),
    }


def _step(
    function: int | None,
    line: int | None,
    heading: str,
    products: list[Payload],
) -> Payload:
    return {
        "function": function,
        "line": line,
        "heading": heading,
        "status": "",
        "texts": {"sentence": f"The gradient goes back: {heading}."},
        "parts": [],
        "products": products,
        "check": None,
        "waiting": [],
        "columns": 0,
        "plot": None,
    }


def check(payload: Payload, step: int, status: str, text: str) -> None:
    """Say what the check of a step has found."""
    payload["steps"][step]["check"] = status
    payload["steps"][step]["texts"]["check"] = text


def _forward(function: int, call: Call, variables: list[Var]) -> Payload:
    heading = f"{call.label} makes {variables[call.output].name}"
    step = _step(function, call.line, heading, [])
    parts = [f"Forward {function + 1}, part {part}" for part in (1, 2)]
    inputs, outputs = (
        [
            ", ".join(variables[v].name for v in ends),
            {
                "text": "; ".join(f"{variables[v].value:.4g}" for v in ends),
                "exact": "; ".join(repr(variables[v].value) for v in ends),
            },
        ]
        for ends in (call.inputs, [call.output])
    )
    made = {"text": call.label, "exact": call.label}
    factors = [[*inputs, "local"], ["function", made, "local"], [*outputs, "result"]]
    said = {"status": f"Forward {function + 1}: {heading}", "parts": parts, "factors": factors}
    return step | said


def _rows(steps: list[Payload], calls: list[Call]) -> tuple[list[list[str]], list[int], list[str]]:
    rows, row_steps, row_items = [], [], []
    for k, step in enumerate(steps):
        label = "" if step["function"] is None else calls[step["function"]].label
        for product in step["products"]:
            numbers = [product[key] for key in ("arriving", "local", "contribution", "after")]
            texts = [number["text"] if number else "–" for number in numbers]
            rows.append([str(k), label, product["name"], *texts])
            row_steps.append(k)
            function = "" if step["function"] is None else f" f{step['function']}"
            row_items.append(f"v{product['variable']}{function}")
    return rows, row_steps, row_items


def _code(lines: list[str], calls: list[Call]) -> Payload:
    items: list[list[str]] = [[] for _ in lines]
    for index, call in reversed(list(enumerate(calls))):
        if call.line is not None:
            items[call.line - 2].append(f"f{index}")
    parts: list[list[Any]] = [[line] for line in lines]
    for index, call in enumerate(calls):
        if call.line is not None:
            # The expression is what is assigned.
            target, sign, expression = lines[call.line - 2].rpartition("= ")
            parts[call.line - 2] = [target + sign, [f"f{index}", expression]]
    joined = [",".join(of_line) for of_line in items]
    return {"first": 2, "lines": lines, "expressions": parts, "items": joined, "untaken": []}


def _variable(variable: Var, index: int, calls: list[Call], turns: dict[int, int]) -> Payload:
    users = [i for i, call in enumerate(calls) if index in call.inputs]
    creators = [i for i, call in enumerate(calls) if call.output == index]
    return {
        "name": variable.name,
        "kind": variable.kind,
        "creator": creators[0] if creators else None,
        "users": sorted(users, key=turns.__getitem__),
        "value": number(variable.value),
    }


def _states(variable: Var, index: int, steps: list[Payload]) -> Payload:
    """Return the states of a variable's gradient, and the step in which it is complete."""
    arrived = [
        (k, product)
        for k, step in enumerate(steps)
        for product in step["products"]
        if product["variable"] == index and not product["constant"]
    ]
    unreached = "constant" if variable.kind == "constant" else "unreached"
    states = [state(0, "not_yet" if arrived else unreached)]
    for count, (k, product) in enumerate(arrived, 1):
        key = "arrived" if count == len(arrived) else "waiting"
        states.append(state(k, key, product["after"], (count, len(arrived))))
    return {"step": arrived[-1][0] if arrived else None, "states": states}


def state(
    step: int, key: str, gradient: Number | None = None, of: tuple[int, int] = (0, 0)
) -> list[Any]:
    """Return a state of a variable's gradient, from a step on."""
    return [step, key, gradient, *of]


def _function(call: Call, turn: int, variables: list[Var]) -> Payload:
    return {
        "label": call.label,
        "line": call.line,
        "source": f"{call.label}({', '.join(variables[v].name for v in call.inputs)})",
        "inputs": list(call.inputs),
        "outputs": [call.output],
        "step": turn,
    }


def _in(name: str) -> list[MathTree]:
    return [["mo", "("], ["mi", name], ["mo", ")"]]


def _twice(name: str) -> Formula:
    return formula(f"2·{name}", ["mn", "2"], ["mo", "·"], ["mi", name])


def chain() -> Payload:
    """Return the seed example: y = exp(x ** 2) ** 2 at x = 0.5."""
    b = math.exp(0.25)
    return build(
        [
            Var("x", 0.5, "leaf", (0, 0)),
            Var("a", 0.25, at=(2, 0)),
            Var("b", b, at=(4, 0)),
            Var("y", b * b, "result", (6, 0)),
        ],
        [
            Call("square", (0,), 1, (1.0,), 3, (1, 0), (_twice("x"),)),
            Call("exp", (1,), 2, (b,), 4, (3, 0), (formula("exp(a)", ["mi", "exp"], *_in("a")),)),
            Call("square", (2,), 3, (2 * b,), 5, (5, 0), (_twice("b"),)),
        ],
        code=["x = Variable(np.array(0.5))", "a = square(x)", "b = exp(a)", "y = square(b)"],
    )


def stopped() -> Payload:
    """Return the seed example as it is when the cell raised: without a pass."""
    payload = chain()
    payload["steps"] = [{**payload["steps"][0], "products": []}]
    payload["code"]["steps"] = [[] for _ in payload["code"]["lines"]]
    for function in payload["graph"]["functions"]:
        function["step"] = None
    for variable in payload["graph"]["variables"]:
        variable.update(step=None, chain=None)
    return payload


def shared() -> Payload:
    """Return y = x * x at x = 3: one box, two edges."""
    return build(
        [Var("x", 3.0, "leaf", (0, 0)), Var("y", 9.0, "result", (2, 0))],
        [Call("multiply", (0, 0), 1, (3.0, 3.0), 3, (1, 0), (formula("x"), formula("x")))],
        code=["x = Variable(3.0)", "y = x * x"],
    )


def constant() -> Payload:
    """Return y = w * x + 2, all on one line: two inputs, then a constant."""
    return build(
        [
            Var("w", 0.1, "leaf", (0, 0)),
            Var("x", -3.0, "leaf", (0, 1)),
            Var("w * x", -0.3, at=(2, 0)),
            Var("2.0", 2.0, "constant", (2, 1)),
            Var("y", 1.7, "result", (4, 0)),
        ],
        [
            Call("multiply", (0, 1), 2, (-3.0, 0.1), 2, (1, 0), (formula("x"), formula("w"))),
            Call("add", (2, 3), 4, (1.0, 1.0), 2, (3, 0), (numeral(1.0), numeral(1.0))),
        ],
        code=["y = w * x + 2.0"],
    )


def paths() -> Payload:
    """Return a variable from which sixteen paths lead to the result."""
    variables = [Var("x", 1.0, "leaf", (0, 0))]
    calls = []
    for i, name in enumerate("abcy"):
        variables.append(Var(name, 2.0 ** (i + 1), at=(2 * i + 2, 0)))
        calls.append(Call("add", (i, i), i + 1, (1.0, 1.0), i + 2, (2 * i + 1, 0)))
    return build(variables, calls, code=["a = x + x", "b = a + a", "c = b + b", "y = c + c"])


def arrays() -> Payload:
    """Return y = sum(x * w), x of shape (4, 3) and w of shape (3,): a sum over an axis."""
    payload = build(
        [
            Var("x", 1.0, "leaf", (0, 0)),
            Var("w", 2.0, "leaf", (0, 1)),
            Var("p", 2.0, at=(2, 0)),
            Var("y", 24.0, "result", (4, 0)),
        ],
        [
            Call("multiply", (0, 1), 2, (2.0, 1.0), 2, (1, 0), (formula("w"), formula("x"))),
            Call("sum", (2,), 3, (1.0,), 3, (3, 0), (formula("ones"),)),
        ],
        code=["p = x * w", "y = sum(p)"],
    )
    shapes = ["(4, 3)", "(3,)", "(4, 3)", ""]

    def array(shape: str) -> Number:
        return {"text": f"array {shape}", "exact": f"[[1.0, 2.0, … shape {shape}"}

    graph, steps = payload["graph"], payload["steps"]
    for variable, shape in zip(graph["variables"], shapes, strict=True):
        if shape:
            variable["value"] = array(shape)
    (scene,) = graph["shapes"]
    items = graph["groups"][0]["items"]
    for line in scene["lines"]:
        tail, head = line[:2]
        variable = next(int(items[end][1:]) for end in (tail, head) if items[end][0] == "v")
        if shape := shapes[variable]:
            (left, middle, width, _), (right, other, *_) = (scene["boxes"][i] for i in (tail, head))
            line[-2:] = shape, [(left + width + right) / 2, (middle + other) / 2]
    for step in steps[1:]:
        for product in step["products"]:
            shape = shapes[product["variable"]]
            product.update(local=array("(4, 3)"), contribution=array(shape), after=array(shape))
    steps[1]["products"][0]["local"] = {"text": "Jacobian (4, 3)", "exact": "ones"}
    for product in steps[2]["products"]:
        product["arriving"] = array("(4, 3)")
    steps[2]["products"][1]["summed"] = {
        "text": "summed over axis 0: (4, 3) → (3,)",
        "before": array("(4, 3)"),
    }
    return payload


def nasty() -> Payload:
    """Return a pass in which every text of the user's tries to be markup."""
    text = "</script><img src=x onerror=alert(1)>"
    payload = build(
        [Var(text, 1.0, "leaf", (0, 0)), Var(f"'\"{text}", 2.0, "result", (2, 0))],
        [Call(text, (0,), 1, (2.0,), 2, (1, 0), (formula(text, ["script", text], text),))],
        code=[f"y = {text}"],
        notices=(text,),
        plots=False,
        box_width=160.0,
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1){text}'
    check(payload, 1, "disagrees", f"≠ {text}")
    payload["steps"][1]["texts"]["notes"] = text
    payload["steps"][1].update(columns=1, plot=svg)
    payload["steps"][1]["products"][0]["summed"] = {"text": text, "before": number(2.0)}
    return payload


def long_names() -> Payload:
    """Return a pass with names longer than a box, in Hangul too, and a very small number."""
    payload = build(
        [
            Var("학습률을_곱한_기울기_벡터", 1.5, "leaf", (0, 0)),
            Var("the_weighted_sum_of_everything", -1.2345678e-105, at=(2, 0)),
            Var("손실", 1.0, "result", (4, 0)),
        ],
        [
            Call("시그모이드", (0,), 1, (-1.2345678e-105,), 2, (1, 0)),
            Call("mean_squared_error_of", (1,), 2, (1.0,), 3, (3, 0)),
        ],
        code=[
            "the_weighted_sum_of_everything = 시그모이드(학습률을_곱한_기울기_벡터)  # long",
            "손실 = mean_squared_error_of(the_weighted_sum_of_everything)",
        ],
        box_width=160.0,
    )
    payload["language"] = "ko"
    return payload


def large(functions: int = 1000) -> Payload:
    """Return a long chain that is folded, and a variable that twenty functions use."""
    variables = [Var("x0", 1.0, "leaf")]
    calls = []
    for i in range(functions - 21):
        variables.append(Var(f"x{i + 1}", 1.0))
        calls.append(Call("sin", (i,), i + 1, (0.999,), 2))
    shared_index = len(variables) - 1
    for i in range(20):
        variables.append(Var(f"h{i}", 1.0))
        calls.append(Call("exp", (shared_index,), len(variables) - 1, (0.5,), 3))
    heads = tuple(range(shared_index + 1, shared_index + 21))
    variables.append(Var("total", 20.0, "result"))
    calls.append(Call("sum", heads, len(variables) - 1, (1.0,) * 20, 4))
    return build(
        variables,
        calls,
        code=["x = [sin(v) for v in x]", "h = [exp(x[-1]) for _ in range(20)]", "total = sum(h)"],
        notices=(f"The graph has {functions} functions, in groups.",),
        plots=False,
        drawn=False,
    )


def empty() -> Payload:
    """Return a result without a history: step 0 and a notice."""
    return build(
        [Var("y", 2.0, "result", (0, 0))],
        [],
        notices=("Nothing made y: it is a leaf.",),
        plots=False,
    )


def network(columns: int = 10, rows: int = 5) -> Payload:
    """Return rows of functions side by side, all laid out, summed at last."""
    variables: list[Var] = []
    calls: list[Call] = []
    ends = []
    for row in range(rows):
        variables.append(Var(f"x{row}", 0.5, "leaf", (0, row)))
        for column in range(columns):
            at = 2 * column + 1
            variables.append(Var(f"h{row}_{column}", 0.9, at=(at + 1, row)))
            source, target = len(variables) - 2, len(variables) - 1
            calls.append(Call("tanh", (source,), target, (0.9,), 2, (at, row)))
        ends.append(len(variables) - 1)
    middle = (rows - 1) / 2
    variables.append(Var("y", 1.0, "result", (2 * columns + 2, middle)))
    slopes = (1.0,) * rows
    at_end = (2 * columns + 1, middle)
    calls.append(Call("sum", tuple(ends), len(variables) - 1, slopes, 3, at_end))
    return build(variables, calls, code=["h = tanh(x)", "y = sum(h)"])
