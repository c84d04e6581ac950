"""What a terminal shows: a table that fits, and pages made of scripts."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ipygrad import BackwardPass, Variable, backward_pass, exp, square
from ipygrad.__main__ import main
from ipygrad.show.sizes import text_columns
from ipygrad.show.terminal import show_in_terminal
from tests.pages import payloads_of

if TYPE_CHECKING:
    from pathlib import Path

SEED = """\
from __future__ import annotations

import numpy as np
from ipygrad import Variable, exp, square

x = Variable(np.array(0.5))
a = square(x)
b = exp(a)
y = square(b)
"""


def widest(text: str) -> int:
    """Return the columns of the widest line of a table."""
    title, _, *rows = text.splitlines()
    assert title.startswith("Backward pass of")
    return max(map(text_columns, rows))


def cells(text: str, row: int) -> list[str]:
    """Return a row's cells, put together again where they were folded."""
    lines = text.splitlines()
    rule = next(place for place, line in enumerate(lines) if line.startswith("---"))
    ends = [place for place, letter in enumerate(lines[rule] + " ") if letter == " "][::2]
    starts = [0, *(end + 2 for end in ends[:-1])]
    rows: list[list[str]] = []
    for line in lines[rule + 1 :]:
        parts = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if parts[0]:
            rows.append(parts)
        else:
            rows[-1] = [a + b for a, b in zip(rows[-1], parts, strict=True)]
    return rows[row]


def test_the_seed_table_fits_and_cuts_nothing() -> None:
    x = Variable(np.array(0.5))
    a = square(x)
    b = exp(a)
    y = square(b)
    text = backward_pass(y).table()
    assert widest(text) <= 80
    assert "…" not in text
    assert cells(text, 2) == [
        *("2", "exp", "2.568", "exp(a) = 1.284"),
        *("3.297", "a", "–", "3.297"),
    ]


def test_a_wide_table_shrinks_names_and_keeps_every_digit() -> None:
    x = Variable(-1.2345678901234567, name="一つの長い名前を持つ変数")
    y = exp(square(x) * 1e-3) * 1e-200
    pass_ = backward_pass(y)
    bp = BackwardPass(pass_.graph, pass_._run, digits=17)
    text = bp.table()
    assert widest(text) <= 80
    contribution = next(c for c in bp[3].contributions if c is not None)
    assert float(cells(text, 4)[4]) == contribution
    assert widest(bp.table(width=60)) <= 60
    assert widest(bp.table(width=200)) > 80
    assert "一つの長い名前を持つ変数" in bp.table(width=200)


def test_arrays_go_on_in_the_next_line() -> None:
    x = Variable(np.array([1.0, 2.0, 3.0, 4.0]) / 7)
    text = backward_pass((x * x * 1e-7).sum()).table()
    assert widest(text) <= 80
    assert "[1.235e-7" not in text
    assert "[1e-7,1e-7,1e-7,1e-7]" in [cell.replace(" ", "") for cell in cells(text, 2)]


def test_a_column_without_entries_is_left_out() -> None:
    assert "line" not in backward_pass(square(Variable(0.5))).table()


def test_names_cannot_command_the_terminal() -> None:
    x = Variable(0.5, name="\x1b[31mred\nx")
    text = backward_pass(square(x)).table(width=120)
    assert "\x1b" not in text
    assert r"\x1b[31mred\nx" in text


@pytest.mark.parametrize("width", [0, 59, -1])
def test_too_narrow_a_table(width: int) -> None:
    with pytest.raises(ValueError, match="at least 60"):
        backward_pass(square(Variable(0.5))).table(width=width)


# --- rich ---------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_rich_prints_all_of_the_table() -> None:
    console = pytest.importorskip("rich.console")
    x = Variable(0.5, name="[red]x[/red] \x1b[31m")
    bp = backward_pass(exp(square(x)))
    out = io.StringIO()
    console.Console(file=out, width=80, color_system="truecolor", force_terminal=True).print(bp)
    printed = out.getvalue()
    assert "\x1b[1mBackward pass of exp(square(" in printed
    assert "\x1b[31m" not in printed
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    assert "[red]x" in plain
    assert "1.284" in plain
    assert max(map(text_columns, plain.splitlines())) <= 80


def test_a_terminal_has_rich_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich.console")
    bp = backward_pass(square(Variable(0.5)))
    for terminal, has_rich in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stdout", terminal)
        show_in_terminal(bp)
        assert ("━" in terminal.getvalue() or "─" in terminal.getvalue()) is has_rich


def test_a_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    bp = backward_pass(square(Variable(0.5)))
    show_in_terminal(bp)
    assert terminal.getvalue() == f"{bp}\n"


