"""A pass as data: dicts that come back, Graphviz text, tables for documents and for pandas."""

from __future__ import annotations

import copy
import html
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ipygrad import (
    BackwardPass,
    Function,
    Variable,
    backward_pass,
    exp,
    functions,
    local_derivative,
    square,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def seed() -> BackwardPass:
    x = Variable(np.array(0.5))
    a = square(x)
    b = exp(a)
    y = square(b)
    return backward_pass(y)


# --- tables -------------------------------------------------------------------------------------


def test_markdown(seed: BackwardPass) -> None:
    lines = seed.table("markdown").splitlines()
    assert lines[0] == (
        "| step | function | gradient arriving | local derivative | contribution | to | before "
        "| after |"
    )
    assert lines[1] == "|" + " --- |" * 8
    assert lines[4] == "| 2 | `exp` | 2.568 | exp(a) = 1.284 | 3.297 | `a` | – | 3.297 |"
    assert len(lines) == 6


def test_markdown_cannot_be_broken_by_names() -> None:
    x = Variable(0.5, name="a|b`c` <b>")
    row = backward_pass(square(x)).table("markdown").splitlines()[3]
    assert "| `` a\\|b`c` <b> `` |" in row
    assert row.replace("\\|", "").count("|") == 9


def test_a_long_formula_stands_where_there_is_room() -> None:
    long = Variable(2.0, name="temperature_inside")
    bp = backward_pass(square(long) * 3)
    assert " 4 " in bp.table()
    assert "2·temp" not in bp.table()
    assert "2·temperature\\_inside = 4" in bp.table("markdown")
    column = [row[4] for row in bp._payload({})["table"]["rows"]]
    assert column == [
        "",
        "3",
        "2·temperature_inside = 4",
    ]


def test_a_formula_in_markdown_is_no_markup() -> None:
    x = Variable([-1.0, 2.0], name="a_1")
    row = backward_pass(functions.relu(x)).table("markdown").splitlines()[3]
    assert "&#91;a\\_1 \\> 0] = &#91;0, 1]" in row


def test_an_unknown_style(seed: BackwardPass) -> None:
    with pytest.raises(ValueError, match='"text" or "markdown", not \'html\''):
        seed.table("html")  # type: ignore[arg-type]


def test_a_frame_holds_exact_numbers(seed: BackwardPass) -> None:
    pd = pytest.importorskip("pandas")
    frame = seed.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["step"]) == [0, 1, 2, 3]
    dy_db, dy_dx = 2.568050833375483, 3.297442541400256
    assert list(frame["contribution"]) == [1, dy_db, dy_dx, dy_dx]
    assert frame["before"].isna().all()
    assert list(frame["variable"]) == ["y", "b", "a", "x"]
    assert list(frame["formula"])[1:] == ["2·b", "exp(a)", "2·x"]
    assert list(frame["local"])[3] == 1


def test_a_frame_of_arrays_and_of_a_partial_graph() -> None:
    pytest.importorskip("pandas")
    x = Variable([1.0, 2.0], name="x")
    bp = backward_pass((x * 3).sum())
    frame = bp.to_frame()
    np.testing.assert_array_equal(frame["contribution"][2], [3.0, 3.0])
    partial = BackwardPass(bp.graph, None).to_frame()
    assert partial["name"][0] == "x"
    np.testing.assert_array_equal(partial["value"][0], [1.0, 2.0])


def test_rows_of_the_frame_are_those_of_the_table() -> None:
    pytest.importorskip("pandas")
    x = Variable(2.0, name="x")
    bp = backward_pass(x * x + exp(3 * x))
    rows = [row.split("|") for row in bp.table("markdown").splitlines()[2:]]
    frame = bp.to_frame()
    assert [(int(row[1]), row[6].strip(" `")) for row in rows] == list(
        zip(frame["step"], frame["variable"], strict=True)
    )


