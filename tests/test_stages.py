"""An engine as learners type it, stage by stage, under ``%%grad``: graph, order, numbers, notes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ipygrad.explain.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.shell import Ran, Shell

STAGES = Path(__file__).parent / "stages"
X_GRAD = 3.297442541400256
MANUAL = "y.grad = np.array(1.0)\nb.grad = C.backward(y.grad)\n"
FORWARD = """\
A = Square()
B = Exp()
C = Square()
x = Variable(np.array(0.5))
a = A(x)
b = B(a)
y = C(b)
"""
SHARED = "x = Variable(np.array(2.0))\na = square(x)\ny = add(square(a), square(a))\n"
EARLY = (
    "Square takes its turn before all gradients of a have arrived, with 1 of 2: it gets 8, but 16 "
    "would be right."
)


@pytest.fixture
def at_stage(shell: Shell) -> Callable[[int], Shell]:
    """Give a function that types the classes of a stage into an empty notebook."""

    def type_in(number: int) -> Shell:
        shell.run("%reset -f")
        assert shell.run((STAGES / f"stage{number:02}.py").read_text()).is_fine
        return shell

    return type_in


def under_the_magic(shell: Shell, cell: str) -> Ran:
    ran = shell.run("%%grad -o bp\n" + cell)
    assert ran.error is None
    return ran


def labels(shell: Shell) -> list[str]:
    return [step.label for step in shell["bp"]]


def gradients(shell: Shell) -> dict[str, float]:
    """Return what the pass leaves in each variable that it reaches, by name."""
    bp = shell["bp"]
    found = {}
    for step in bp:
        inputs = bp.graph.functions[step._bare.function].inputs
        for number, after in zip(inputs, step.after, strict=True):
            found[bp.graph.variables[number].name] = after.item()
    return found


def notes(shell: Shell) -> list[tuple[str, ...]]:
    return [step.notes for step in shell["bp"]]


CHAIN = {"b": 2.568050833375483, "a": X_GRAD, "x": X_GRAD}


@pytest.mark.parametrize("stage", [2, 4])
def test_without_links_and_backward_the_slope_is_measured(
    at_stage: Callable[[int], Shell], stage: int
) -> None:
    shell = at_stage(stage)
    under_the_magic(shell, FORWARD)
    assert labels(shell) == ["Square", "Exp", "Square"]
    assert gradients(shell) == pytest.approx(CHAIN, rel=1e-9)
    assert notes(shell)[1] == ("Exp has no backward yet: the slope is measured, not computed.",)
    assert [step.check.reason for step in shell["bp"]] == ["measured"] * 3
    assert [step.line for step in shell["bp"]] == [8, 7, 6]


def test_a_measured_slope_keeps_its_value(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(4)
    cell = """\
def f(x):
    A = Square()
    B = Exp()
    C = Square()
    return C(B(A(x)))