# --- scripts ------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> str:
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_script_becomes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    script = written(tmp_path, SEED + "print(__name__)\n")
    assert main([script, "-o", str(page), "--step", "2"]) == 0
    said = capsys.readouterr()
    assert said.out == "__main__\n"
    assert said.err == f"ipygrad: {page} has the 3 steps of this pass\n"
    (payload,) = payloads_of(page)
    assert payload["title"] == "Backward pass of y"
    assert payload["start"] == 2
    code, steps = payload["code"], payload["steps"]
    assert isinstance(code, dict)
    assert isinstance(steps, list)
    assert (code["first"], code["lines"][5]) == (1, "x = Variable(np.array(0.5))")
    assert [step["line"] for step in steps] == [9, 9, 8, 7]


def test_without_a_page_the_table_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([written(tmp_path, SEED)]) == 0
    assert cells(capsys.readouterr().out, 2)[:3] == ["2", "exp", "8"]


@pytest.mark.parametrize(
    ("ending", "options", "result"),
    [
        ("b\n", [], "b"),
        ("", ["--result", "a"], "a"),
        ("import sys\nsys.exit()\n", [], "y"),
        ("gx = y.creator.backward(np.array(1.0))\n", [], "y"),
    ],
)
def test_the_result_of_a_script_is_found_as_in_a_cell(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ending: str,
    options: list[str],
    result: str,
) -> None:
    assert main([written(tmp_path, SEED + ending), *options]) == 0
    assert capsys.readouterr().out.startswith(f"Backward pass of {result}\n")


def test_a_cotangent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = written(tmp_path, SEED)
    assert main([script, "--cotangent", "np.array(2.0)"]) == 0
    assert cells(capsys.readouterr().out, 0)[-1] == "2"
    assert main([script, "--cotangent", "np.ones(3)"]) == 2
    assert "ipygrad: --cotangent np.ones(3): the cotangent has shape (3,)" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--result", "q"], "--result, q, uses an unknown name: name 'q' is not defined"),
        (["--result", "1 +"], "--result is not an expression: 1 +"),
        (["--result", "x"], "x is a leaf, a Variable that no function made"),
        (["--step", "4"], "--step 4 is not in this pass, which has steps 0 to 3"),
        (["-o", "page.pdf"], "a page is saved as .html or .htm, but 'page.pdf' ends in '.pdf'"),
        (["-o", "none/page.html"], "cannot be saved as none/page.html: there is no such folder"),
    ],
)
def test_wrong_use_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main([written(tmp_path, SEED), *options]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 3\n", "no name in the script holds a Variable that a function made"),
        ("3\n", "the script ends in an int"),
        ("", "no name in the script holds a Variable that a function made"),
    ],
)
def test_a_script_without_a_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    assert main([written(tmp_path, text)]) == 2
    assert said in capsys.readouterr().err


def test_a_script_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.py")]) == 2
    assert "none.py cannot be read: No such file" in capsys.readouterr().err


def test_a_script_that_raises_shows_its_own_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = written(tmp_path, SEED + "def f(x):\n    return x.upper()\n\nf(y)\n")
    assert main([script, "-o", str(tmp_path / "page.html")]) == 1
    said = capsys.readouterr().err
    assert re.findall(r"line (\d+), in (\S+)", said)[:2] == [("13", "<module>"), ("11", "f")]
    assert "capture" not in said.split("in f")[0]
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("x = = 1\n", 1, "SyntaxError"),
        ("import sys\nsys.exit(3)\n", 3, ""),
        ("import sys\nsys.exit('enough')\n", 1, "enough"),
        ("raise KeyboardInterrupt\n", 130, "KeyboardInterrupt"),
    ],
)
def test_exit_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, said: str
) -> None:
    assert main([written(tmp_path, text)]) == code
    assert said in capsys.readouterr().err


def test_a_backward_that_fails_leaves_the_steps_up_to_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = """\
from ipygrad import Function
class Cube(Function):
    def forward(self, x):
        return x**3
    def backward(self, gy):
        return None
z = square(Cube()(x))
"""
    page = tmp_path / "page.html"
    assert main([written(tmp_path, SEED + own), "-o", str(page)]) == 1
    assert "Cube.backward returned None" in capsys.readouterr().err
    steps = payloads_of(page)[0]["steps"]
    assert isinstance(steps, list)
    assert len(steps) == 2


def test_a_script_changes_nothing_around_it(tmp_path: Path) -> None:
    before = sys.modules["__main__"], sys.argv, list(sys.path)
    text = SEED + "import sys\nassert sys.modules['__main__'].y is y\nassert len(sys.argv) == 1\n"
    assert main([written(tmp_path, text)]) == 0
    assert (sys.modules["__main__"], sys.argv, list(sys.path)) == before


def test_the_module_runs(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("start = 0.5\n")
    script = written(tmp_path, SEED + "from beside import start\ny = exp(start * a)\n")
    command = [sys.executable, "-W", "error", "-m", "ipygrad", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.startswith("Backward pass of y")
    assert done.stderr == ""