def test_without_pandas(seed: BackwardPass, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pandas is not installed: pip install pandas"):
        seed.to_frame()


# --- Graphviz -----------------------------------------------------------------------------------


def test_dot(seed: BackwardPass) -> None:
    lines = [line.strip() for line in seed.to_dot().splitlines()]
    assert lines[0] == "digraph backward_pass {"
    assert 'v1 [shape=box, label="a\\n0.25\\ngrad 3.297"];' in lines
    assert 'f1 [label="exp", fillcolor="#fdf1d8"];' in lines
    assert [line for line in lines if "->" in line] == [
        *("v0 -> f0;", "f0 -> v1;", "v1 -> f1;", "f1 -> v2;", "v2 -> f2;", "f2 -> v3;")
    ]


def test_dot_has_an_edge_for_each_use_and_marks_constants() -> None:
    x = Variable(2.0, name="x")
    dot = backward_pass(x * x + 3).to_dot()
    assert dot.count("v0 -> f0;") == 2
    assert '"3\\n3"' not in dot
    assert 'label="3", style="rounded,dashed"' in dot


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_shows_any_name_as_it_is() -> None:
    name = 'a"]; b [label="\\N \\n & &lt; 입력'
    dot = backward_pass(square(Variable(0.5, name=name))).to_dot()
    command = [str(shutil.which("dot")), "-Tplain"]
    done = subprocess.run(command, input=dot, capture_output=True, text=True, check=True)  # noqa: S603
    assert [line.split()[0] for line in done.stdout.splitlines()].count("node") == 3
    command[1] = "-Tsvg"
    done = subprocess.run(command, input=dot, capture_output=True, text=True, check=True)  # noqa: S603
    assert name in html.unescape(done.stdout)


# --- from_dict ----------------------------------------------------------------------------------


class Wrong(Function):
    def forward(self, x: Any) -> Any:
        return 3 * x

    def backward(self, _gy: Any) -> Any:
        return 3.0


class Broken(Function):
    def forward(self, x: Any) -> Any:
        return x + 1

    def backward(self, _gy: Any) -> Any:
        return None


def shared() -> Variable:
    x = Variable(0.5, name="x")
    y: Variable = exp(x * x) + 2 * x
    return y


def of_float32() -> Variable:
    x = Variable(np.arange(4, dtype=np.float32).reshape(2, 2) / 7, name="x")
    y: Variable = (x @ np.ones((2, 1), np.float32)).sum() / 3
    return y


def layers() -> Variable:
    rng = np.random.default_rng(0)
    x = Variable(rng.normal(size=(4, 3)), name="x")
    w = Variable(rng.normal(size=(3, 2)), name="w")
    b = Variable(rng.normal(size=2), name="b")
    y: Variable = (functions.softmax(functions.relu(x @ w + b)) * x[:, :2]).mean()
    return y


def of_parts() -> Variable:
    x = Variable(np.arange(6.0), name="x")
    first, second = functions.split(x, 2)
    return functions.tanh(first * second)


def too_large_for_a_jacobian() -> Variable:
    x = Variable(np.linspace(-3, 3, 80), name="x")
    return functions.cumsum(functions.abs(x))


def without_elements() -> Variable:
    x = Variable(np.ones((2, 0)), name="x")
    y: Variable = exp(x).sum()
    return y


def not_finite() -> Variable:
    x = Variable([0.0, 800.0], name="x")
    with np.errstate(all="ignore"):
        y: Variable = exp(x) * x
    return y


def wrong() -> Variable:
    y: Variable = 2 * Wrong()(Variable(1.0, name="x"))
    return y


def broken() -> Variable:
    return exp(Broken()(Variable(1.0, name="x")))


def through_json(bp: BackwardPass, *, plots: bool = True) -> BackwardPass:
    text = json.dumps(bp.to_dict(plots=plots), allow_nan=False)
    return BackwardPass.from_dict(json.loads(text))


@pytest.mark.parametrize(
    "make",
    [
        *(shared, of_float32, layers, of_parts, too_large_for_a_jacobian, without_elements),
        *(not_finite, wrong, broken),
    ],
    ids=lambda make: make.__name__,
)
def test_a_restored_pass_shows_the_same(make: Callable[[], Variable]) -> None:
    bp = backward_pass(make())
    restored = through_json(bp)
    assert restored.to_dict(plots=True) == bp.to_dict(plots=True)
    assert restored.table() == bp.table()
    # Functions that are gone cannot be called on other values.
    expected = {**bp._payload(), "knobs": [], "knobs_more": ""}
    for variable in expected["graph"]["variables"]:
        if "elements" in variable:
            variable["elements"]["feeds"] = []
    assert restored._payload() == expected
    ours, theirs = restored.bundle("picture"), bp.bundle("picture")
    assert ours == theirs
    assert restored.error == bp.error
    for step, original in zip(restored, bp, strict=True):
        assert step.check.status == original.check.status
        for contribution, other in zip(step.contributions, original.contributions, strict=True):
            if contribution is None or other is None:
                assert contribution is other
            else:
                np.testing.assert_array_equal(contribution, other)
                assert contribution.dtype == other.dtype


def test_chains_come_back(seed: BackwardPass) -> None:
    restored = through_json(seed, plots=False)
    assert restored.chain("x") == seed.chain("x")
    with pytest.raises(ValueError, match="'z' is not in this graph"):
        restored.chain("z")


def test_chains_of_a_large_graph_are_not_there() -> None:
    y = Variable(0.5, name="x")
    for _ in range(160):
        y = -y
    restored = through_json(backward_pass(y), plots=False)
    with pytest.raises(ValueError, match="restored from data without chains: only a graph that is"):
        restored.chain("x")


def test_local_derivatives_come_back() -> None:
    x = Variable([1.0, -2.0], name="x")
    bp = backward_pass(functions.relu(x) + np.array([3.0, 4.0]))
    restored = through_json(bp)
    ours, theirs = local_derivative(restored[1]), local_derivative(bp[1])
    assert (ours.kind, ours.chosen, str(ours.marks)) == ("points", (0,), str(theirs.marks))
    np.testing.assert_array_equal(ours.slope, theirs.slope)
    with pytest.raises(ValueError, match="input 1 of add is a constant"):
        local_derivative(restored[0], 1)
    with pytest.raises(ValueError, match=r"write it with to_dict\(plots=True\)"):
        local_derivative(through_json(bp, plots=False)[1])


def test_a_restored_pass_without_plots_keeps_no_room_for_them(seed: BackwardPass) -> None:
    assert [step["columns"] for step in seed._payload()["steps"]] == [0, 1, 1, 1]
    restored = through_json(seed, plots=False)
    assert not any(step["columns"] for step in restored._payload()["steps"])


def test_a_name_longer_than_a_formula_may_be() -> None:
    bp = backward_pass(square(Variable(2.0, name="x" * 10_001)))
    assert bp.to_dict()["functions"][0]["formulas"] == [None]
    restored = through_json(bp)
    assert restored._payload({})["steps"][1]["products"][0]["formula"] is None


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (["script", "alert(1)"], r"\.math\[0\] is 'script', but should be one of 'mi'"),
        (["mi", ["mi", "x"]], r"\.math\[1\] is .*, but should be a text"),
        (["mfrac", ["mi", "x"]], r"\.math is .*, but should be mfrac with 2 of what it holds"),
        ([], r"\.math is \[\], but should be a list that begins with a tag"),
        (["mrow"] * 2001, r"\.math is a list, .* at most 2,000 elements, 50 within each other"),
        (["mtext", "x" * 10_001], r"\.math\[1\] is .*, but should be a text of at most 10,000"),
    ],
)
def test_a_formula_of_other_elements(seed: BackwardPass, tree: Any, said: str) -> None:
    data = seed.to_dict()
    put(data, ("functions", 1, "formulas", 0, "math"), tree)
    with pytest.raises(ValueError, match=said):
        BackwardPass.from_dict(data)


