"""Long passes: the notebook keeps the words of some steps, and the numbers of all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from ipygrad import BackwardPass, Function, Variable, backward_pass, exp, functions, sin, square
from ipygrad.show.payload import make_payload

Json = dict[str, Any]
FIRST = 4


@pytest.fixture(autouse=True)
def _long_from_ten_steps_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipygrad.record.MOST_TOLD", 10)
    monkeypatch.setattr("ipygrad.record.FIRST_TOLD", FIRST)


class Half(Function):
    """A user's function whose backward is wrong."""

    def forward(self, x: Any) -> Any:
        return x / 2

    def backward(self, gy: Any) -> Any:
        return gy


def mixed() -> BackwardPass:
    """Return a pass of 20 steps: from the end, three sines and squares in turns, then others."""
    x = y = Variable(0.5, name="x")
    y = Half()(exp(y) * x) + 2.0
    for _ in range(8):
        y = sin(square(y))
    return backward_pass(y)


def whole(bp: BackwardPass) -> Json:
    """Return the payload with the words of all steps."""
    return make_payload(bp._shown, None, plots={})


def is_lean(step: Json) -> bool:
    return "texts" not in step


def test_the_first_steps_are_told_and_the_first_of_each_kind() -> None:
    bp = mixed()
    payload = bp._payload({})
    told = [k for k, step in enumerate(payload["steps"]) if not is_lean(step)]
    assert [bp[k - 1].label for k in (17, 18, 19, 20)] == ["add", "Half", "multiply", "exp"]
    assert told == [0, 1, 2, 3, 4, 17, 18, 19, 20]
    expected = whole(bp)["steps"]
    assert [payload["steps"][k] for k in told] == [expected[k] for k in told]
    assert payload["steps"][18]["check"] == "disagrees"
    assert any("first 4 of 20 steps" in notice for notice in payload["notices"])


def test_the_step_that_is_shown_first_is_told() -> None:
    bp = mixed()
    at_nine = BackwardPass(bp.graph, bp._run, start=9)
    assert not is_lean(at_nine._payload({})["steps"][9])


def test_the_numbers_of_all_steps_are_kept() -> None:
    x = Variable(0.5, name="x")
    bp = mixed()
    for pass_ in (bp, backward_pass(functions.sum(long_product(x)))):
        payload, expected = pass_._payload({}), whole(pass_)["steps"]
        places = payload["numbers"]
        seen = 0
        for step, told in zip(payload["steps"], expected, strict=True):
            if not is_lean(step):
                continue
            seen += 1
            for key in ("function", "line", "heading", "columns"):
                assert step[key] == told[key]
            for product, full in zip(step["products"], told["products"], strict=True):
                variable, holds, *numbers = product
                shown = [None if place is None else places[place] for place in numbers]
                assert (variable, holds) == (full["variable"], full["holds"])
                assert shown == [full[key] for key in ("local", "contribution", "before", "after")]
                assert places[step["arriving"]] == full["arriving"]
        assert seen > FIRST


def long_product(x: Variable) -> Variable:
    """Return x³¹ in so many steps, to each of which x is an input."""
    y = x
    for _ in range(30):
        y = y * x
    return y


def test_what_takes_time_to_be_found_is_left_to_the_kernel() -> None:
    y = Variable(np.ones(3), name="x")
    for _ in range(12):
        y = sin(y)
    bp = backward_pass(functions.sum(y))
    step = bp._payload({})["steps"][9]
    assert [product[2] for product in step["products"]] == [None]
    assert answer(bp, 9)["products"][0]["local"]["text"].startswith("[")


def answer(bp: BackwardPass, step: int) -> Any:
    message = {"type": "plot", "step": step, "values": {}}
    return json.loads(json.dumps(bp._live.answer(message), allow_nan=False))["told"]


def test_the_kernel_sends_a_step_in_words_with_its_plot() -> None:
    bp = mixed()
    expected = json.loads(json.dumps(whole(bp)["steps"]))
    for step in (9, 20, 7):
        assert answer(bp, step) == expected[step]
    assert answer(bp, 2) is None


def test_a_short_pass_is_told_whole() -> None:
    bp = backward_pass(square(Variable(0.5)))
    payload = bp._payload({})
    assert not any(map(is_lean, payload["steps"]))
    assert payload["numbers"] == payload["notices"] == []
    assert answer(bp, 1) is None


def test_a_page_tells_all_of_its_steps() -> None:
    assert not any(map(is_lean, mixed()._payload({}, is_of_page=True)["steps"]))


def test_the_room_is_that_of_all_steps() -> None:
    y = Variable(0.5)
    for k in range(12):
        y = sin(y) if k else y * y * y
    first, *_ = backward_pass(y)._payload({})["steps"]
    room = backward_pass(y)._payload({})["room"]
    assert len(first["products"]) == 1
    assert room["counts"]["rows-of-one"] == 2
    assert "pairs" in room["styles"]


def test_rows_that_the_table_leaves_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipygrad.show.payload.MOST_ROWS", 8)
    payload = mixed()._payload({})
    assert payload["table"]["row_steps"] == list(range(9))
    assert "The table has the first 8 steps; table() has them all." in payload["notices"]
    rows = payload["table"]["rows"]
    assert " = " in rows[FIRST][4]
    assert rows[8][4] == payload["numbers"][payload["steps"][8]["products"][0][2]]["text"]
