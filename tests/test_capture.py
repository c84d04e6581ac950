"""The recorded backward pass: its steps to the last digit, its names, its notes, its text."""

from __future__ import annotations

import json
import random
import re
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import (
    BackwardPass,
    BackwardStep,
    Function,
    Variable,
    add,
    backward_pass,
    divide,
    exp,
    log,
    no_grad,
    relu,
    sqrt,
    square,
    tanh,
)
from ipygrad.capture.backward import run_backward
from ipygrad.capture.graph import capture_graph
from ipygrad.capture.observe import CallSite
from ipygrad.explain.local import local_slopes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DY_DB = 2.568050833375483
DY_DA = 3.297442541400256
LONG = 100_000


def seed() -> tuple[Variable, Variable, Variable, Variable]:
    x = Variable(np.array(0.5), name="x")
    a = square(x)
    b = exp(a)
    return x, a, b, square(b)


def seed_pass() -> BackwardPass:
    x = Variable(np.array(0.5))
    a = square(x)
    b = exp(a)
    y = square(b)
    assert x.data == 0.5
    return backward_pass(y)


def numbers(values: Sequence[Any]) -> tuple[float | None, ...]:
    """Return arrays of shape () as Python numbers."""
    return tuple(None if value is None else value.item() for value in values)


def names(bp: BackwardPass) -> list[str]:
    return [node.name for node in bp.graph.variables]


# --- the steps ---


def test_the_steps_of_the_seed_chain() -> None:
    bp = seed_pass()
    assert len(bp) == 3
    assert [type(step) for step in bp] == [BackwardStep] * 3
    assert [(step.index, step.label, step.line) for step in bp] == [
        (1, "square", None),
        (2, "exp", None),
        (3, "square", None),
    ]
    assert [numbers(step.cotangents) for step in bp] == [(1.0,), (DY_DB,), (DY_DA,)]
    assert [numbers(step.contributions) for step in bp] == [(DY_DB,), (DY_DA,), (DY_DA,)]
    assert [step.before for step in bp] == [(None,)] * 3
    assert [numbers(step.after) for step in bp] == [(DY_DB,), (DY_DA,), (DY_DA,)]
    assert [step.notes for step in bp] == [()] * 3
    slopes = [local.slope for step in bp for local in step.local_derivatives if local]
    assert slopes == [DY_DB, 1.2840254166877414, 1.0]
    assert bp.error is None


def test_the_graph_of_the_seed_chain() -> None:
    x, a, b, y = seed()
    graph = backward_pass(y).graph
    assert [node.variable for node in graph.variables] == [x, a, b, y]
    assert [node.kind for node in graph.variables] == [
        "leaf",
        "intermediate",
        "intermediate",
        "result",
    ]
    assert [node.creator for node in graph.variables] == [None, 0, 1, 2]
    assert [node.value for node in graph.variables] == [v.data for v in (x, a, b, y)]
    assert graph.results == (3,)
    functions = [(f.label, f.inputs, f.outputs, f.generation) for f in graph.functions]
    assert functions == [
        ("square", (0,), (1,), 0),
        ("exp", (1,), (2,), 1),
        ("square", (2,), (3,), 2),
    ]
    assert [f.function for f in graph.functions] == [a.creator, b.creator, y.creator]


@pytest.mark.parametrize("run_before", [False, True])
def test_no_gradient_is_touched(run_before: bool) -> None:
    variables = seed()
    if run_before:
        variables[-1].backward()
    before = [v.grad for v in variables]
    bp = backward_pass(variables[-1])
    assert bp.table()
    assert all(v.grad is grad for v, grad in zip(variables, before, strict=True))
    assert numbers(bp[-1].after) == (DY_DA,)


def test_the_pass_agrees_with_the_gradients_that_backward_leaves() -> None:
    x = Variable([[0.5, -1.0], [2.0, 0.0]], name="x")
    w = Variable([1.0, 3.0], name="w")
    y = (tanh(x * w) * x + w / 2).sum()
    bp = backward_pass(y)
    last: dict[Variable, Any] = {}
    for step in bp:
        last.update(zip(step.function.inputs, step.after, strict=True))
    y.backward()
    for variable in (x, w):
        np.testing.assert_array_equal(last[variable], variable.grad, strict=True)


def test_a_variable_used_twice_has_two_edges() -> None:
    x = Variable(0.5)
    (step,) = backward_pass(x * x)
    assert numbers(step.contributions) == (0.5, 0.5)
    assert numbers(step.before) == (None, 0.5)
    assert numbers(step.after) == (0.5, 1.0)
    (step,) = backward_pass(add(x, x))
    assert numbers(step.before) == (None, 1.0)
    assert numbers(step.after) == (1.0, 2.0)