x = Variable(np.array(0.5))
dy = numerical_diff(f, x)
dy
"""
    ran = under_the_magic(shell, cell)
    assert shell["dy"] == pytest.approx(X_GRAD, rel=1e-7)
    assert labels(shell) == ["Square", "Exp", "Square"]
    assert (
        "The cell computed several results on its way, and none of them has a name: this is the "
        "last one, computed from 0.5001. To step through another, give it a name, as in y = f(x)."
    ) in ran.text
    ran = under_the_magic(shell, cell + "y = f(x)\n")
    assert "Backward pass of y\n\n" in ran.text
    assert gradients(shell)["x"] == pytest.approx(X_GRAD, rel=1e-9)


def test_a_number_does_not_give_its_name_to_what_it_was_computed_from(
    at_stage: Callable[[int], Shell],
) -> None:
    shell = at_stage(4)
    cell = "f = Square()\nx = Variable(np.array(2.0))\ndy = numerical_diff(f, x)\n"
    ran = under_the_magic(shell, cell)
    assert ran.text.startswith("Backward pass of Square(2.0001)\nThe cell computed several")
    assert [v.name for v in shell["bp"].graph.variables] == ["2.0001", "Square(2.0001)"]


def test_that_there_were_several_is_told_in_the_language_that_was_chosen(
    at_stage: Callable[[int], Shell],
) -> None:
    shell = at_stage(4)
    cell = "f = Square()\nx = Variable(np.array(2.0))\ndy = numerical_diff(f, x)\n"
    ran = shell.run("%%grad --lang ko\n" + cell)
    assert Words("ko")("notice_on_the_way", leaves="2.0001") in ran.text.replace("\n", " ")


@pytest.mark.parametrize("stage", [6, 7, 8])
def test_forward_alone_is_enough(at_stage: Callable[[int], Shell], stage: int) -> None:
    shell = at_stage(stage)
    under_the_magic(shell, FORWARD)
    assert labels(shell) == ["Square", "Exp", "Square"]
    assert gradients(shell) == CHAIN
    assert notes(shell) == [(), (), ()]
    assert {step.check.status for step in shell["bp"]} == {"agrees"}
    left = None if stage == 6 else X_GRAD  # there is no y.backward() to do as
    assert shell["x"].grad == left


def test_each_backward_by_hand_is_a_step(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    ran = under_the_magic(
        shell, FORWARD + MANUAL + "a.grad = B.backward(b.grad)\nx.grad = A.backward(a.grad)\n"
    )
    assert "Not called yet" not in ran.text
    assert labels(shell) == ["Square", "Exp", "Square"]
    assert gradients(shell) == CHAIN
    assert shell["x"].grad == X_GRAD
    source = shell["bp"][1].source
    assert source.lines[-1] == "    return gx"
    assert dict(source.values) == {"gy": CHAIN["b"], "x": 0.25, "gx": X_GRAD}


@pytest.mark.parametrize("magic", ["", "%%grad -o bp\n"], ids=["forward plain", "forward observed"])
def test_backward_by_hand_in_cells_of_its_own(at_stage: Callable[[int], Shell], magic: str) -> None:
    shell = at_stage(6)
    assert shell.run(magic + FORWARD).is_fine
    assert "Not called yet: B.backward and A.backward." in under_the_magic(shell, MANUAL).text
    assert gradients(shell) == {"b": CHAIN["b"]}
    ran = under_the_magic(shell, "a.grad = B.backward(b.grad)")
    assert "Backward pass of y\nNot called yet: A.backward." in ran.text
    assert gradients(shell) == {"b": CHAIN["b"], "a": X_GRAD}
    assert "Not called yet" not in under_the_magic(shell, "x.grad = A.backward(a.grad)").text
    assert gradients(shell) == CHAIN


def test_the_way_back_by_hand_can_be_run_again(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    shell.run(FORWARD)
    by_hand = MANUAL + "a.grad = B.backward(b.grad)\nx.grad = A.backward(a.grad)\n"
    under_the_magic(shell, by_hand)
    under_the_magic(shell, by_hand)
    assert len(shell["bp"]) == 3


def test_a_backward_that_is_left_out_is_told(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    ran = under_the_magic(shell, FORWARD + MANUAL + "x.grad = A.backward(b.grad)\n")
    assert "Not called yet: B.backward." in ran.text
    assert notes(shell)[1] == (
        "Square.backward was given b.grad, but it needs a.grad, the gradient of what Square made.",
    )


def test_a_backward_by_hand_too_early_is_told(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    ran = shell.run("%%grad -o bp\n" + FORWARD + MANUAL + "x.grad = A.backward(a.grad)\n")
    assert isinstance(ran.error, TypeError)
    assert "a.grad is None when A.backward needs it: run B.backward first" in ran.text
    assert "1     Square    8" in ran.text
    # The traceback is that of the cell without the magic.
    assert "in Square.backward(self, gy)" in ran.text
    assert "skipping hidden" not in ran.text


@pytest.mark.parametrize("stage", [6, 7])
def test_a_backward_without_return_is_told(at_stage: Callable[[int], Shell], stage: int) -> None:
    shell = at_stage(stage)
    shell.run(
        "class Exp(Exp):\n    def backward(self, gy):\n        gx = np.exp(self.input.data) * gy\n"
    )
    way_back = MANUAL + "a.grad = B.backward(b.grad)\nx.grad = A.backward(a.grad)\n"
    if stage == 7:
        way_back = "y.grad = np.array(1.0)\ny.backward()\n"
    ran = shell.run("%%grad\n" + FORWARD + way_back)
    assert isinstance(ran.error, TypeError)
    assert 'B.backward returned None: did you forget "return gx"?' in ran.text


def test_a_first_gradient_that_is_missing_is_told(at_stage: Callable[[int], Shell]) -> None:
    ran = at_stage(7).run("%%grad\n" + FORWARD + "y.backward()\n")
    assert isinstance(ran.error, TypeError)
    assert "y.grad is None when C.backward needs it: assign y.grad = np.array(1.0) first" in (
        ran.text
    )


def test_a_function_that_does_not_set_its_creator_is_told(
    at_stage: Callable[[int], Shell],
) -> None:
    shell = at_stage(7)
    shell.run(
        "class Square(Square):\n    def __call__(self, input):\n"
        "        self.input = input\n        return Variable(self.forward(input.data))\n"
    )
    ran = under_the_magic(shell, FORWARD)
    assert (
        "y has no creator: Square.__call__ returned a Variable without calling "
        "output.set_creator(self)"
    ) in ran.text
    assert labels(shell) == ["Square", "Exp", "Square"]


@pytest.mark.parametrize("stage", [7, 8, 9])
@pytest.mark.parametrize("way_back", ["", "y.grad = np.array(1.0)\ny.backward()\n"])
def test_their_own_backward_is_what_is_shown(
    at_stage: Callable[[int], Shell], stage: int, way_back: str
) -> None:
    shell = at_stage(stage)
    ran = under_the_magic(shell, FORWARD + way_back)
    assert gradients(shell) == CHAIN
    assert shell["x"].grad == X_GRAD
    assert ("The cell ran a backward pass itself" in ran.text) == bool(way_back)


def test_a_pass_shows_the_text_and_the_values_of_their_backward(
    at_stage: Callable[[int], Shell],
) -> None:
    shell = at_stage(7)
    under_the_magic(shell, FORWARD)
    steps = shell["bp"]._payload({})["steps"]
    assert "source" not in steps[0]["texts"]
    text, held = steps[2]["texts"]["source"].split("\n\n")
    assert text.splitlines()[-2:] == ["    gx = np.exp(x) * gy", "    return gx"]
    assert set(held.splitlines()) == {"gy = 2.568", "x = 0.25", "gx = 3.297"}


def test_a_backward_that_raises_is_told(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(8)
    shell.run("class Exp(Exp):\n    def backward(self, gy):\n        return gy * self.y\n")
    ran = shell.run("%%grad\n" + FORWARD)
    missing = "AttributeError: 'Exp' object has no attribute 'y'"
    assert f"The pass stops at Exp (line 7): B.backward raised {missing}" in ran.text
    assert f"y.backward() raised {missing}" in ran.text


def test_a_backward_that_is_wrong_is_found(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(8)
    shell.run("class Exp(Exp):\n    def backward(self, gy):\n        return 3 * gy\n")
    under_the_magic(shell, FORWARD)
    assert [step.check.status for step in shell["bp"]] == ["agrees", "disagrees", "agrees"]


def test_a_long_pass_is_shown_whole(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(16)
    loop = "x = Variable(np.array(1.0))\ny = x\nfor _ in range(2500):\n    y = add(y, x)\n"
    for way_back in ("", "y.backward()\nx.grad\n"):
        assert shell.run("%%grad -q -o bp\n" + loop + way_back).error is None
        assert shell["x"].grad == 2501
        assert len(shell["bp"]) == 2500


def test_a_long_loop_without_links_is_shown_whole(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    cell = "x = Variable(np.array(1.0))\ny = x\nfor _ in range(700):\n    y = Square()(y)\ny\n"
    under_the_magic(shell, cell)
    assert len(shell["bp"]) == 700
    assert gradients(shell)["x"] == 2.0**700


def test_a_loop_that_trains_shows_its_last_pass(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(16)
    cell = """\
