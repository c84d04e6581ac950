"""Several results or passes of one cell: which are shown, with which numbers, and what stays."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from ipygrad import BackwardPass, BackwardPasses, Variable, backward_pass, exp, square
from tests.pages import payloads_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.shell import Shell

TWO = "x = Variable(2.0)\ny = square(x)\nz = exp(x)\n"
DESCENT = """\
x = Variable(3.0)
for i in range({turns}):
    y = square(x)
    x.cleargrad()
    y.backward()
    {update}
"""
NEWTON = """\
x = Variable(2.0)
for i in range(2):
    y = x**4 - 2 * x**2
    x.cleargrad()
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    gx.backward()
    x.data -= gx.data / x.grad
"""
OWN = """\
class Var:
    def __init__(self, data):
        self.data, self.grad, self.creator = data, None, None
    def set_creator(self, function):
        self.creator = function
    def backward(self):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        functions = [self.creator]
        while functions:
            f = functions.pop()
            gx = f.backward(f.output.grad)
            f.input.grad = gx if f.input.grad is None else f.input.grad + gx
            if f.input.creator is not None:
                functions.append(f.input.creator)

class Func:
    def __call__(self, input):
        output = Var(np.asarray(self.forward(input.data)))
        output.set_creator(self)
        self.input, self.output = input, output
        return output

class Sq(Func):
    def forward(self, x):
        return x ** 2
    def backward(self, gy):
        return 2 * self.input.data * gy