def test_a_function_takes_its_turn_when_all_its_gradients_are_there() -> None:
    x = Variable(2.0)
    a = square(x)
    bp = backward_pass(square(a) + square(a))
    assert [step.label for step in bp] == ["add", "square", "square", "square"]
    assert [(numbers(step.before), numbers(step.after)) for step in bp[1:]] == [
        ((None,), (8.0,)),
        ((8.0,), (16.0,)),
        ((None,), (64.0,)),
    ]


def test_constants_get_nothing() -> None:
    x = Variable(3.0)
    power, product = backward_pass(2 * x**2)[::-1]
    assert numbers(product.contributions) == (None, 2.0)
    assert numbers(power.contributions) == (12.0, None)
    assert power.local_derivatives[1] is None
    assert (product.before[0], product.after[0]) == (None, None)
    kinds = [(node.name, node.kind) for node in backward_pass(2 * x**2).graph.variables]
    assert kinds == [
        ("x", "leaf"),
        ("2", "constant"),
        ("power(x, 2)", "intermediate"),
        ("2", "constant"),
        ("multiply(2, power(x, 2))", "result"),
    ]


@pytest.mark.parametrize("kept", [0, 1])
def test_a_dropped_output_stays_in_the_graph_as_none(kept: int) -> None:
    class Split(Function):
        def forward(self, x: Any) -> Any:
            return x * 2, np.stack([x, x])

        def backward(self, g_double: Any, g_pair: Any) -> Any:
            return 2 * g_double + g_pair.sum()

    x = Variable(1.0)
    outputs = list(Split()(x))
    del outputs[1 - kept]
    y = outputs.pop().sum()
    bp = backward_pass(y)
    assert [v is None for v in bp.graph.functions[0].outputs] == [kept == 1, kept == 0]
    step = bp[-1]
    np.testing.assert_array_equal(step.cotangents[kept], np.ones([(), (2,)][kept]))
    np.testing.assert_array_equal(step.cotangents[1 - kept], np.zeros([(2,), ()][kept]))
    assert numbers(step.contributions) == (2.0,)


def test_steps_are_immutable_and_independent_of_what_happens_later() -> None:
    x = Variable([1.0, 2.0])
    y = square(x)
    bp = backward_pass(y)
    (step,) = bp
    with pytest.raises(FrozenInstanceError):
        step.index = 7  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        step.contributions[0][0] = 7.0  # type: ignore[index]
    x.data[:] = 0.0
    y.backward()
    np.testing.assert_array_equal(bp.graph.variables[0].value, [1.0, 2.0])
    np.testing.assert_array_equal(step.contributions[0], [2.0, 4.0])


def test_access_by_number_slice_and_end() -> None:
    bp = seed_pass()
    assert [step.index for step in bp[:2]] == [1, 2]
    assert [step.index for step in bp[::-1]] == [3, 2, 1]
    assert bp[-1].index == 3
    assert bp[0] is bp[0]
    assert bp[1] in bp
    assert [step.index for step in reversed(bp)] == [3, 2, 1]
    with pytest.raises(IndexError):
        _ = bp[3]
    with pytest.raises(IndexError, match="this pass has steps 1 to 3, so there is no step 0"):
        bp.plot(0)


# --- the cotangent ---


def test_cotangents_given_by_hand_or_by_default() -> None:
    x = Variable([1.0, 2.0])
    y = square(x)

    def contributed(cotangent: object = None) -> list[float]:
        (contribution,) = backward_pass(y, cotangent)[0].contributions
        assert contribution is not None
        values: list[float] = contribution.tolist()
        return values

    assert contributed() == [2.0, 4.0]
    y.backward()
    assert contributed() == [2.0, 4.0]
    y.grad = np.array([1.0, 10.0])
    assert contributed() == [2.0, 40.0]
    assert contributed([3, 0]) == [6.0, 0.0]
    assert contributed(Variable([3.0, 1.0])) == [6.0, 4.0]
    assert backward_pass(y, [3, 0]).to_dict()["cotangent"] == [3.0, 0.0]