x = Variable(np.array(1.0))
for _ in range(800):
    x.cleargrad()
    y = square(exp(square(x)))
    y.backward()
    x.data = x.data - 0.01 * x.grad
"""
    under_the_magic(shell, cell)
    assert labels(shell) == ["Square", "Exp", "Square"]


def test_a_long_loop_by_hand_shows_what_it_did_last(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    cell = """\
x = Variable(np.array(1.0))
for _ in range(2000):
    A = Square()
    B = Square()
    a = A(x)
    y = B(a)
    y.grad = np.array(1.0)
    a.grad = B.backward(y.grad)
    x.grad = A.backward(y.grad)
"""
    under_the_magic(shell, cell)
    (_, wrong) = notes(shell)
    assert wrong == (
        "Square.backward was given y.grad, but it needs a.grad, the gradient of what Square made.",
    )
    assert gradients(shell) == {"a": 2, "x": 2}


CUT = (
    "The cell called more backward methods than are kept (100,000, fewer with large arrays): this "
    "is the pass as it should be, not as the cell ran it."
)


def test_more_turns_than_are_heard_are_told(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(7)
    shell.run("x = Variable(np.array(3.0))\nA = Square()\ny = A(x)\n")
    ran = under_the_magic(
        shell, "for _ in range(100_001):\n    x.grad = A.backward(np.array(1.0))\ny\n"
    )
    assert CUT in ran.text
    assert gradients(shell) == {"x": 6}
    assert shell["x"].grad == 6
    assert shell["y"].grad is None


def test_turns_on_large_arrays_are_kept_for_the_last_pass(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    loop = "x = Variable(np.ones(1_000_000))\nfor _ in range(5):\n    A = Square()\n    y = A(x)\n"
    turn = "    y.grad = np.ones(1_000_000)\n    x.grad = A.backward(y.grad)\n"
    ran = shell.run("%%grad -q -o bp\n" + loop + turn)
    assert ran.is_fine
    assert shell["bp"][0].source.values[-1][0] == "gx"
    assert CUT not in str(shell["bp"])


def test_a_line_magic_steps_through_what_was_not_observed(
    at_stage: Callable[[int], Shell],
) -> None:
    shell = at_stage(6)
    assert shell.run(FORWARD).is_fine
    assert shell.run("%grad y -o bp").error is None
    assert gradients(shell) == CHAIN


def test_functions_of_python_stand_before_the_classes(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(9)
    under_the_magic(shell, "x = Variable(np.array(0.5))\ny = square(exp(square(x)))\n")
    assert [v.name for v in shell["bp"].graph.variables] == [
        "x", "square(x)", "exp(square(x))", "y",
    ]  # fmt: skip
    assert shell["x"].grad == X_GRAD


@pytest.mark.parametrize(
    ("stage", "call"),
    [(11, "ys = Add()([x0, x1])\ny = ys[0]\n"), (12, "y = add(x0, x1)\n")],
    ids=["a list", "several arguments"],
)
def test_several_inputs(at_stage: Callable[[int], Shell], stage: int, call: str) -> None:
    shell = at_stage(stage)
    cell = "x0 = Variable(np.array(2.0))\nx1 = Variable(np.array(3.0))\n" + call
    under_the_magic(shell, cell)
    assert gradients(shell) == pytest.approx({"x0": 1, "x1": 1}, rel=1e-9)
    assert notes(shell) == [("Add has no backward yet: the slope is measured, not computed.",)]


@pytest.mark.parametrize("way_back", ["", "y.backward()\nx.grad\n"], ids=["ours", "theirs"])
def test_overwritten_gradients(at_stage: Callable[[int], Shell], way_back: str) -> None:
    shell = at_stage(13)
    ran = under_the_magic(shell, SHARED + way_back)
    assert shell["x"].grad == 32
    assert "This pass ends with x.grad = 32, but 64 would be right: see step 3 and step 4." in (
        ran.text
    )
    replaced = (
        "a.grad held 8, and 8 took its place instead of being added to it: 16 would be right."
    )
    assert notes(shell) == [(), (), (EARLY,), (replaced,), ()]


@pytest.mark.parametrize("way_back", ["", "y.backward()\nx.grad\n"], ids=["ours", "theirs"])
def test_turns_that_come_too_early(at_stage: Callable[[int], Shell], way_back: str) -> None:
    shell = at_stage(14)
    ran = under_the_magic(shell, SHARED + way_back)
    assert shell["x"].grad == 96
    assert "This pass ends with x.grad = 96, but 64 would be right: see step 3 and step 5." in (
        ran.text
    )
    twice = (
        "Square had its turn before, in step 3: what it contributed to x then is still there, and "
        "counts twice."
    )
    assert notes(shell) == [(), (), (EARLY,), (), (twice,)]


@pytest.mark.parametrize("stage", [16, 17, 18, 20, 21, 22])
@pytest.mark.parametrize("way_back", ["", "y.backward()\nx.grad\n"], ids=["ours", "theirs"])
def test_generations_give_the_right_order(
    at_stage: Callable[[int], Shell], stage: int, way_back: str
) -> None:
    shell = at_stage(stage)
    ran = under_the_magic(shell, SHARED + way_back)
    assert shell["x"].grad == 64
    assert "would be right" not in ran.text
    assert notes(shell) == [()] * 4
    assert [step.line for step in shell["bp"]] == [4, 4, 4, 3]
    functions = shell["bp"].graph.functions
    assert [functions[step._bare.function].generation for step in shell["bp"]] == [2, 1, 1, 0]


def test_the_waiting_list_shows_why_generations_are_right(
    at_stage: Callable[[int], Shell],
) -> None:
    lists = {}
    for stage in (14, 16):
        shell = at_stage(stage)
        under_the_magic(shell, SHARED + "y.backward()\n")
        lists[stage] = [
            [(one.generation, one.arrived, one.expected) for one in step.waiting]
            for step in shell["bp"]
        ]
    # Without generations a's creator is next with one gradient of two; with them it waits.
    assert lists[14][1][0] == (0, 1, 2)
    assert lists[16][1] == [(1, 1, 1), (0, 1, 2)]
    assert lists[16][2] == [(0, 2, 2)]


def test_a_gradient_left_over_is_told(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(14)
    cell = "x = Variable(np.array(3.0))\ny = add(x, x)\ny.backward()\n"
    under_the_magic(shell, cell)
    under_the_magic(shell, "y = add(x, x)\ny.backward()\n")
    assert shell["x"].grad == 4
    assert notes(shell) == [
        ("x.grad still held 2 from an earlier pass, and this is added to it.",),
    ]


@pytest.mark.parametrize(("stage", "gradient"), [(13, 1), (14, 2), (16, 2), (18, 2)])
def test_one_variable_twice(at_stage: Callable[[int], Shell], stage: int, gradient: float) -> None:
    shell = at_stage(stage)
    under_the_magic(shell, "x = Variable(np.array(3.0))\ny = add(x, x)\n")
    assert shell["x"].grad == gradient
    (step,) = shell["bp"]
    assert (step.before, step.after) == ((None, 1), (1, gradient))
    replaced = "x.grad held 1, and 1 took its place instead of being added to it: 2 would be right."
    assert step.notes == ((replaced,) if gradient == 1 else ())


def test_intermediate_gradients_that_are_dropped(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(18)
    cell = """\
