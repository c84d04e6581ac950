"""What a BackwardPass displays, saves and draws."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from ipygrad import BackwardPass, Variable, backward_pass, exp, square

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bp() -> BackwardPass:
    x = Variable(np.array(0.5))
    a = square(x)
    b = exp(a)
    y = square(b)
    return backward_pass(y)


@pytest.mark.parametrize(
    ("display_as", "types"),
    [
        ("html", {"text/html", "image/png", "text/plain"}),
        ("picture", {"image/png", "text/plain"}),
        ("table", {"text/plain"}),
        ("widget", {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}),
    ],
)
def test_the_bundle(bp: BackwardPass, display_as: Any, types: set[str]) -> None:
    bundle = bp.bundle(display_as)
    assert set(bundle) == types
    assert bundle["text/plain"].startswith("Backward pass of y")
    assert bundle.get("image/png", b"\x89PNG").startswith(b"\x89PNG")


def test_two_runs_give_the_same_bytes_apart_from_one_id() -> None:
    y = square(exp(square(Variable(0.5))))
    first, second = (backward_pass(y).bundle() for _ in range(2))
    assert first["image/png"] == second["image/png"]
    assert first["text/plain"] == second["text/plain"]
    (identifier,) = set(re.findall('data-ipygrad="([0-9a-f]{16})"', first["text/html"]))
    (other,) = set(re.findall('data-ipygrad="([0-9a-f]{16})"', second["text/html"]))
    assert identifier != other
    assert first["text/html"].replace(identifier, other) == second["text/html"]


def test_the_notebook_stays_small(bp: BackwardPass) -> None:
    bundle = bp.bundle()
    picture_as_text = len(bundle["image/png"]) * 4 // 3
    assert len(bundle["text/html"]) + picture_as_text + len(bundle["text/plain"]) < 150_000


def test_the_fragment_holds_picture_and_table_where_no_script_runs(bp: BackwardPass) -> None:
    html = bp.bundle()["text/html"]
    still, script = html.split("<script", 1)
    assert 'alt="Backward pass of y" src="data:image/png;base64,' in still
    assert "<td>3.297</td>" in still
    assert "http" not in script.replace("http://www.w3.org", "")


def test_html_of_users_strings_is_escaped() -> None:
    nasty = "</script><img src=x onerror=alert(1)>"
    bundle = backward_pass(square(Variable(0.5, name=nasty))).bundle()
    assert "<img src=x" not in bundle["text/html"]
    assert bundle["text/html"].count("</script>") == 1


def test_the_page_allows_its_own_script_only(bp: BackwardPass, tmp_path: Path) -> None:
    bp.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    (payload,) = re.findall('<script type="application/json" id="payload">(.*)</script>', page)
    steps = json.loads(payload)["steps"]
    assert len(steps) == 4
    assert all("<svg" in step["plot"] for step in steps[1:])


def test_the_payload_is_exact_and_json_safe(bp: BackwardPass) -> None:
    payload = bp._payload()
    json.dumps(payload, allow_nan=False)
    shown = payload["steps"][2]["products"][0]
    assert shown["contribution"] == {"text": "3.297", "exact": "3.297442541400256"}
    assert shown["before"] is None
    assert payload["steps"][2]["status"].startswith("Step 2 of 3: exp: from b to a")


def test_a_wrong_product_is_not_shown_as_one() -> None:
    class ForgetsGy(type(square(Variable(1.0)).creator)):  # type: ignore[misc]
        def backward(self, _gy: Any) -> Any:
            return 2 * self.input.data

    x = Variable(3.0)
    a = ForgetsGy()(x)
    y = a * 5
    bp = backward_pass(y)
    (product,) = bp._payload()["steps"][2]["products"]
    assert not product["holds"]
    assert "ForgetsGy.backward returned 6 for x" in bp[1].notes[0]
    assert "is 30" in bp[1].notes[0]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_savefig(bp: BackwardPass, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"pass.{ending}"
    bp.savefig(path)
    first = path.read_bytes()
    assert first.lstrip()[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-", b"<svg ")
    bp.savefig(str(path))
    assert path.read_bytes() == first


def test_savefig_refuses_an_unknown_ending(bp: BackwardPass, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="doc"):
        bp.savefig(tmp_path / "pass.doc")
    assert list(tmp_path.iterdir()) == []


def test_plot_shows_itself_and_draws_into_given_axes(bp: BackwardPass) -> None:
    picture = bp.plot(1)
    assert isinstance(picture.figure, Figure)
    assert len(picture.axes) == 2
    assert picture._repr_png_().startswith(b"\x89PNG")
    mine = Figure().add_subplot()
    assert bp.plot(2, ax=mine).axes == [mine]
    curve = mine.get_lines()[0]
    u, f = (np.asarray(values, float) for values in curve.get_data())
    np.testing.assert_allclose(f, np.exp(u))


@pytest.mark.parametrize("number", [0, 4, -1])
def test_plot_of_a_step_that_is_not_there(bp: BackwardPass, number: int) -> None:
    with pytest.raises(IndexError, match="steps 1 to 3"):
        bp.plot(number)


def test_plot_of_arrays_and_of_two_inputs_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="works on arrays"):
        backward_pass(square(Variable([1.0, 2.0]))).plot(1)
    x = Variable(2.0)
    two = backward_pass(x * x)
    assert len(two.plot(1).axes) == 4
    with pytest.raises(ValueError, match="has 2 inputs"):
        two.plot(1, ax=Figure().add_subplot())


def test_arrays_have_a_pass_without_curves() -> None:
    x = Variable(np.ones((4, 3)))
    w = Variable(np.arange(3.0))
    y = (x * w).sum()
    bp = backward_pass(y)
    assert [step.label for step in bp] == ["sum", "multiply"]
    assert bp[1].local_derivatives == (None, None)
    assert "array (4, 3)" in bp.table()
    assert "text/html" in bp.bundle()


def test_the_widget_takes_only_steps_that_there_are(bp: BackwardPass) -> None:
    from traitlets import TraitError

    bp.widget.step = 3
    with pytest.raises(TraitError, match="steps 0 to 3"):
        bp.widget.step = 4
    assert bp.widget.step == 3


def test_a_large_graph_is_told_and_not_laid_out() -> None:
    y = Variable(0.5)
    for _ in range(200):
        y = exp(-y)
    payload = backward_pass(y)._payload()
    assert payload["graph"]["width"] is None
    assert payload["notices"][0].startswith("This graph has 801 boxes")
    assert len(payload["steps"]) == 401


def test_a_huge_pass_is_cut_in_the_notebook_but_not_in_the_table() -> None:
    y = Variable(0.5)
    for _ in range(2_500):
        y = -y
    bp = backward_pass(y)
    payload = bp._payload()
    assert len(payload["steps"]) == 2_001
    assert "first 2,000 of 2,500 steps" in payload["notices"][1]
    assert len(bp.table().splitlines()) == 2_505
    assert "and 2,440 more steps" in str(bp)


def test_printing_needs_no_matplotlib_and_no_widget() -> None:
    code = (
        "import sys, ipygrad\n"
        "y = ipygrad.square(ipygrad.Variable(0.5))\n"
        "print(ipygrad.backward_pass(y))\n"
        "assert not {'matplotlib', 'anywidget', 'ipywidgets'} & set(sys.modules)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Backward pass of y")