@pytest.mark.parametrize(
    ("result", "cotangent", "error", "words"),
    [
        (lambda: 3.0, None, TypeError, r"needs a Variable .* but got a float"),
        (lambda: np.ones(2), None, TypeError, r"but got an? ndarray"),
        (lambda: Variable(1.0, "w"), None, ValueError, r"w is a leaf: no function made it"),
        (lambda: square(Variable(1.0)), [1.0, 2.0], ValueError, r"shape \(2,\), but .* shape \(\)"),
        (lambda: square(Variable(1.0)), "one", TypeError, "A cotangent holds real numbers"),
    ],
)
def test_what_cannot_be_gone_back_from(
    result: Callable[[], Any], cotangent: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        backward_pass(result(), cotangent)


@pytest.mark.parametrize("depth", [0, 1])
def test_a_creator_of_a_foreign_class_is_refused(depth: int) -> None:
    class Foreign:
        pass

    a = Variable(1.0)
    y = a if depth == 0 else square(a)
    a.set_creator(Foreign())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"made by a Foreign that is no ipygrad Function"):
        backward_pass(y)


# --- names ---


def test_names_come_from_the_callers_namespace() -> None:
    weights = [Variable(1.0), Variable(2.0)]
    layer = {"bias": Variable(3.0)}
    loss = weights[0] * weights[1] + layer["bias"]
    bp = backward_pass(loss)
    product = "multiply(weights[0], weights[1])"
    assert names(bp) == ["weights[0]", "weights[1]", product, "layer['bias']", "loss"]
    assert str(bp).startswith("Backward pass of loss\n")


def test_a_name_of_its_own_comes_first() -> None:
    x = Variable(0.5, name="width")
    y = square(x)
    y.name = "area"
    assert names(backward_pass(y)) == ["width", "area"]


def test_unnamed_intermediates_show_how_they_were_made() -> None:
    x = Variable(0.5)
    assert names(backward_pass(square(exp(x)))) == ["x", "exp(x)", "square(exp(x))"]


def test_equal_names_are_numbered() -> None:
    h = Variable(0.5, name="h")
    for _ in range(3):
        h = square(h)
        h.name = "h"
    assert names(backward_pass(h)) == ["h₁", "h₂", "h₃", "h₄"]


def test_expressions_with_equal_names_are_bracketed_before_they_are_numbered() -> None:
    x = Variable(0.5, name="x")
    w = [Variable(1.0, name="w[0]"), Variable(2.0, name="w[0]")]
    first, second = x * w[0], x * w[1]
    first.name = second.name = "x * w"
    found = names(backward_pass(first + second))
    assert found[:5] == ["x", "w[0]₁", "(x * w)₁", "w[0]₂", "(x * w)₂"]


class Sites:
    """Call sites that are told which targets each variable was assigned to."""

    def __init__(self, targets: dict[Variable, str]) -> None:
        self.targets = targets

    def site_of(self, output: object) -> CallSite | None:
        target = self.targets.get(output) if isinstance(output, Variable) else None
        return None if target is None else CallSite(1, None, (target,), ())

    def made_in(self, _output: object) -> None:
        return None


def test_an_alias_does_not_win_over_the_name_that_was_assigned() -> None:
    x = Variable(0.5)
    a = square(x)
    y = exp(a)
    namespace = {"alias": a, "x": x, "a": a, "y": y}
    graph = capture_graph([y], namespace, Sites({a: "a", y: "gone"}))
    assert [node.name for node in graph.variables] == ["x", "a", "y"]


def test_made_up_names_stay_short() -> None:
    y = Variable(0.5)
    for _ in range(20):
        y = tanh(y)
    del _
    assert max(map(len, names(backward_pass(1 * y)))) <= 40


# --- what goes wrong ---


class Broken(Function):
    def forward(self, x: Any) -> Any:
        return x + 1

    def backward(self, _gy: Any) -> Any:
        raise ZeroDivisionError("no slope")


def test_a_pass_that_breaks_off_keeps_the_steps_before() -> None:
    x = Variable(0.5)
    bp = backward_pass(square(exp(Broken()(x))))
    assert [step.label for step in bp] == ["square", "exp"]
    assert bp.error == "Broken.backward raised ZeroDivisionError: no slope"
    assert bp.to_dict()["error"] == bp.error
    assert f"The pass stops here: {bp.error}" in str(bp)
    nothing = backward_pass(Broken()(x))
    assert (len(nothing), nothing.error) == (0, bp.error)
    with pytest.raises(IndexError, match="this pass has no steps"):
        nothing.plot(1)


def test_a_missing_output_is_told() -> None:
    class NoOutput(Function):
        def __call__(self, x: Any) -> Any:
            y = Variable(x.data + 1)
            y.set_creator(self)
            self.input = x
            return y

    with pytest.raises(AttributeError, match=r"NoOutput .* no outputs"):
        backward_pass(NoOutput()(Variable(1.0)))