x0 = Variable(np.array(1.0))
x1 = Variable(np.array(1.0))
t = add(x0, x1)
y = add(x0, t)
y.backward()
"""
    under_the_magic(shell, cell)
    assert (shell["t"].grad, shell["y"].grad) == (None, None)
    assert gradients(shell) == {"x0": 2, "t": 1, "x1": 1}
    assert notes(shell) == [(), ()]


SWITCHED_OFF = "y has no creator: it was made while Config.enable_backprop was False."


def test_a_result_without_creator_is_told_the_switch_that_was_off(
    at_stage: Callable[[int], Shell],
) -> None:
    shell = at_stage(18)
    cell = "x = Variable(np.array(2.0))\nwith no_grad():\n    y = square(x)\n"
    for last in ("", "y\n", "print(y.data)\n"):
        assert SWITCHED_OFF in str(shell.run("%%grad\n" + cell + last).error)
    assert SWITCHED_OFF in str(shell.run("%%grad y\n" + cell).error)
    assert SWITCHED_OFF in str(shell.run("%grad y").error)
    shell.run("%%grad\nwith no_grad():\n    y = square(x)\nz = square(x)\n")
    assert shell["z"].creator is not None
    assert "x has no creator" not in str(shell.run("%grad x").error)


@pytest.mark.parametrize(
    ("switch", "reason"),
    [
        ("records", "it was made while records was False"),
        ("x.data > 0", "this time Function.__call__ did not set it"),
    ],
)
def test_the_switch_may_be_any_name(
    at_stage: Callable[[int], Shell], switch: str, reason: str
) -> None:
    shell = at_stage(7)
    shell.run(
        "records = False\nclass Function(Function):\n    def __call__(self, x):\n"
        "        output = Variable(self.forward(x.data))\n"
        f"        if {switch}:\n            output.set_creator(self)\n        return output\n"
        "class Square(Function):\n    def forward(self, x):\n        return x**2\n"
    )
    ran = shell.run("%%grad\ny = Square()(Variable(np.array(-2.0)))\n")
    assert f"y has no creator: {reason}." in str(ran.error)


TWICE = "A = Square()\nx = Variable(np.array(3.0))\na = A(x)\ny = A(a)\n"
CUT_OFF = (
    "a has a creator, but that Square was called again since, and an object remembers its latest "
    "call only: the pass cannot go on from a. Make a new Square for each call.\n"
)
NOT_CALLED = "y.backward() is not called here: along such creators it may never end.\n"


@pytest.mark.parametrize("stage", [7, 8, 9, 14, 16, 17, 18, 22])
def test_an_object_called_twice_is_told(at_stage: Callable[[int], Shell], stage: int) -> None:
    shell = at_stage(stage)
    ran = under_the_magic(shell, TWICE if stage != 22 else TWICE.replace("Square", "Neg"))
    text = CUT_OFF if stage != 22 else CUT_OFF.replace("Square", "Neg")
    assert ran.text.startswith(f"Backward pass of y\n{text}{NOT_CALLED}")
    assert gradients(shell) == {"a": 18 if stage != 22 else -1}
    assert text in shell.run("%grad y").text


def test_an_object_called_twice_without_links_is_told(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    ran = under_the_magic(shell, TWICE)
    assert (
        "A was called more than once, and an object remembers its latest call only. Here its "
        "backward is given the inputs of each call; called by hand, it computes with those of the "
        "latest. Make a new one for each call."
    ) in ran.text
    assert gradients(shell) == {"a": 18, "x": 108}


def test_operators(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(20)
    cell = """\