def test_a_formula_nested_too_deep(seed: BackwardPass) -> None:
    tree: Any = "x"
    for _ in range(2_000):
        tree = ["mrow", tree]
    data = seed.to_dict()
    put(data, ("variables", 0, "chain", "heading", "math"), tree)
    with pytest.raises(ValueError, match="50 within each other"):
        BackwardPass.from_dict(data)


def test_a_cell_and_its_notices_come_back(seed: BackwardPass) -> None:
    code = ("x = Variable(0.5)", "y = exp(x)")
    bp = BackwardPass(seed.graph, seed._run, code=code, notices=("Look here.",), digits=7)
    assert through_json(bp)._payload() == {**bp._payload(), "knobs": []}


def test_a_partial_graph_comes_back(seed: BackwardPass) -> None:
    bp = BackwardPass(seed.graph, None)
    assert through_json(bp).table() == bp.table()
    assert len(through_json(bp)) == 0


def test_plots_are_there_only_when_asked_for(seed: BackwardPass) -> None:
    assert seed.to_dict()["steps"][0]["plots"] is None
    restored = through_json(seed, plots=False)
    assert restored.table() == seed.table()
    with pytest.raises(ValueError, match=r"without its plot: write it with to_dict\(plots=True"):
        restored.plot(1)
    assert through_json(seed).plot(2).axes


