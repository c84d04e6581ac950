"""The calls of the forward pass, in order and in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import BackwardPass, Variable, backward_pass, exp, functions, relu, square, tanh
from ipygrad.explain.feeding import MOST_ELEMENTS, feeding
from ipygrad.explain.words import LANGUAGES

if TYPE_CHECKING:
    from tests.shell import Shell


def forward_of(shell: Shell, cell: str) -> list[dict[str, Any]]:
    """Return the calls that a cell under the magic made."""
    ran = shell.run(f"%%grad -q -o bp\n{cell}")
    assert ran.is_fine, ran.text
    forward: list[dict[str, Any]] = shell["bp"]._payload({})["forward"]
    return forward


def test_the_seed_cell_in_words(shell: Shell) -> None:
    forward = forward_of(shell, "x = Variable(np.array(0.5))\na = square(x)\ny = exp(a)")
    assert [call["heading"] for call in forward] == ["square: from x to a", "exp: from a to y"]
    assert forward[1]["line"] == 4
    assert forward[1]["parts"] == [
        "Forward 2 of 2: Line 4 runs: exp is called with a = 0.25.",
        "Forward 2 of 2: Line 4 runs: exp is called with a = 0.25. y is made, and the creator of y "
        "is this exp: that link is the way back.",
    ]
    assert forward[1]["texts"]["sentence"].endswith("The value flows: y = 1.284.")
    assert forward[1]["status"] == f"Forward 2 of 2: {forward[1]['texts']['sentence']}"


def test_calls_stand_in_the_order_in_which_they_were_made(shell: Shell) -> None:
    """The graph is numbered from its result, and there the second branch may come first."""
    forward = forward_of(shell, "x = Variable(np.array(0.5))\nb = exp(x)\na = square(x)\ny = a * b")
    assert [call["line"] for call in forward] == [3, 4, 5]


def test_what_an_earlier_cell_called_comes_first(shell: Shell) -> None:
    shell.run("x = Variable(np.array(0.5))\na = square(x)")
    forward = forward_of(shell, "b = exp(x)\ny = a * b")
    assert [call["line"] for call in forward] == [None, 2, 3]
    assert forward[0]["texts"]["sentence"].startswith("square is called with x = 0.5. a is made")


def test_a_number_in_a_formula_is_its_own_name(shell: Shell) -> None:
    (call, *_) = forward_of(shell, "x = Variable(np.array(0.5))\ny = 2.0 * x")
    assert "with x = 0.5 and 2." in call["parts"][0] or "with 2 and x = 0.5." in call["parts"][0]


def test_a_graph_without_a_pass_has_its_calls() -> None:
    x = Variable(0.5, name="x")
    bp = backward_pass(exp(square(x)))
    (first, _) = BackwardPass(bp.graph, None)._payload({})["forward"]
    assert first["heading"] == "square: from x to square(x)"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_it(language: str) -> None:
    x = Variable(0.5, name="x")
    forward = backward_pass(square(exp(x)), language=language)._payload({})["forward"]
    assert len(forward) == 2
    for call in forward:
        for text in (call["heading"], call["texts"]["sentence"], call["status"], *call["parts"]):
            assert "{" not in text
            assert "exp" in text or "square" in text


def tanhs(count: int) -> BackwardPass:
    y = Variable(0.5, name="x")
    for _ in range(count):
        y = tanh(y)
    return backward_pass(y)


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_a_long_computation_calls_are_told_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, shell: Shell, language: str
) -> None:
    cell = "x = Variable(0.5)\nfor _ in range(4):\n    x = exp(x * x - 2.0) - x\ny = exp(x)\n"
    shell.run(f"%%grad -q --lang {language} -o bp\n{cell}")
    bp = shell["bp"]
    short = bp._payload({})["forward"]
    monkeypatch.setattr("ipygrad.show.forward.MOST_CALLS", 10)
    long = bp._payload({})["forward"]
    told = [call for call in long if isinstance(call, dict)]
    assert len(told) == 6
    assert all(call in short for call in told)
    bare = [call if isinstance(call, int) else call["function"] for call in long]
    assert bare == [call["function"] for call in short]
    answers = [bp._live.answer({"type": "plot", "step": k}) for k in range(-len(short), 0)]
    assert [answer["told"] for answer in answers] == short
    assert {answer["svg"] for answer in answers} == {None}
    assert bp._live.answer({"type": "plot", "step": -len(short) - 1}) is None


def test_the_forward_pass_of_a_long_computation_has_its_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bp = BackwardPass(tanhs(12).graph, None)
    short = bp._payload({})["room"]
    monkeypatch.setattr("ipygrad.show.forward.MOST_CALLS", 10)
    long = bp._payload({})["room"]
    assert long["counts"] == short["counts"]
    assert long["texts"]["sentence"][0] == short["texts"]["sentence"][0]


def test_ten_thousand_calls_have_their_order() -> None:
    forward = tanhs(10_000)._payload({})["forward"]
    functions = [call if isinstance(call, int) else call["function"] for call in forward]
    assert functions == list(range(10_000))


# ---------------------------------------------------------------- elements


def test_a_matrix_product_is_fed_by_a_row_and_a_column() -> None:
    x = Variable(np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]]))
    w = Variable(np.array([[0.5, 0.0], [0.1, 2.0], [0.0, 1.0]]))
    y = x @ w
    assert y.creator is not None
    found = feeding(y.creator)
    assert found is not None
    of_x, of_w = found
    # Element [0, 1], whatever the numbers are: zeros feed it, too.
    assert of_x[1].reshape(2, 3).tolist() == [[True] * 3, [False] * 3]
    assert of_w[1].reshape(3, 2).tolist() == [[False, True]] * 3


def test_a_unit_that_is_off_is_still_fed() -> None:
    y = relu(Variable(np.array([-1.0, 2.0])))
    assert y.creator is not None
    found = feeding(y.creator)
    assert found is not None
    assert found[0].tolist() == [[True, False], [False, True]]


def test_large_arrays_are_left_alone() -> None:
    y = relu(Variable(np.zeros(MOST_ELEMENTS + 1)))
    assert y.creator is not None
    assert feeding(y.creator) is None


def test_a_forward_that_refuses_nan_tells_nothing_and_nobody() -> None:
    x = Variable(np.array([[2.0, 0.0], [0.0, 1.0]]), name="x")
    y = functions.sum(functions.inv(x))
    elements = [
        variable.get("elements") for variable in backward_pass(y)._payload({})["graph"]["variables"]
    ]
    assert elements[0] == {"columns": 2, "texts": ["2", "0", "0", "1"], "feeds": []}
    assert elements[1]["columns"] == 2
    assert elements[2] is None


@pytest.mark.parametrize("count", [65, 1_000_000])
@pytest.mark.parametrize("language", LANGUAGES)
def test_of_a_large_array_it_is_said_how_many_elements_it_has(count: int, language: str) -> None:
    x = Variable(np.zeros(count), name="x")
    bp = backward_pass(functions.sum(x), language=language)
    elements = bp._payload({})["graph"]["variables"][0]["elements"]
    assert elements["texts"] == elements["feeds"] == []
    assert re.findall("[0-9,]*[0-9]", elements["more"]) == [f"{count:,}", "64"]
