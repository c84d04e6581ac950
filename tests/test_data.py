"""A pass as data: dicts that come back, Graphviz text, tables for documents and for pandas."""

from __future__ import annotations

import numpy as np
import pytest

from ipygrad import BackwardPass, Variable, backward_pass, exp, square


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
    assert lines[4] == "| 2 | `exp` | 2.568 | 1.284 | 3.297 | `a` | – | 3.297 |"
    assert len(lines) == 6


def test_markdown_cannot_be_broken_by_names() -> None:
    x = Variable(0.5, name="a|b`c` <b>")
    row = backward_pass(square(x)).table("markdown").splitlines()[3]
    assert "| `` a\\|b`c` <b> `` |" in row
    assert row.replace("\\|", "").count("|") == 9


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
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match="pandas is not installed: pip install pandas"):
        seed.to_frame()
