"""``%%grad`` and ``%grad`` in a fresh shell."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from IPython.core.completer import provisionalcompleter

from tests.shell import SEED, Shell

X_GRAD = 3.297442541400256


# --- the cell runs as it would without the magic ---


def test_the_seed_cell_prints_the_table_and_leaves_gradients(shell: Shell) -> None:
    ran = shell.run("%%grad\n" + SEED)
    assert ran.is_fine
    assert ran.text.splitlines()[0] == "Backward pass of y"
    assert [line.split()[:2] for line in ran.text.splitlines()[5:]] == [
        ["0", "start"],
        ["1", "square"],
        ["2", "exp"],
        ["3", "square"],
    ]
    assert isinstance(shell["x"].grad, np.ndarray)
    assert shell["x"].grad == X_GRAD
    assert shell["b"].grad == 2.568050833375483
    assert shell["y"].grad == 1


def test_the_cell_runs_once(shell: Shell) -> None:
    shell.run("count = 0")
    shell.run("%%grad\ncount += 1\nprint('counted')\ny = square(Variable(3.0))")
    assert shell["count"] == 1


def test_output_keeps_its_order(shell: Shell) -> None:
    ran = shell.run("%%grad\nprint('first')\ny = square(Variable(3.0))\nprint('second')\ny")
    places = [ran.text.index(t) for t in ("first", "second", "Variable(9.0", "Backward pass of y")]
    assert places == sorted(places)


def test_the_last_expression_is_shown_and_bound(shell: Shell) -> None:
    ran = shell.run("%%grad\n" + SEED + "y")
    assert ran.value is shell["y"]
    assert shell["_"] is shell["y"]
    assert "Out[" in ran.text


def test_a_semicolon_silences_the_value_and_keeps_the_pass(shell: Shell) -> None:
    ran = shell.run("%%grad\n" + SEED + "y;")
    assert ran.value is None
    assert "Out[" not in ran.text
    assert "Backward pass of y" in ran.text


@pytest.mark.parametrize(
    ("interactivity", "shown"),
    [("all", 2), ("last_expr", 1), ("none", 0), ("last_expr_or_assign", 1)],
)
def test_the_shells_interactivity_is_followed(shell: Shell, interactivity: str, shown: int) -> None:
    shell.ipython.ast_node_interactivity = interactivity
    ran = shell.run("%%grad\nx = Variable(0.5)\nx\ny = square(x)\ny")
    assert ran.text.count("Out[") == shown


def test_last_assignment_is_shown_where_the_shell_shows_it(shell: Shell) -> None:
    shell.ipython.ast_node_interactivity = "last_expr_or_assign"
    ran = shell.run("%%grad\ny = square(Variable(0.5))")
    assert ran.value is shell["y"]


def test_a_nested_magic_runs(shell: Shell) -> None:
    ran = shell.run("%%grad y\n%%time\ny = square(Variable(3.0))")
    assert "Wall time" in ran.text
    assert "Backward pass of y" in ran.text


def test_line_magics_and_shell_syntax_work_inside(shell: Shell) -> None:
    ran = shell.run("%%grad\n%precision 3\ny = square(Variable(3.0))\nlisting = !echo hello")
    assert ran.is_fine
    assert shell["listing"][0] == "hello"


# --- which result ---


@pytest.mark.parametrize(
    ("line", "body", "title"),
    [
        ("", "a = square(x)\nb = exp(a)", "b"),
        ("", "b = exp(square(x))\nsquare(b)", "square(b)"),
        ("a", "a = square(x)\nb = exp(a)", "a"),
        ("d['k']", "d = {'k': square(x)}\nb = exp(d['k'])", "d['k']"),
        ("b + 1 --step 1", "b = exp(x)", "add(b, 1)"),
        ("", "for i in range(2):\n    h = exp(x)\n    k = 3", "h"),
        ("", "if True:\n    h = exp(x)\nelse:\n    g = 3", "h"),
        ("", "h = exp(x)\nx", "x is a leaf"),
        ("", "h = exp(x)\nprint(h.data)\nk = [h.data]", "h"),
        ("", "def f(v):\n    inner = exp(v)\n    return inner\nh = f(x)", "h"),
        ("", "h = exp(x)\nh.data", "h"),
        ("", "first, second = exp(x), square(x)", "second"),
        ("", "earlier", "earlier"),
        ("", "print(earlier)", "earlier"),
    ],
)
def test_the_result_is_found(shell: Shell, line: str, body: str, title: str) -> None:
    shell.run("x = Variable(0.5)\nearlier = exp(x)")
    ran = shell.run(f"%%grad {line}\n{body}")
    if title == "x is a leaf":
        assert "is a leaf" in ran.text
    else:
        assert f"Backward pass of {title}\n" in ran.text


def test_manual_backward_goes_back_from_the_first_function_so_called(shell: Shell) -> None:
    shell.run("A, B = Square(), Exp()\nx = Variable(0.5)\na = A(x)\ny = B(a)")
    ran = shell.run("%%grad\nga = B.backward(np.array(1.0))\ngx = A.backward(ga)\nother = exp(x)")
    assert "Backward pass of y" in ran.text


def test_manual_gradients_stay_and_are_not_doubled(shell: Shell) -> None:
    ran = shell.run(
        "%%grad\nA, B, C = Square(), Exp(), Square()\nx = Variable(np.array(0.5))\n"
        "a = A(x)\nb = B(a)\ny = C(b)\ny.grad = np.array(1.0)\nb.grad = C.backward(y.grad)\n"
        "a.grad = B.backward(b.grad)\nx.grad = A.backward(a.grad)\nprint(x.grad)"
    )
    assert shell["x"].grad == X_GRAD
    assert "left every .grad as it was" in ran.text
    assert "Backward pass of y" in ran.text


def test_a_backward_in_the_cell_is_not_repeated(shell: Shell) -> None:
    shell.run("%%grad\n" + SEED + "y.backward()")
    assert shell["x"].grad == X_GRAD


def test_an_unrelated_backward_does_not_count(shell: Shell) -> None:
    shell.run("%%grad y\n" + SEED + "z = square(Variable(2.0))\nz.backward()")
    assert shell["x"].grad == X_GRAD


def test_a_left_over_gradient_is_told(shell: Shell) -> None:
    shell.run("%%grad\n" + SEED)
    ran = shell.run("%%grad\nz = square(x)")
    assert "x.grad held a gradient from an earlier pass" in ran.text
    assert shell["x"].grad == X_GRAD + 1


def test_the_profile_function_is_put_back(shell: Shell) -> None:
    shell.run("%%grad\nA = Square()\ny = A(Variable(1.0))\nA.backward(np.array(1.0))\n1/0")
    assert sys.getprofile() is None


# --- options ---


def test_output_is_bound(shell: Shell) -> None:
    shell.run("%%grad -o bp -q\n" + SEED)
    bp = shell["bp"]
    assert [step.line for step in bp] == [5, 4, 3]
    assert [variable.name for variable in bp.graph.variables] == ["x", "a", "b", "y"]


def test_quiet_shows_nothing_but_records_and_keeps_the_value(shell: Shell) -> None:
    ran = shell.run("%%grad --quiet -o bp\n" + SEED + "y")
    assert "Backward" not in ran.text
    assert ran.value is shell["y"]
    assert shell["x"].grad == X_GRAD
    assert len(shell["bp"]) == 3


def test_cotangent(shell: Shell) -> None:
    shell.run("%%grad --cotangent '2 * np.ones(3)' -o bp\ny = square(Variable([1, 2, 3]))\n")
    assert shell["bp"][0].cotangents[0].tolist() == [2, 2, 2]
    assert shell["y"].creator.input.grad.tolist() == [4, 8, 12]


def test_step_opens_there(shell: Shell) -> None:
    shell.run("%%grad --step 2 -o bp\n" + SEED)
    assert shell["bp"].bundle()["text/plain"]
    assert shell["bp"]._start == 2


def test_grad_line_magic_changes_nothing(shell: Shell) -> None:
    shell.run(SEED)
    ran = shell.run("%grad y -o bp")
    assert "Backward pass of y" in ran.text
    assert shell["x"].grad is None
    assert [step.line for step in shell["bp"]] == [None, None, None]


def test_grad_takes_expressions(shell: Shell) -> None:
    shell.run(SEED)
    assert "Backward pass of" in shell.run("%grad y * 2 + a").text


def test_help(shell: Shell) -> None:
    text = shell.run("%%grad?").text
    for option in ("RESULT", "--output", "--quiet", "--step", "--cotangent", "--as"):
        assert option in text


def test_config(shell: Shell) -> None:
    assert "GradMagics" in shell.run("%config").text
    assert "GradMagics.digits" in shell.run("%config GradMagics").text
    shell.run("%config GradMagics.digits = 7")
    assert "2.568051" in shell.run("%%grad\n" + SEED).text


def completions(shell: Shell, line: str) -> set[str]:
    with provisionalcompleter():
        return {c.text for c in shell.ipython.Completer.completions(line, len(line))}


@pytest.mark.parametrize("magic", ["%%grad", "%grad"])
def test_completion(shell: Shell, magic: str) -> None:
    options = {"--output", "--quiet", "--step", "--cotangent", "--as"}
    assert options <= completions(shell, f"{magic} y --")
    assert "--step" in completions(shell, f"{magic} y --st")
    assert completions(shell, f"{magic} y --as ") >= {"html", "widget", "picture", "table"}
    assert "picture" in completions(shell, f"{magic} y --as pi")


def test_completion_of_the_result(shell: Shell) -> None:
    shell.run("some_long_name = Variable(1.0)")
    assert "some_long_name" in completions(shell, "%%grad some_lo")


# --- loading ---


def test_loading_twice_and_unloading(shell: Shell) -> None:
    assert "already loaded" in shell.run("%load_ext ipygrad").text
    shell.run("%reload_ext ipygrad")
    assert shell.run("%%grad\n" + SEED).is_fine
    registered = [type(c).__name__ for c in shell.ipython.configurables]
    assert registered.count("GradMagics") == 1
    shell.run("%unload_ext ipygrad")
    assert "not found" in shell.run("%%grad\n" + SEED).text
    assert "GradMagics" not in [type(c).__name__ for c in shell.ipython.configurables]
    shell.run("%load_ext ipygrad")
    assert shell.run("%%grad\n" + SEED).is_fine


def test_in_a_terminal_the_table_is_printed() -> None:
    cells = (
        "%load_ext ipygrad\nfrom ipygrad import *\n"
        "get_ipython().run_cell_magic('grad', '', 'y = square(exp(Variable(0.5)))')\n"
    )
    command = [sys.executable, "-m", "IPython", "--no-banner", "--simple-prompt"]
    done = subprocess.run(  # noqa: S603 - our own interpreter and text
        [*command, "--HistoryManager.enabled=False"],
        input=cells,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Backward pass of y" in done.stdout
    assert "gradient  local" in done.stdout
    assert "<div" not in done.stdout


# --- cells that are less tidy ---


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("y = (a := square(x)) + (b := exp(a))", "y"),
        ("a = square(x)\nd['y'] = exp(a)", "d['y']"),
        ("a = square(x)\nbox.y = exp(a)", "box.y"),
        ("y = square(x)\nif False:\n    old = exp(y)", "y"),
        ("%%capture nothing\ny = square(x)", "y"),
        ("y = square(x)\nkept = [v for v in [y]]", "y"),
        ("import os\nfrom __future__ import annotations\ny = square(x)", "y"),
    ],
)
def test_the_result_is_found_all_the_same(shell: Shell, body: str, title: str) -> None:
    shell.run("from types import SimpleNamespace\nx = Variable(0.5)\nold = exp(x)")
    shell.run("d, box = {}, SimpleNamespace()")
    ran = shell.run(f"%%grad\n{body}")
    assert f"Backward pass of {title}\n" in ran.text


@pytest.mark.parametrize("later", ["z = exp(y)\nz.backward()", "exp(y).backward()"])
def test_a_pass_that_began_further_on_is_not_repeated(shell: Shell, later: str) -> None:
    shell.run(f"%%grad y\nx = Variable(2.0)\ny = x * x\n{later}")
    assert shell["x"].grad == pytest.approx(4 * np.exp(4))


def test_a_backward_that_calls_another_is_no_call_by_hand(shell: Shell) -> None:
    ran = shell.run(
        "%%grad\nclass Twice(Square):\n    def backward(self, gy):\n"
        "        return 2 * super().backward(gy)\n"
        "x = Variable(0.5)\na = Twice()(x)\ny = exp(a)\ny.backward()"
    )
    assert "Backward pass of y" in ran.text
    assert shell["x"].grad == pytest.approx(2 * np.exp(0.25))


def test_a_backward_by_hand_may_take_any_number_of_gradients(shell: Shell) -> None:
    ran = shell.run(
        "%%grad\nclass Same(Function):\n    def forward(self, x):\n        return x + 0\n"
        "    def backward(self, *gys):\n        return gys[0]\n"
        "f = Same()\ny = f(Variable(0.5))\nf.backward(np.array(1.0))\nz = exp(Variable(1.0))"
    )
    assert "Backward pass of y" in ran.text


def test_a_cotangent_is_for_one_pass(shell: Shell) -> None:
    shell.run("%%grad -q --cotangent 3\nx = Variable(2.0)\ny = x * 2")
    assert (shell["x"].grad, shell["y"].grad) == (6, 3)
    shell.run("x.cleargrad()\ny.backward()")
    assert shell["x"].grad == 2


def test_the_users_backward_runs_once(shell: Shell) -> None:
    ran = shell.run(
        "%%grad -q\nclass Loud(Square):\n    def backward(self, gy):\n        print('heard')\n"
        "        return super().backward(gy)\ny = Loud()(Variable(0.5))"
    )
    assert ran.text.count("heard") == 1
    assert "heard" not in shell.run("%grad y").text


def test_capture_around_it_takes_the_value(shell: Shell) -> None:
    ran = shell.run("%%capture taken\n%%grad -q\ny = square(Variable(3.0))\ny")
    assert "Out[" not in ran.text
    assert len(shell["taken"].outputs) == 1


def test_expressions_in_loops_are_shown_where_the_shell_shows_them(shell: Shell) -> None:
    shell.ipython.ast_node_interactivity = "all"
    ran = shell.run("%%grad -q\nfor i in range(3):\n    i\ny = square(Variable(3.0))")
    assert ran.text.count("Out[") == 3


def test_blank_lines_count(shell: Shell) -> None:
    shell.run("%%grad -q -o bp\n\n\ny = square(Variable(3.0))")
    assert shell["bp"][0].line == 4
    assert "----> 4 1/0" in shell.run("%%grad\n\n\n1/0").text


def test_lines_are_those_of_the_editor(shell: Shell) -> None:
    shell.run("%%grad -q -o bp\ns = 'a\x0cb\u2028c'\ny = square(Variable(3.0))")
    assert shell["bp"]._code == ("s = 'a\x0cb\u2028c'", "y = square(Variable(3.0))")
    assert shell["bp"][0].line == 3


def test_the_same_code_on_other_lines_is_another_place(shell: Shell) -> None:
    shell.run("%%grad -q -o first\nx = Variable(3.0)\ny = square(x)")
    shell.run("%%grad -q -o second\nx = Variable(3.0)\n# a comment\ny = square( x )")
    assert (shell["first"][0].line, shell["second"][0].line) == (3, 4)
    shell.run("%%grad -q -o first\ny = square(x + 1)")
    shell.run("%%grad -q -o second\ny = square(x+1)")
    names = [{v.name for v in shell[bp].graph.variables} for bp in ("first", "second")]
    assert names == [{"x", "1", "x + 1", "y"}, {"x", "1", "x+1", "y"}]


def test_several_statements_on_a_line_keep_their_names(shell: Shell) -> None:
    shell.run("%%grad -q -o bp\nx = Variable(2.0); h = x*x; h = h*x; h = exp(h)")
    names = [variable.name for variable in shell["bp"].graph.variables]
    assert names == ["x", "h₁", "h₂", "h₃"]


def test_a_profile_function_of_the_cells_own_stays(shell: Shell) -> None:
    shell.run(
        "%%grad -q\nimport sys\nA = Square()\ny = A(Variable(1.0))\nA.backward(np.array(1.0))\n"
        "def mine(*_): pass\nsys.setprofile(mine)"
    )
    mine, profile = shell["mine"], sys.getprofile()
    sys.setprofile(None)
    assert profile is mine


def test_a_comment_is_no_result(shell: Shell) -> None:
    assert "Backward pass of y" in shell.run("%%grad # note\ny = exp(Variable(1.0))").text
    assert "Backward pass of y" in shell.run("%grad y # note").text


def test_completion_right_after_the_name(shell: Shell) -> None:
    for line in ("%grad", "%%grad", "%grad "):
        completions(shell, line)


WRONG = "class Wrong(Square):\n    def backward(self, gy):\n        return self.input.data * gy\n"


def test_a_wrong_backward_is_said_unless_checks_are_off(shell: Shell) -> None:
    cell = f"\n{WRONG}x = Variable(3.0)\ny = exp(Wrong()(x))"
    said = "step 2: Wrong.backward is wrong for x: "
    ran = shell.run(f"%%grad -o bp{cell}")
    assert said in ran.text
    assert "It is 1/2 times what it should be" in ran.text
    assert [step.check.status for step in shell["bp"]] == ["agrees", "disagrees"]
    ran = shell.run(f"%%grad --no-check -o bp{cell}")
    assert said not in ran.text
    assert [step.check.reason for step in shell["bp"]] == ["off", "off"]
    shell.run("%config GradMagics.check = False")
    assert said not in shell.run(f"%%grad{cell}").text
    shell.run("%config GradMagics.check = True")


def test_the_number_of_digits(shell: Shell) -> None:
    seed = "x = Variable(0.5)\na = square(x)\nb = exp(a)\ny = square(b)"
    assert " 3.297 " in shell.run(f"%%grad\n{seed}").text
    assert " 3.297443 " in shell.run(f"%%grad -p 7\n{seed}").text
    shell.run("%config GradMagics.digits = 2")
    assert " 3.3 " in shell.run(f"%%grad\n{seed}").text
    assert " 3.2974 " in shell.run("%grad y -p 5").text
    assert "1 to 17 digits" in shell.run("%grad y -p 0").text
    shell.run("%config GradMagics.digits = 4")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("x.data += 1", "x (line 4) changed in place after square ran forward"),
        ("x.data[0], x.data[1] = 5, 6", "x (line 4) changed in place after square ran forward"),
        ("z = x.data\nz[0] = 5", "x changed in place after square ran forward"),
    ],
)
def test_what_changed_in_place_is_named_with_its_line(shell: Shell, change: str, said: str) -> None:
    cell = f"x = Variable(np.array([1.0, 2.0]))\na = square(x)\n{change}\ny = exp(a)"
    assert f"step 2: {said}: " in shell.run(f"%%grad\n{cell}").text


def test_a_backward_is_not_blamed_for_what_changed_in_place(shell: Shell) -> None:
    ran = shell.run("%%grad -o bp\nx = Variable(0.5)\ny = exp(x)\nx.data += 1\ny")
    assert (shell["bp"][0].check.status, shell["bp"][0].check.reason) == ("not checked", "changed")
    assert "changed in place after exp ran forward" in ran.text
    assert "exp.backward is wrong" not in ran.text


@pytest.mark.parametrize("last", ["x + 1", "-x", "exp(x)", "2 * exp(x)"])
def test_a_last_expression_is_called_as_it_is_written(shell: Shell, last: str) -> None:
    ran = shell.run(f"%%grad\nx = Variable(0.5)\n{last}")
    assert f"Backward pass of {last}\n" in ran.text