@pytest.mark.parametrize("changed", ["x", "a", "y"])
def test_a_change_in_place_is_noted_where_it_matters(changed: str) -> None:
    x = Variable(0.5)
    a = square(x)
    y = exp(a)
    {"x": x, "a": a, "y": y}[changed].data[...] = 7.0
    notes = [" ".join(step.notes) for step in backward_pass(y)]
    # A function can only see that it and one of its neighbours no longer fit together.
    suspects = {"x": ("", "x"), "a": ("a", "a"), "y": ("y", "")}[changed]
    for note, suspect, label in zip(notes, suspects, ["exp", "square"], strict=True):
        said = f"{suspect} changed in place after {label} ran forward"
        assert note.startswith(said) if suspect else note == ""


def test_an_ambiguous_change_names_all_who_may_have_changed() -> None:
    x = Variable(0.5)
    y = square(x)
    x.data[...] = 7.0
    assert backward_pass(y)[0].notes[0].startswith("x or y changed in place after square ran")


class Noise(Function):
    """Multiplies with what `draw` gives."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self.draw = draw

    def forward(self, x: Any) -> Any:
        return x * self.draw()

    def backward(self, gy: Any) -> Any:
        return gy * (self.output.data / self.input.data)  # type: ignore[union-attr]


class NoiseOfItsOwn(Function):
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def forward(self, x: Any) -> Any:
        self.factor = self.rng.integers(2)
        return x * self.factor

    def backward(self, gy: Any) -> Any:
        return gy * self.factor


def generator(seed: int) -> Callable[[], float]:
    return np.random.default_rng(seed).random


@pytest.mark.parametrize(
    "make",
    [
        lambda _: Noise(random.random),
        lambda _: Noise(np.random.rand),
        lambda _: Noise(lambda: random.choice([0.0, 1.0])),  # noqa: S311
        lambda _: Noise(lambda: np.random.randint(2)),  # noqa: NPY002
        lambda seed: Noise(generator(seed)),
        NoiseOfItsOwn,
    ],
    ids=["random", "numpy", "coin", "numpy coin", "generator", "own generator"],
)
def test_a_random_function_is_not_taken_for_a_change(make: Callable[[int], Function]) -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    x = Variable(2.0)
    for turn in range(20):
        y = make(turn)(x)
        state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
        (step,) = backward_pass(y)
        assert [note for note in step.notes if "in place" in note] == []
        assert random.getstate() == state
        np.testing.assert_equal(np.random.get_state(), numpy_state)  # noqa: NPY002


def test_extra_runs_of_forward_are_not_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    class Loud(Function):
        calls = 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            print("forward")
            return x * self.calls

        def backward(self, gy: Any) -> Any:
            return gy * self.calls

    f = Loud()
    y = f(Variable(2.0))
    assert capsys.readouterr().out == "forward\n"
    bp = backward_pass(y)
    assert bp.table()
    assert bp[0].local_derivatives
    assert (capsys.readouterr().out, f.calls) == ("", 1)


@pytest.mark.parametrize(
    ("f", "x", "notes"),
    [
        (log, 0.0, ["an infinite value appears for the first time, in the contribution to x"]),
        (sqrt, 0.0, ["an infinite value appears for the first time, in the contribution to x"]),
        (log, np.nan, ["nan appears for the first time, in the contribution to x"]),
        (lambda x: sqrt(square(x)), 0.0, ["an infinite value", "nan appears"]),
        (lambda x: relu(divide(x, 0.0)), 0.0, [None, "nan appears"]),
    ],
)
def test_nan_and_infinity_are_noted_where_they_appear(
    f: Callable[[Variable], Variable], x: float, notes: list[str | None]
) -> None:
    variable = Variable(x, name="x")
    with np.errstate(all="ignore"):
        bp = backward_pass(f(variable))
        found = [step.notes for step in bp]
    for note, expected in zip(found, notes, strict=True):
        assert len(note) == (expected is not None)
        assert expected is None or expected in note[0]


@pytest.mark.parametrize(
    ("backward", "note"),
    [
        (lambda _gy: 3.0, "Wrong.backward returned 3 for x, but .* is 6"),
        (lambda gy: 3.0 * gy * gy, "Wrong.backward returned 12 for x, but .* is 6"),
    ],
    ids=["forgets gy", "takes gy twice"],
)
def test_a_backward_that_breaks_the_chain_rule_is_noted(
    backward: Callable[[Any], Any], note: str
) -> None:
    class Wrong(Function):
        def forward(self, x: Any) -> Any:
            return 3 * x

        def backward(self, gy: Any) -> Any:
            return backward(gy)

    x = Variable(1.0)
    graph = capture_graph([2 * Wrong()(x)], {"x": x})
    outer, wrong = BackwardPass(graph, run_backward(graph), checks=False)
    assert outer.notes == ()
    (said,) = wrong.notes
    assert re.match(note, said)
    # What the check says about it says more.
    assert BackwardPass(graph, run_backward(graph))[1].notes == ()


@pytest.mark.parametrize("returned", [(), (1.0,), (1.0, 2.0), (1.0, 2.0, 3.0)])
def test_there_is_one_slope_for_each_input(returned: tuple[float, ...]) -> None:
    class Careless(Function):
        def forward(self, a: Any, b: Any) -> Any:
            return a + b

        def backward(self, _gy: Any) -> Any:
            return returned

    careless = Careless()
    y = careless(Variable(1.0), Variable(2.0))
    assert y.creator is careless
    assert local_slopes(careless) == ((*returned, None, None)[:2])


# --- data and text ---


def no_floats(value: Any) -> Any:
    """Stand in for json's numbers, so that every digit is compared as text."""
    return f"number {value}"