def test_a_restored_function_cannot_be_called(seed: BackwardPass) -> None:
    function = through_json(seed)[1].function
    assert function.inputs[0].data == 0.25
    with pytest.raises(RuntimeError, match="exp was restored from data"):
        function(Variable(1.0))


@pytest.mark.parametrize("data", [None, [], "{}", 1])
def test_what_is_no_document(data: Any) -> None:
    with pytest.raises(ValueError, match=r"the document is .*, but should be a dict"):
        BackwardPass.from_dict(data)


@pytest.mark.parametrize("version", [0, 2, 99])
def test_another_version(seed: BackwardPass, version: int) -> None:
    with pytest.raises(ValueError, match=f"reads version 1 .*, but this has version {version}:"):
        BackwardPass.from_dict({**seed.to_dict(), "version": version})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("steps", 1, "function"), 7, r"steps\[1\]\.function is 7, .* whole number from 0 to 2"),
        (("steps", 0, "contributions"), [], r"steps\[0\]\.contributions is \[\], .* a list of 1"),
        (("variables", 2, "creator"), 0, r"variables\[2\]\.creator is 0, .* its output"),
        (("functions", 0, "inputs"), [2], r"functions\[0\]\.inputs\[0\] is 2, .* stands before"),
        (("variables", 0, "dtype"), "object", r"variables\[0\]\.dtype is 'object', .* 'float64'"),
        (("functions", 1, "role"), "matmul", r"functions\[1\]\.role is .* of one input"),
        (("functions", 1, "outputs"), [2, None], r"functions\[1\]\.is_local is True, .* false"),
        (("steps", 0, "local_derivatives"), [[1.0]], r".*local_derivatives\[0\] is .* a number"),
        (("steps", 0, "after"), [None], r"steps\[0\]\.after is \[None\], .* has a contribution"),
    ],
)
def test_broken_data_is_told_by_its_place(
    seed: BackwardPass, path: tuple[str | int, ...], value: object, said: str
) -> None:
    data = seed.to_dict()
    put(data, path, value)
    with pytest.raises(ValueError, match=f"^from_dict cannot read this backward pass: {said}"):
        BackwardPass.from_dict(data)


def put(data: Any, path: tuple[str | int, ...], value: object) -> None:
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to each value of a document; of long lists only to the first."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))[:3]
    for key in keys:
        yield (*path, key)
        yield from paths(value[key], (*path, key))


JUNK: list[Any] = [None, True, -1, 10**400, 2.5, "x", "nan", [], [[]], {}, [None], "../../secret"]


@pytest.mark.parametrize("make", [wrong, broken, of_float32], ids=lambda make: make.__name__)
def test_whatever_stands_in_a_document_it_is_shown_or_refused(make: Callable[[], Variable]) -> None:
    document = backward_pass(make()).to_dict(plots=True)
    shown = 0
    for path in paths(document):
        for value in JUNK:
            data = copy.deepcopy(document)
            put(data, path, value)
            try:
                restored = BackwardPass.from_dict(data)
            except ValueError as error:
                assert str(error).startswith("from_dict ")  # noqa: PT017
                continue
            assert str(restored)
            assert restored._payload(plots={})
            shown += 1
    assert shown


def test_every_field_is_needed(seed: BackwardPass) -> None:
    document = seed.to_dict()
    for field in document:
        data = {key: value for key, value in document.items() if key != field}
        with pytest.raises(ValueError, match=f"{field} is missing"):
            BackwardPass.from_dict(data)
