"""What a BackwardPass displays, saves and draws."""

from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from ipygrad import BackwardPass, Function, Variable, add, backward_pass, exp, square
from ipygrad.capture.graph import capture_graph
from ipygrad.show.payload import make_payload

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
        ("widget", {"text/html", "image/png", "text/plain"}),
    ],
)
def test_the_bundle(bp: BackwardPass, display_as: Any, types: set[str]) -> None:
    bundle = bp.bundle(display_as)
    assert set(bundle) == types
    assert bundle["text/plain"].startswith("Backward pass of y")
    assert bundle.get("image/png", b"\x89PNG").startswith(b"\x89PNG")


def test_the_widget_alone_is_the_html_stepper(bp: BackwardPass) -> None:
    assert bp.widget._repr_mimebundle_() == bp.bundle()
    # Of a view, "model not found" is all that is left where its kernel is gone.
    assert bp.bundle("widget") == bp.bundle()


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
    step = bp._payload()["steps"][2]
    assert step["check"] == "disagrees"
    assert step["texts"]["check"] == (
        "≠ ForgetsGy.backward is wrong for x: it contributes 6, but small changes of x "
        "measure a slope of 6, so it should contribute 30. It is the local derivative alone: did "
        "you forget to multiply with gy, the gradient arriving?"
    )
    assert (bp[0].check.status, bp[1].check.slip) == ("agrees", "gradient forgotten")
    assert json.loads(json.dumps(bp.to_dict()))["steps"][1]["check"]["ratio"] == pytest.approx(0.2)


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


def test_plot_of_two_inputs_in_one_place_says_what_to_do() -> None:
    x = Variable(2.0)
    two = backward_pass(x * x)
    assert len(two.plot(1).axes) == 4
    with pytest.raises(ValueError, match="has 2 inputs"):
        two.plot(1, ax=Figure().add_subplot())


def test_arrays_have_a_pass() -> None:
    x = Variable(np.ones((4, 3)))
    w = Variable(np.arange(3.0))
    y = (x * w).sum()
    bp = backward_pass(y)
    assert [step.label for step in bp] == ["sum", "multiply"]
    assert [local.kind for local in bp[1].local_derivatives if local] == ["points", "points"]
    assert "array (4, 3)" in bp.table()
    assert "text/html" in bp.bundle()


def test_the_widget_takes_only_steps_that_there_are(bp: BackwardPass) -> None:
    from traitlets import TraitError

    bp.widget.step = 3
    with pytest.raises(TraitError, match="steps 0 to 3"):
        bp.widget.step = 4
    assert bp.widget.step == 3


def test_a_large_graph_is_told_and_folded() -> None:
    y = Variable(0.5)
    for _ in range(200):
        y = exp(-y)
    payload = backward_pass(y)._payload()
    assert payload["notices"][0].startswith("This graph has 801 boxes, so it is folded")
    groups = payload["graph"]["groups"]
    functions = [item for group in groups for item in group["items"] if item[0] == "f"]
    assert sorted(functions) == sorted(f"f{number}" for number in range(400))
    assert len(payload["steps"]) == 401


def test_a_huge_graph_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipygrad.show.payload.MOST_FOLDED", 1_000)
    y = Variable(0.5)
    for _ in range(500):
        y = -y
    payload = backward_pass(y)._payload()
    assert payload["notices"] == ["This graph has 1,001 boxes, too many to draw."]
    assert [group["items"] for group in payload["graph"]["groups"]] == [[]]
    assert payload["table"]["row_steps"] == list(range(501))
    assert len(payload["steps"]) == 501


def test_a_huge_pass_is_cut_in_the_notebook_but_not_in_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ipygrad.record.MOST_STEPS", 2_000)
    y = Variable(0.5)
    for _ in range(2_500):
        y = -y
    bp = backward_pass(y)
    payload = bp._payload({})
    assert len(payload["steps"]) == 2_001
    assert "first 2,000 of 2,500 steps" in payload["notices"][1]
    assert len(bp.table().splitlines()) == 2_506
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


# --- what the kernel holds ---


def widgets_alive() -> int:
    from ipywidgets.widgets.widget import _instances

    return len(_instances)


def test_a_pass_has_one_link_however_often_it_is_shown(bp: BackwardPass) -> None:
    bp.bundle(link=True)
    alive = widgets_alive()
    for _ in range(3):
        bp.bundle(link=True)
    assert widgets_alive() == alive


def test_close_frees_all_and_a_later_display_links_anew(bp: BackwardPass) -> None:
    alive = widgets_alive()
    bp.bundle(link=True)
    first = bp.widget
    bp.close()
    bp.close()
    assert widgets_alive() == alive
    bp.bundle(link=True)
    assert widgets_alive() > alive
    assert bp.widget is not first
    bp.widget.step = 2
    bp.close()
    assert widgets_alive() == alive


def test_a_link_does_not_keep_its_pass_alive() -> None:
    bp = backward_pass(square(Variable(0.5)))
    bp.bundle(link=True)
    link, died = bp._live._link, weakref.ref(bp)
    assert link is not None
    sent: list[Any] = []
    link.send = sent.append
    question = {"type": "plot", "step": 1}
    link._hear(link, question, [])
    assert "<svg" in sent[0]["svg"]
    del bp
    gc.collect()
    assert died() is None
    link._hear(link, question, [])
    assert len(sent) == 1
    link.close()


# --- how much is stored ---