def test_to_dict_is_json_and_exact() -> None:
    bp = seed_pass()
    data = bp.to_dict()
    text = json.dumps(data, allow_nan=False)
    assert json.loads(text) == data
    assert json.loads(text, parse_float=no_floats)["steps"][1]["cotangents"] == [f"number {DY_DB}"]
    assert [step["after"] for step in data["steps"]] == [[DY_DB], [DY_DA], [DY_DA]]
    assert [step["local_derivatives"] for step in data["steps"]] == [
        [DY_DB],
        [1.2840254166877414],
        [1.0],
    ]
    assert [variable["name"] for variable in data["variables"]] == ["x", "a", "b", "y"]
    assert (data["results"], data["cotangent"], data["error"]) == ([3], 1.0, None)


def test_to_dict_of_arrays_constants_and_what_json_lacks() -> None:
    x = Variable([1.0, np.inf, -np.inf, np.nan], name="x")
    with np.errstate(all="ignore"):
        data = backward_pass(2 * x).to_dict()
    json.dumps(data, allow_nan=False)
    assert data["variables"][1]["value"] == [1.0, "inf", "-inf", "nan"]
    assert data["variables"][1]["shape"] == [4]
    assert data["steps"][0]["contributions"] == [None, [2.0] * 4]


def test_the_same_pass_twice_gives_the_same_data() -> None:
    assert seed_pass().to_dict() == seed_pass().to_dict()
    assert str(seed_pass()) == str(seed_pass())


def test_table() -> None:
    x = Variable(0.5)
    y = exp(x * x)
    bp = backward_pass(y)
    assert [" ".join(line.split()) for line in bp.table().splitlines()] == [
        "Backward pass of y",
        "",
        "step function gradient local contribution to before after",
        "arriving derivative",
        " ".join("-" * width for width in (4, 8, 8, 10, 12, 13, 6, 5)),
        "0 start 1 y – 1",
        "1 exp 1 1.284 1.284 multiply(x,… – 1.284",
        "2 multiply 1.284 x = 0.5 0.642 x – 0.642",
        "2 multiply 1.284 x = 0.5 0.642 x 0.642 1.284",
    ]
    assert repr(bp) == str(bp) == repr(bp.table()) == bp.table()
    assert repr(bp[0]) == "BackwardStep(1: exp, contributions 1.284)"


def test_a_long_chain() -> None:
    x = y = Variable(0.5)
    for _ in range(LONG):
        y = y * 1
    bp = backward_pass(y)
    assert len(bp) == LONG
    assert numbers(bp[-1].after) == (1.0, None)
    assert bp[-1].function.inputs[0] is x
    lines = str(bp).splitlines()
    assert len(lines) == 67
    assert lines[-1] == "… and 99,940 more steps; table() has them all"


def test_the_table_of_a_long_chain_has_all_steps() -> None:
    y = Variable(0.5)
    for _ in range(LONG // 50):
        y = y * 1
    lines = backward_pass(y).table().splitlines()
    assert len(lines) == LONG // 50 + 6
    assert lines[-1].split()[:2] == [str(LONG // 50), "multiply"]


def test_a_pass_inside_no_grad_is_the_same() -> None:
    _, _, _, y = seed()
    with no_grad():
        assert numbers(backward_pass(y)[-1].after) == (DY_DA,)
