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
    assert forward[1]["sentence"].endswith("The value flows: y = 1.284.")
    assert forward[1]["status"] == f"Forward 2 of 2: {forward[1]['sentence']}"


def test_calls_stand_in_the_order_in_which_they_were_made(shell: Shell) -> None:
    """The graph is numbered from its result, and there the second branch may come first."""
    forward = forward_of(shell, "x = Variable(np.array(0.5))\nb = exp(x)\na = square(x)\ny = a * b")
    assert [call["line"] for call in forward] == [3, 4, 5]


def test_what_an_earlier_cell_called_comes_first(shell: Shell) -> None:
    shell.run("x = Variable(np.array(0.5))\na = square(x)")
    forward = forward_of(shell, "b = exp(x)\ny = a * b")
    assert [call["line"] for call in forward] == [None, 2, 3]
    assert forward[0]["sentence"].startswith("square is called with x = 0.5. a is made")


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
        for text in (call["heading"], call["sentence"], call["status"], *call["parts"]):
            assert "{" not in text
            assert "exp" in text or "square" in text


def filled(calls: dict[str, Any], payload: dict[str, Any], index: int) -> dict[str, Any]:
    """Return a call of a long computation in words, with which the front end fills the texts."""
    texts, graph = calls["texts"], payload["graph"]
    function = graph["functions"][calls["functions"][index]]

    def joined(names: list[str]) -> str:
        last = texts["and"] + names[-1] if len(names) > 1 else names[0]
        return str(texts["list"].join(names[:-1]) + last)

    def listed(numbers: list[int], *, valued: bool) -> str:
        nodes = [graph["variables"][number] for number in dict.fromkeys(numbers)]
        values = [node["value"]["text"] for node in nodes]
        return joined(
            [
                f"{node['name']} = {value}" if valued and value != node["name"] else node["name"]
                for node, value in zip(nodes, values, strict=True)
            ]
        )

    inputs, outputs = function["inputs"], function["outputs"]
    made = "call_made_elsewhere" if function["line"] is None else "call_made"
    names, about = listed(outputs, valued=False), {"function": function["label"]}
    said = [
        texts[made].format(**about, line=function["line"], inputs=listed(inputs, valued=True)),
        texts["call_tied"].format(**about, outputs=names),
        texts["call_value"].format(values=listed(outputs, valued=True)),
    ]
    where = {"index": index + 1, "count": len(calls["functions"])}
    told = [texts["between"].join(said[: n + 1]) for n in range(3)]
    *parts, status = [texts["call_status"].format(**where, sentence=text) for text in told]
    heading = texts["heading"].format(**about, outputs=listed(inputs, valued=False), inputs=names)
    return {"heading": heading, "sentence": told[-1], "status": status, "parts": parts}


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_a_long_computation_there_are_the_order_and_the_texts(
    monkeypatch: pytest.MonkeyPatch, shell: Shell, language: str
) -> None:
    cell = "x = Variable(0.5)\nfor _ in range(4):\n    x = exp(x * x - 2.0) - x\ny = exp(x)\n"
    shell.run(f"%%grad -q --lang {language} -o bp\n{cell}")
    bp = shell["bp"]
    short = bp._payload({})
    monkeypatch.setattr("ipygrad.show.forward.MOST_CALLS", 10)
    long = bp._payload({})
    assert "calls" not in short
    assert long["forward"] == []
    assert long["calls"]["functions"] == [call["function"] for call in short["forward"]]
    for index, call in enumerate(short["forward"]):
        said = filled(long["calls"], long, index)
        assert said == {key: call[key] for key in said}


def test_the_forward_pass_of_a_long_computation_has_its_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    y = Variable(0.5, name="x")
    for _ in range(12):
        y = tanh(y)
    bp = BackwardPass(backward_pass(y).graph, None)
    short = bp._payload({})["room"]
    monkeypatch.setattr("ipygrad.show.forward.MOST_CALLS", 10)
    long = bp._payload({})["room"]
    assert long["counts"] == short["counts"]
    assert long["texts"]["sentence"][0] == short["texts"]["sentence"][0]


def test_ten_thousand_calls_have_their_order() -> None:
    y = Variable(0.5)
    for _ in range(10_000):
        y = tanh(y)
    payload = backward_pass(y)._payload({})
    assert payload["calls"]["functions"] == list(range(10_000))
    assert filled(payload["calls"], payload, 9_999)["status"].startswith("Forward 10000 of 10000:")


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
        variable["elements"] for variable in backward_pass(y)._payload({})["graph"]["variables"]
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
