"""In which turn of which loop each function of a cell was called."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ipygrad import BackwardPass, backward_pass
from ipygrad.capture import hearing

if TYPE_CHECKING:
    from tests.shell import Shell

BEFORE = """\
x = Variable(np.array(0.5))
ws = [Variable(float(i)) for i in range(1, 5)]
layers = [square, exp, lambda v: v, square]
"""


def turns_in(shell: Shell, cell: str) -> list[str]:
    """Return the turns of each function of a cell in the order of their calls: "sin 1/2@3"."""
    shell.run(BEFORE)
    ran = shell.run(f"%%grad -q -o bp\n{cell}")
    assert ran.is_fine, ran.text
    assert sys.gettrace() is None
    functions = [node for node in shell["bp"].graph.functions if node.made is not None]
    return [
        f"{node.label} " + " ".join(f"{one.turn}/{one.of}@{one.line}" for one in node.turns)
        for node in sorted(functions, key=lambda node: node.made.order)
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(
            "y = x\nfor i in range(2):\n    a = np.sin(y)\n    y = a + x",
            ["sin 1/2@3", "add 1/2@3", "sin 2/2@3", "add 2/2@3"],
            id="one loop",
        ),
        pytest.param(
            "y = x\nfor i in range(2):\n    for j in range(2):\n        y = np.sin(y)",
            ["sin 1/2@3 1/2@4", "sin 1/2@3 2/2@4", "sin 2/2@3 1/2@4", "sin 2/2@3 2/2@4"],
            id="one in another",
        ),
        pytest.param(
            "y = x\nfor i in range(3):\n    if i == 1:\n        continue\n    y = np.sin(y)",
            ["sin 1/3@3", "sin 3/3@3"],
            id="a turn without a function",
        ),
        pytest.param(
            "y = x\nfor f in layers:\n    y = f(y)",
            ["square 1/4@3", "exp 2/4@3", "square 4/4@3"],
            id="a turn in which what is called makes nothing",
        ),
        pytest.param(
            "y = x\nfor w in ws[:2]: y = y * w",
            ["multiply 1/2@3", "multiply 2/2@3"],
            id="in one line",
        ),
        pytest.param(
            "y = x\nn = 0\nwhile n < 2:\n    y = np.sin(y)\n    n += 1",
            ["sin 1/2@4", "sin 2/2@4"],
            id="while",
        ),
        pytest.param(
            "y = x\nn = 0\nwhile True:\n    if n == 2:\n        break\n"
            "    y = np.sin(y)\n    n += 1",
            ["sin 1/2@4", "sin 2/2@4"],
            id="while True",
        ),
        pytest.param(
            "y = x\nwhile y.data < 3: y = y * 3.0",
            ["multiply 1/None@3", "multiply 2/None@3"],
            id="while in one line",
        ),
        pytest.param(
            "y = x\nfor i in range(9):\n    y = np.sin(y)\n    if i == 1: break",
            ["sin 1/2@3", "sin 2/2@3"],
            id="break",
        ),
        pytest.param(
            "h = [np.exp(w) for w in ws if w.data != 2]\ny = h[0] * h[1]",
            ["exp 1/4@2", "exp 3/4@2", "multiply "],
            id="a comprehension",
        ),
        pytest.param(
            "y = sum([w * v for w in ws[:1] for v in ws[:2]])",
            ["multiply 1/1@2 1/2@2", "multiply 1/1@2 2/2@2", "add ", "add "],
            id="two loops of a comprehension",
        ),
        pytest.param(
            "y = sum(np.exp(w) for w in ws[:2])",
            ["exp 1/2@2", "add ", "exp 2/2@2", "add "],
            id="a generator",
        ),
        pytest.param(
            "def f(v, n):\n    for _ in range(n):\n        v = np.sin(v)\n    return v\n"
            "y = x\nfor i in range(2):\n    y = f(y, i + 1)",
            ["sin 1/2@7 1/1@3", "sin 2/2@7 1/2@3", "sin 2/2@7 2/2@3"],
            id="in a function that a loop calls",
        ),
        pytest.param(
            "def f(v, n):\n    for _ in range(2):\n        v = np.sin(v)\n        if n:\n"
            "            v = f(v, n - 1)\n    return v\ny = f(x, 1)",
            [f"sin {one}/2@3{two}" for one in (1, 2) for two in ("", " 1/2@3", " 2/2@3")],
            id="a recursion",
        ),
        pytest.param(
            "def g(v):\n    while True:\n        v = np.sin(v)\n        yield v\n"
            "values = g(x)\ny = x\nfor i in range(2):\n    y = y * next(values)",
            ["sin 1/2@8 1/2@3", "multiply 1/2@8", "sin 2/2@8 2/2@3", "multiply 2/2@8"],
            id="a generator that goes on in another turn",
        ),
        pytest.param(
            "y = x\nfor i in range(2):\n    try:\n        if i == 1:\n"
            "            raise ValueError\n        y = np.sin(y)\n"
            "    except ValueError:\n        for j in range(2):\n"
            "            y = np.exp(y)",
            ["sin 1/2@3", "exp 2/2@3 1/2@9", "exp 2/2@3 2/2@9"],
            id="in a handler",
        ),
    ],
)
def test_each_function_knows_its_turns(shell: Shell, cell: str, expected: list[str]) -> None:
    assert turns_in(shell, cell) == expected


def test_turns_are_told_in_words_and_in_the_table(shell: Shell) -> None:
    turns_in(shell, "y = x\nfor i in range(2):\n    for j in range(2):\n        y = np.sin(y)")
    bp = shell["bp"]
    payload = bp._payload({})
    told = {function.get("turn") for function in payload["graph"]["functions"]}
    assert "turn 1 of 2 of the loop in line 3, turn 2 of 2 of the loop in line 4" in told
    assert [row[2] for row in payload["table"]["rows"][1:]] == [
        *("5 (2/2, 2/2)", "5 (2/2, 1/2)", "5 (1/2, 2/2)", "5 (1/2, 1/2)")
    ]
    assert [tuple(turn) for turn in bp[0].turns] == [(3, 2, 2), (4, 2, 2)]
    assert backward_pass(bp.graph.variables[1].variable)[0].turns == ()


def test_an_error_ends_a_loop_whose_turns_are_not_known_then(shell: Shell) -> None:
    shell.run("x = Variable(0.5)\nshown = []")
    cell = "for n in range(3):\n    y = np.sin(x)\n    if n == 1:\n        1 / 0"
    graph, _ = failed(shell, cell)
    assert {one.of for node in graph.functions for one in node.turns} == {None}
    payload = "turn 2 of the loop in line 2"
    assert payload in [function.get("turn") for function in shell["shown"][0]["graph"]["functions"]]


def failed(shell: Shell, cell: str) -> tuple[Any, BackwardPass]:
    """Return the graph and the pass that a cell shows when it raises."""
    passes: list[BackwardPass] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "ipygrad.magic.steppers.Steppers.show", lambda _self, bp, _display_as: passes.append(bp)
        )
        assert not shell.run(f"%%grad\n{cell}").is_fine
    (bp,) = passes
    shell["shown"].append(bp._payload({}))
    return bp.graph, bp


def test_what_is_set_by_others_is_left_alone(shell: Shell) -> None:
    def trace(*_: object) -> None:
        return None

    cell = "y = x\nfor i in range(2):\n    for j in range(2):\n        y = np.sin(y)"
    shell.run(BEFORE)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ran = shell.run(f"%%grad -q -o bp\n{cell}")
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert ran.is_fine
    assert after is trace
    # Nothing is told where nothing is known.
    assert {node.turns for node in shell["bp"].graph.functions} == {()}


def test_a_cell_that_sets_a_trace_function_has_its_way(shell: Shell) -> None:
    shell.run(BEFORE + "import sys\n")
    cell = "y = x\nfor i in range(2):\n    sys.settrace(None)\n    if i == 1: y = np.sin(y)"
    assert shell.run(f"%%grad -q -o bp\n{cell}").is_fine
    assert sys.gettrace() is None


@pytest.mark.skipif(hasattr(sys, "monitoring"), reason="nothing gives up")
def test_a_loop_that_goes_on_for_long_is_not_followed_to_its_end(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "MOST_LINES", 100)
    cell = "y = x\nfor i in range(60):\n    if i > 50:\n        y = np.sin(y)"
    assert set(turns_in(shell, cell)) == {"sin "}


def test_turns_and_calls_are_kept_as_data(shell: Shell) -> None:
    turns_in(shell, "def f(v):\n    return np.sin(v)\ny = x\nfor i in range(9):\n    y = f(y) * x")
    bp = shell["bp"]
    data = json.loads(json.dumps(bp.to_dict()))
    restored = BackwardPass.from_dict(data)
    assert [step.turns for step in restored] == [step.turns for step in bp]
    assert restored.graph.functions[0].made == bp.graph.functions[0].made
    data["functions"][0]["turns"][0]["of"] = 0
    with pytest.raises(ValueError, match=r"functions\[0\].turns\[0\].of is 0, but should be"):
        BackwardPass.from_dict(data)


def test_a_pass_that_is_restored_is_folded_as_before(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipygrad.record.MOST_BOXES", 10)
    cell = "y = x\nfor i in range(3):\n    for j in range(3):\n        y = np.exp(-np.sin(y))"
    turns_in(shell, cell)
    graph = shell["bp"]._payload({})["graph"]
    assert ["group_turn", {"turn": "3"}] in json.loads(
        json.dumps([group["label"] for group in graph["groups"]])
    )
    restored = BackwardPass.from_dict(json.loads(json.dumps(shell["bp"].to_dict())))
    # The data have the chain rule of graphs that are drawn whole alone.
    del graph["untold"]
    for variable in graph["variables"]:
        variable["chain"] = None
    assert restored._payload({})["graph"] == graph