"""


def titles(text: str) -> list[str]:
    return [line for line in text.splitlines() if "Backward pass of" in line]


def gradients_of(passes: Iterable[BackwardPass], name: str) -> list[float]:
    """Return what a variable holds after each pass."""
    return [
        float(after)
        for bp in passes
        for step in bp[-1:]
        for number, after in zip(
            bp.graph.functions[step._bare.function].inputs, step.after, strict=True
        )
        if after is not None and bp.graph.variables[number].name == name
    ]


# --- several results ---


@pytest.mark.parametrize(
    "cell",
    [
        "%%grad y, z -o bp\n" + TWO,
        "%%grad [y, z] -o bp\n" + TWO,
        "%%grad -o bp\n" + TWO + "y, z",
        "%%grad -o bp\n" + TWO + "(y, z);",
    ],
)
def test_each_result_has_a_pass_and_gradients_add_up(shell: Shell, cell: str) -> None:
    ran = shell.run(cell)
    assert titles(ran.text) == ["Backward pass of y", "Backward pass of z"]
    assert shell["x"].grad == 4 + np.exp(2)
    bp = shell["bp"]
    assert isinstance(bp, tuple)
    assert gradients_of(bp, "x") == [4, 4 + np.exp(2)]
    assert "x.grad held a gradient from an earlier pass" in ran.text


def test_the_line_magic_steps_through_several_and_changes_nothing(shell: Shell) -> None:
    shell.run(TWO)
    ran = shell.run("%grad y, z --step 1 -o bp")
    assert titles(ran.text) == ["Backward pass of y", "Backward pass of z"]
    assert shell["x"].grad is None
    assert [bp._start for bp in shell["bp"]] == [1, 0]


def test_results_of_one_name_are_numbered(shell: Shell) -> None:
    ran = shell.run("%%grad y, y\n" + TWO)
    assert titles(ran.text) == ["1. Backward pass of y", "2. Backward pass of y"]
    assert shell["x"].grad == 8


def test_what_is_no_result_among_several_is_named(shell: Shell) -> None:
    assert "needs a result to go back from: x is a leaf" in shell.run(f"%%grad y, x\n{TWO}").text
    assert "ys[1] is a leaf" in shell.run(f"%%grad ys\n{TWO}ys = [y, x]").text


def test_a_tuple_of_other_things_is_no_result(shell: Shell) -> None:
    ran = shell.run("%%grad\n" + TWO + "y, 3")
    assert titles(ran.text) == ["Backward pass of z"]


def test_at_most_eight_are_shown_and_all_leave_gradients(shell: Shell) -> None:
    ran = shell.run("%%grad ys\nx = Variable(2.0)\nys = [x * k for k in range(10)]")
    assert len(titles(ran.text)) == 8
    assert "There are 10 passes to show; here are the first 8." in ran.text
    assert shell["x"].grad == 45


def test_a_cotangent_is_for_each(shell: Shell) -> None:
    shell.run("%%grad y, z --cotangent 2.0\n" + TWO)
    assert shell["x"].grad == 2 * (4 + np.exp(2))


def test_a_backward_that_fails_ends_them(shell: Shell) -> None:
    shell.run(
        "class Bad(Function):\n    def forward(self, x):\n        return x\n"
        "    def backward(self, gy):\n        raise ValueError('no')"
    )
    ran = shell.run("%%grad y, w, z -o bp\n" + TWO + "w = Bad()(x)")
    assert ran.error is not None
    assert [bp.error is None for bp in shell["bp"]] == [True, False]
    assert shell["x"].grad == 4


def test_learners_classes_and_ours(shell: Shell) -> None:
    shell.run(OWN)
    shell.run("%%grad v, y -o bp\nu = Var(np.array(3.0))\nv = Sq()(u)\n" + TWO)
    assert [bp._shown.name for bp in shell["bp"]] == ["v", "y"]
    assert shell["u"].grad == 6
    assert shell["x"].grad == 4


# --- passes of the cell's own ---


def test_each_pass_that_a_cell_runs_is_shown_alone(shell: Shell) -> None:
    ran = shell.run("%%grad -o bp\n" + TWO + "y.backward()\nz.backward()\ny.backward()")
    assert titles(ran.text) == [f"{n}. Backward pass of {r}" for n, r in enumerate("yzy", 1)]
    assert gradients_of(shell["bp"], "x") == [4, 4 + np.exp(2), 8 + np.exp(2)]
    assert shell["x"].grad == 8 + np.exp(2)
    assert ran.text.count("left every .grad as it was") == 1


@pytest.mark.parametrize("update", ["x.data -= 0.1 * x.grad", "x.data = x.data - 0.1 * x.grad"])
def test_gradient_descent_has_the_numbers_of_each_turn(shell: Shell, update: str) -> None:
    ran = shell.run("%%grad -o bp\n" + DESCENT.format(turns=3, update=update))
    assert titles(ran.text) == [f"{number}. Backward pass of y" for number in (1, 2, 3)]
    assert gradients_of(shell["bp"], "x") == pytest.approx([6, 4.8, 3.84])
    values = [float(bp.graph.variables[0].value) for bp in shell["bp"]]
    assert values == pytest.approx([3, 2.4, 1.92])
    assert shell["x"].data == pytest.approx(1.536)


def test_a_pass_of_an_earlier_moment_knows_the_users_variables(shell: Shell) -> None:
    shell.run("%%grad -o bp\n" + DESCENT.format(turns=2, update="x.data -= 0.1 * x.grad"))
    first, x = shell["bp"][0], shell["x"]
    assert "= 6" in first.chain(x)
    assert gradients_of([first.what_if({x: 5.0})], "x") == [10]
    first._keep({0: np.array(7.0)})
    assert x.data == 7


def test_of_many_passes_the_last_are_shown(shell: Shell) -> None:
    ran = shell.run("%%grad -o bp\n" + DESCENT.format(turns=30, update="x.data -= 0.1 * x.grad"))
    assert titles(ran.text)[0] == "23. Backward pass of y"
    assert len(shell["bp"]) == 8
    assert "The cell ran 30 backward passes. Shown of them: the last 8." in ran.text
    assert gradients_of(shell["bp"], "x")[-1] == pytest.approx(6 * 0.8**29)


def test_large_passes_are_not_shown_all_together(shell: Shell) -> None:
    large = DESCENT.replace("y = square(x)", "y = x\n    for k in range(600):\n        y = y * 1.0")
    ran = shell.run("%%grad -o bp\n" + large.format(turns=3, update="x.data -= 0.1 * x.grad"))
    assert isinstance(shell["bp"], BackwardPass)
    assert titles(ran.text) == ["Backward pass of y₆₀₀"]
    assert "The cell ran 3 backward passes. Shown of them: the last 1." in ran.text


def test_a_result_that_is_asked_for_is_shown_alone(shell: Shell) -> None:
    ran = shell.run("%%grad y\n" + TWO + "y.backward()\nz.backward()\nx.data += 1")
    assert titles(ran.text) == ["Backward pass of y"]
    assert "= 4" in ran.text
    assert "Shown of them" not in ran.text


def test_a_last_expression_beside_the_passes_is_shown_as_ever(shell: Shell) -> None:
    ran = shell.run("%%grad\n" + TWO + "y.backward()\nz.backward()\nw = square(x)\nw")
    assert titles(ran.text) == ["Backward pass of w"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("y.data += 1\n    x.data += 1", "Not shown: 1. y and 2. y."),
        ("y.unchain()", "Not shown: 1. y and 2. y."),
    ],
)
def test_what_cannot_be_had_again_is_said(shell: Shell, change: str, said: str) -> None:
    ran = shell.run(
        "%%grad\n" + DESCENT.format(turns=2, update=change) + "z = exp(x)\nz.backward()"
    )
    assert titles(ran.text) == ["3. Backward pass of z"]
    assert said in ran.text


def test_where_nothing_can_be_had_again_the_pass_of_now_is_said_to_be_one(shell: Shell) -> None:
    ran = shell.run("%%grad\n" + TWO + "z.backward()\nz.data += 1\nx.data += 1")
    assert titles(ran.text) == ["Backward pass of z"]
    assert "this is the pass as it would be now" in ran.text


def test_a_start_by_hand_is_that_of_its_pass(shell: Shell) -> None:
    ran = shell.run(
        "%%grad -o bp\n" + TWO + "y.grad = np.array(5.0)\ny.backward()\ny.cleargrad()\n"
        "x.cleargrad()\ny.backward()"
    )
    assert gradients_of(shell["bp"], "x") == [20, 4]
    assert [bp._run.origin for bp in shell["bp"]] == ["by_hand", "ones"]
    assert ran.is_fine


def test_passes_of_a_learners_engine_are_kept_apart(shell: Shell) -> None:
    shell.run(OWN)
    ran = shell.run(
        "%%grad -o bp\nu = Var(np.array(3.0))\nv = Sq()(u)\nw = Sq()(v)\nv.backward()\n"
        "u.grad = v.grad = None\nw.backward()"
    )
    assert titles(ran.text) == ["1. Backward pass of v", "2. Backward pass of w"]
    assert gradients_of(shell["bp"], "u") == [6, 108]


def test_of_a_learners_engine_the_result_that_is_asked_for_is_shown_alone(shell: Shell) -> None:
    shell.run(OWN)
    ran = shell.run(
        "%%grad v\nu = Var(np.array(3.0))\nv = Sq()(u)\nw = Sq()(u)\nv.backward()\nw.backward()"
    )
    assert titles(ran.text) == ["Backward pass of v"]
    assert "Shown of them" not in ran.text


def test_of_a_learners_engine_only_what_has_not_changed_is_shown(shell: Shell) -> None:
    shell.run(OWN)
    ran = shell.run(
        "%%grad\nu = Var(np.array(3.0))\nfor i in range(3):\n    v = Sq()(u)\n    u.grad = None\n"
        "    v.backward()\n    u.data = u.data - 0.1 * u.grad"
    )
    assert titles(ran.text) == ["3. Backward pass of v"]
    assert "Not shown: 1. v and 2. v" in ran.text


# --- gradients of gradients ---


@pytest.mark.parametrize(
    "cell",
    [
        "%%grad -o bp\nx = Variable(3.0)\ny = x**3\ny.backward(create_graph=True)",
        "%%grad --create-graph -o bp\nx = Variable(3.0)\ny = x**3",
        "%%grad -o bp\nx = Variable(3.0)\ny = x**3\ny.backward(create_graph=True)\nx.grad",
    ],
)
def test_the_graph_of_a_gradient_is_a_further_pass(shell: Shell, cell: str) -> None:
    ran = shell.run(cell)
    assert titles(ran.text) == ["Backward pass of y", "Backward pass of x.grad"]
    assert gradients_of(shell["bp"], "x") == [27, 18]
    assert isinstance(shell["x"].grad, Variable)
    shell.run("%grad x.grad -o again")
    assert gradients_of([shell["again"]], "x") == [18]


def test_a_gradient_as_the_result(shell: Shell) -> None:
    ran = shell.run("%%grad x.grad\nx = Variable(3.0)\ny = x**3\ny.backward(create_graph=True)")
    assert titles(ran.text) == ["Backward pass of x.grad"]


def test_the_line_magic_makes_graphs_of_gradients_and_leaves_nothing(shell: Shell) -> None:
    shell.run("x = Variable(3.0)\ny = x**3")
    ran = shell.run("%grad y --create-graph")
    assert titles(ran.text) == ["Backward pass of y", "Backward pass of x.grad"]
    assert shell["x"].grad is None


def test_newtons_method_has_both_passes_of_each_turn(shell: Shell) -> None:
    ran = shell.run("%%grad -o bp\n" + NEWTON)
    assert [title.split("of ")[1] for title in titles(ran.text)] == ["y", "x.grad", "y", "gx"]
    x = 2 - 24 / 44
    assert gradients_of(shell["bp"], "x") == pytest.approx(
        [24, 44, 4 * x**3 - 4 * x, 12 * x**2 - 4]
    )


def test_a_backward_that_cannot_be_differentiated_leaves_nothing(shell: Shell) -> None:
    shell.run(
        "class Cube(Function):\n    def forward(self, x):\n        return x**3\n"
        "    def backward(self, gy):\n        return gy * 3 * self.input.data**2"
    )
    ran = shell.run("%%grad --create-graph\nx = Variable(3.0)\ny = Cube()(x)")
    assert "cannot be differentiated again" in str(ran.error)
    assert titles(ran.text) == ["Backward pass of y"]
    assert shell["x"].grad is None


def test_only_our_variables_are_differentiated_again(shell: Shell) -> None:
    shell.run(OWN)
    ran = shell.run("%%grad --create-graph\nv = Sq()(Var(np.array(3.0)))")
    assert "--create-graph is for Variables of ipygrad" in ran.text


def test_gradients_beyond_the_tabs_are_counted(shell: Shell) -> None:
    cell = "xs = [Variable(float(k)) for k in range(1, 13)]\ny = sum(x**3 for x in xs)\n"
    ran = shell.run("%%grad\n" + cell + "y.backward(create_graph=True)")
    assert len(titles(ran.text)) == 8
    assert "Passes from gradients that are not shown: 5." in ran.text
    ran = shell.run("%%grad --create-graph\n" + cell)
    assert "There are 13 passes to show; here are the first 8." in ran.text


# --- what they show themselves as ---


@pytest.fixture
def two() -> BackwardPasses:
    x = Variable(2.0, name="x")
    return BackwardPasses([backward_pass(square(x)), backward_pass(exp(x), language="ko")])


def content(html: str) -> Any:
    (stream,) = re.findall(r'atob\("([^"]*)"\)', html)
    return json.loads(gzip.decompress(base64.b64decode(stream)))


def test_there_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least one"):
        BackwardPasses([])


def test_they_print_one_table_after_the_other(two: BackwardPasses) -> None:
    assert str(two) == f"{two[0]}\n\n{two[1]}"


def test_the_bundle_has_every_pass_with_an_id_of_its_own(two: BackwardPasses) -> None:
    bundle = two.bundle()
    html = bundle["text/html"]
    passes = content(html)["passes"]
    assert [one["name"] for one in passes] == ["square(x)", "exp(x)"]
    assert [one["payload"]["title"] for one in passes] == [bp._shown.title for bp in two]
    assert all(f'"{bp._id}"' in html for bp in two)
    # Where no script runs, each has its picture and its table.
    still, _ = html.split("<script", 1)
    assert still.count("<h4>") == still.count("<img ") == still.count("<table>") == 2


def test_the_picture_has_them_below_each_other(two: BackwardPasses) -> None:
    def height(png: bytes) -> int:
        return Image.open(io.BytesIO(png)).height

    whole = height(two.bundle("picture")["image/png"])
    assert whole > sum(height(bp.bundle("picture")["image/png"]) for bp in two)
    assert set(two.bundle("table")) == {"text/plain"}


def test_as_widgets_they_stand_in_tabs_and_are_freed(two: BackwardPasses) -> None:
    assert "application/vnd.jupyter.widget-view+json" in two.bundle("widget")
    tabs = two._tabs
    assert tabs.titles == ("square(x)", "exp(x)")
    tabs.children[1].step = 1
    assert two[1].widget.step == 1
    assert two[0].widget.step == 0
    two.close()
    assert tabs.comm is None


def test_the_page_has_every_pass(two: BackwardPasses, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    two.to_html(path)
    assert [payload["title"] for payload in payloads_of(path)] == [bp._shown.title for bp in two]
    text = path.read_text("utf-8")
    assert text.count("<div data-tabs>") == 1
    assert text.count("<div data-pass>") == 2
    with pytest.raises(FileExistsError):
        two.to_html(path, overwrite=False)