def test_plots_in_the_notebook_are_limited_by_number_not_by_speed() -> None:
    y = Variable(0.5)
    for _ in range(60):
        y = -y
    bp = backward_pass(y)
    drawn = [step["plot"] is not None for step in bp._payload()["steps"]]
    assert drawn[0] is False
    count = drawn.count(True)
    assert 10 < count <= 40
    assert all(drawn[1 : count + 1])
    assert sum(len(step["plot"] or "") for step in bp._payload()["steps"]) < 450_000


def test_a_cut_payload_holds_what_its_steps_touch_and_no_more() -> None:
    y = Variable(0.5)
    for _ in range(50):
        y = 2 * y
    bp = backward_pass(y)
    payload = make_payload(bp._shown, None, plots={}, most_steps=3)
    graph, steps = payload["graph"], payload["steps"]
    assert (len(graph["functions"]), len(graph["variables"])) == (3, 7)
    assert [step["function"] for step in steps] == [None, 2, 1, 0]
    assert [function["step"] for function in graph["functions"]] == [3, 2, 1]
    for step in steps[1:]:
        function = graph["functions"][step["function"]]
        assert [p["variable"] for p in step["products"]] == function["inputs"]
        for product in step["products"]:
            assert graph["variables"][product["variable"]]["name"] == product["name"]
        assert [graph["variables"][v]["creator"] for v in function["outputs"]] == [step["function"]]
    start = graph["variables"][steps[0]["products"][0]["variable"]]
    assert (start["name"], start["kind"]) == ("y", "result")
    assert [v["creator"] for v in graph["variables"] if v["kind"] != "intermediate"][:1] == [None]


# --- text ---


class Wrong(Function):
    def forward(self, x: Any) -> Any:
        return 3 * x

    def backward(self, _gy: Any) -> Any:
        return 3.0


def test_notes_are_printed_under_the_table() -> None:
    y = 2 * Wrong()(Variable(1.0))
    bp = backward_pass(y)
    said = bp._payload()["steps"][2]["texts"]["check"]
    assert said.startswith("≠ Wrong.backward is wrong for Variable: ")
    assert bp.table().splitlines()[-1] == str(bp).splitlines()[-1] == f"step 2: {said[2:]}"


def test_many_notes_are_cut() -> None:
    y = Variable(1.0)
    for _ in range(30):
        y = Wrong()(y)
    y = 2 * y
    text = backward_pass(y).table()
    assert text.count("\nstep ") == 20 + 1  # and the table's heading
    assert text.endswith("\nand 10 more notes")


def test_a_partial_graph_is_printed_as_a_table_of_its_variables() -> None:
    x = Variable(0.5)
    a = square(x)
    b = 2 * exp(a)
    graph = capture_graph([b], {"x": x, "a": a, "b": b})
    bp = BackwardPass(graph, None)
    lines = [" ".join(line.split()) for line in str(bp).splitlines()]
    assert lines[0] == "What the cell had computed"
    assert lines[2] == "variable value made by"
    assert lines[4:] == [
        "x 0.5",
        "a 0.25 square(x)",
        "exp(a) 1.284 exp(a)",
        "b 2.568 multiply(2, exp(a))",
    ]
    table = bp._payload()["table"]
    assert [row[0] for row in table["rows"]] == ["x", "a", "exp(a)", "b"]
    assert table["row_steps"] == [0] * 4
    assert "<td>square(x)</td>" in bp.bundle()["text/html"]


def test_a_large_partial_graph_is_cut_and_says_so() -> None:
    y = Variable(0.5)
    for _ in range(2_500):
        y = -y
    bp = BackwardPass(capture_graph([y]), None)
    payload = bp._payload()
    assert payload["notices"] == [
        "This graph has 5,001 boxes, so it is folded into groups: press one to open it, and its "
        "bar to close it again.",
        "The table has 2,000 of 2,501 variables.",
    ]
    assert len(payload["graph"]["functions"]) == 2_500
    assert len(payload["table"]["rows"]) == 2_000
    assert str(bp).endswith("… and 2,441 more variables; table() has them all")


def test_a_step_of_constants_has_a_row() -> None:
    y = add(2, 3)
    bp = backward_pass(y)
    assert bp.table().splitlines()[-1].split() == ["1", "add", "1", "–", "–", "–", "–", "–"]
    assert bp._payload()["steps"][1]["heading"] == "add: from y to constants"


# --- the user's numpy settings ---


def test_numpy_that_raises_does_not_break_the_display(tmp_path: Path) -> None:
    with np.errstate(all="ignore"):
        y = exp(exp(Variable(7.0))) * 1e-300 / 3
        graph = backward_pass(y)
    with np.errstate(all="raise"):
        bp = BackwardPass(graph.graph, graph._run)
        assert bp.plot(2)._repr_png_()
        assert bp.bundle("html", link=True)
        assert bp.bundle("widget")
        bp.to_html(tmp_path / "page.html")
        bp.savefig(tmp_path / "pass.png")
        bp.to_dict()
        assert bp.table()
        assert [step.local_derivatives for step in bp]
        assert bp[0].notes == ()
        bp.close()


def test_boxes_have_room_for_the_gradient() -> None:
    x = Variable(1.0, name="x")
    wide = backward_pass(x * 1.234567e-5)._layout
    narrow = backward_pass(x * 1.0)._layout
    assert wide is not None
    assert narrow is not None
    assert wide.variables[0].width > narrow.variables[0].width