a = Variable(np.array(3.0))
b = Variable(np.array(2.0))
c = Variable(np.array(1.0))
y = a * b + c
"""
    under_the_magic(shell, cell)
    assert gradients(shell) == {"a * b": 1, "c": 1, "a": 2, "b": 3}


def test_operators_with_numbers_and_arrays(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(22)
    cell = "x = Variable(np.array(2.0))\ny = 2 / x - x ** 3 * -x + np.array(3.0)\n"
    under_the_magic(shell, cell)
    assert shell["x"].grad == 31.5
    assert labels(shell) == ["Add", "Sub", "Mul", "Neg", "Pow", "Div"]
    assert {step.check.status for step in shell["bp"]} == {"agrees"}


def test_arrays(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(22)
    under_the_magic(shell, "x = Variable(np.array([2.0, 1.0]))\ny = x * x\n")
    assert shell["x"].grad.tolist() == [4, 2]


def test_their_classes_may_stand_in_the_cell_itself(shell: Shell) -> None:
    shell.run("%reset -f")
    under_the_magic(shell, (STAGES / "stage07.py").read_text() + FORWARD)
    assert gradients(shell) == CHAIN


def test_a_profile_function_is_put_back(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(7)
    shell.run("%%grad -q\n" + FORWARD + "1 / 0\n")
    shell.run("import sys\nleft = sys.getprofile()")
    assert shell["left"] is None


def test_names_are_known_beside_another_profiler(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(6)
    shell.run("import sys")
    profiled = FORWARD + "y.grad = np.array(1.0)\nb.grad = C.backward(y.grad)\n"
    cell = f"sys.setprofile(lambda *_: None)\n{profiled}sys.setprofile(None)\n"
    assert shell.run("%%grad -q -o bp\n" + cell).is_fine
    assert dict(shell["bp"][0].source.values)["gx"] == CHAIN["b"]


@pytest.mark.parametrize(("stage", "gradient"), [(13, 40), (14, 80), (16, 40), (17, 40)])
def test_several_outputs(at_stage: Callable[[int], Shell], stage: int, gradient: float) -> None:
    shell = at_stage(stage)
    shell.run(
        "class Split(Function):\n    def forward(self, x):\n        return x**2, 3 * x\n"
        "    def backward(self, gy0, gy1):\n        x = self.inputs[0].data\n"
        "        return 2 * x * gy0 + 3 * gy1\n"
    )
    ran = under_the_magic(
        shell, "x = Variable(np.array(2.0))\np, q = Split()(x)\ny = add(p, square(q))\n"
    )
    assert [v.name for v in shell["bp"].graph.variables] == ["x", "p", "q", "square(q)", "y"]
    assert gradients(shell)["x"] == shell["x"].grad == gradient
    assert shell["bp"][-1].cotangents == (1, 12)
    # Without generations it has a turn for each of its outputs.
    assert ("x.grad = 80, but 40 would be right" in ran.text) == (stage == 14)


def test_their_methods_are_their_own_again(at_stage: Callable[[int], Shell]) -> None:
    shell = at_stage(7)
    looked_at = "[Function.__call__, Square.backward, Exp.backward, Variable.backward]"
    shell.run(f"before = {looked_at}")
    for end in ("", "1 / 0\n"):
        shell.run("%%grad -q\n" + FORWARD + end)
        shell.run(f"after = {looked_at}")
        assert shell["after"] == shell["before"]
