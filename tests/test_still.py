from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from PIL import Image

from ipygrad import Function, Variable, backward_pass
from ipygrad import functions as F  # noqa: N812
from ipygrad.capture.graph import FunctionNode, Graph, VariableKind, VariableNode
from ipygrad.explain.local import LocalDerivative
from ipygrad.explain.sampling import Samples
from ipygrad.show.layout import lay_out
from ipygrad.show.overview import overview
from ipygrad.show.still import MOST_BYTES, MOST_WIDTH, StillStep, png_of, save_figure, still_picture

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure


def chain(*names: str, labels: tuple[str, ...] | None = None) -> Graph:
    """Make a graph of functions of one input in a row."""
    count = len(names) - 1
    kinds: list[VariableKind] = ["leaf", *["intermediate"] * (count - 1), "result"]  # type: ignore[list-item]
    variables = tuple(
        VariableNode(
            i, name, np.array(0.5), kind, i - 1 if i else None, 2, cast("Variable", object())
        )
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
    )
    functions = tuple(
        FunctionNode(i, label, (i,), (i + 1,), i, 2, None, cast("Function", object()))
        for i, label in enumerate(labels or ("square",) * count)
    )
    return Graph(variables, functions, (count,))


def local() -> LocalDerivative:
    u = np.linspace(-1, 3, 121)
    return LocalDerivative("curve", 0, "square", "b", "y", 1.0, 1.0, 2.0, Samples(u, u**2, 2 * u))


def picture(graph: Graph, *, pictures: int = 1) -> Figure:
    values = ["0.5"] * len(graph.variables)
    gradients = [None, *["2.568"] * (len(graph.variables) - 1)]
    steps = [
        StillStep(
            f"{i + 1}  {node.label}",
            "\n".join(["1 × 2 = 2"] * max(pictures, 1)),
            (local(),) * pictures or (None,),
        )
        for i, node in enumerate(graph.functions)
    ]
    return still_picture(graph, lay_out(graph, values), values, gradients, steps)


def texts(figure: Figure) -> list[str]:
    artists = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return [text.get_text() for text in artists if text.get_text()]


def seed() -> Graph:
    return chain("x", "a", "b", "y", labels=("square", "exp", "square"))


def curves(figure: Figure) -> int:
    return sum(bool(axes.lines) for axes in figure.axes)


def test_shows_names_values_gradients_and_steps() -> None:
    figure = picture(seed())
    shown = texts(figure)
    for text in ("x", "a", "b", "y", "exp", "0.5", "grad 2.568", "grad —", "2  exp", "1 × 2 = 2"):
        assert text in shown
    assert curves(figure) == 3


def test_small_panels_of_arrays_stay_apart() -> None:
    x = Variable(np.linspace(-1, 1, 6).reshape(3, 2), name="x")
    figure = backward_pass(F.softmax(F.exp(x)) @ np.array([1000.0, 2000.5]))._still(8)
    figure.canvas.draw()
    maps = [axes for axes in figure.axes if axes.child_axes]
    curves = [axes for axes in figure.axes if axes.lines]
    assert (len(maps), len(curves)) == (2, 1)
    found = [axes.get_tightbbox() for axes in (*maps, *curves)]
    boxes = sorted((box for box in found if box is not None), key=lambda box: float(box.x0))
    for left, right in pairwise(boxes):
        assert left.x1 < right.x0


def test_constants_say_so() -> None:
    graph = chain("2", "y")
    constant = VariableNode(
        0, "0.5", np.array(0.5), "constant", None, 2, graph.variables[0].variable
    )
    shown = texts(picture(Graph((constant, graph.variables[1]), graph.functions, (1,))))
    assert "constant" in shown
    assert shown.count("0.5") == 2  # its name, which is its value, and the value of y


def test_a_panel_for_each_input() -> None:
    assert curves(picture(chain("x", "y"), pictures=2)) == 2


@pytest.mark.parametrize(("count", "note"), [(8, None), (9, "1 more step"), (12, "4 more steps")])
def test_at_most_eight_panels(count: int, note: str | None) -> None:
    figure = picture(chain(*(f"v{i}" for i in range(count + 1))))
    assert curves(figure) == 8
    assert [text for text in texts(figure) if "more" in text] == ([f"and {note}"] if note else [])


def test_steps_without_pictures_are_words() -> None:
    figure = picture(chain("x", "y"), pictures=0)
    assert curves(figure) == 0
    assert "1  square" in texts(figure)


def test_a_wide_graph_goes_on_in_the_next_line() -> None:
    names = [f"v{i}" for i in range(13)]
    figure = picture(chain(*names))
    graph_axes = [axes for axes in figure.axes if not axes.lines]
    assert len(graph_axes) > 1
    assert figure.get_figwidth() < MOST_WIDTH + 1
    shown = [text.get_text() for axes in graph_axes for text in axes.texts]
    assert [text for text in shown if text in names] == names


def shown_by(y: Variable) -> list[str]:
    return texts(backward_pass(y)._still(8))


def test_a_large_chain_is_folded_into_bands() -> None:
    x = y = Variable(0.5, name="x")
    for _ in range(200):
        y = F.sin(y)
    shown = shown_by(y)
    assert shown.count("40 sin") == 5
    assert "The graph of 200 functions, folded:" in shown
    for text in ("x", "0.5", "y", "grad 1"):
        assert text in shown
    y.backward()
    assert f"grad {x.grad:.4g}" in shown


def test_a_large_network_is_folded_with_its_leaves() -> None:
    leaves = [Variable(0.1 * k) for k in range(400)]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total + leaf
    shown = shown_by(F.sin(total))
    assert "80 add" in shown
    assert "79 add + 1" in shown
    assert sum("leaves" in text for text in shown) == 5


def test_the_overview_keeps_each_path_and_each_result() -> None:
    graph = backward_pass(sum((Variable(1.0 * k) ** 2 for k in range(200)), Variable(0.0))).graph
    folded = overview(graph, [""] * len(graph.variables), [None] * len(graph.variables))
    assert [len(node.outputs) for node in folded.graph.functions] == [1] * len(
        folded.graph.functions
    )
    for node in graph.functions:
        band = folded.band_of[node.index]
        for x in node.inputs:
            creator = graph.variables[x].creator
            assert creator is None or folded.band_of[creator] <= band
    for node in folded.graph.functions:
        for group in node.inputs:
            made_in = folded.graph.variables[group].creator
            assert made_in is None or made_in < node.index
    (result,) = folded.graph.results
    assert folded.graph.variables[result].kind == "result"


def test_a_graph_of_one_generation_is_one_band() -> None:
    graph = chain("x", "y")
    wide = replace(graph, functions=graph.functions * 400)
    assert overview(wide, ["", ""], [None, None]).graph.functions[0].label == "400 square"


def test_names_without_glyphs_and_names_like_markup() -> None:
    graph = chain("입력", "$a_1", "y", labels=("제곱", "exp"))
    figure = picture(graph)
    png_of(figure)
    shown = texts(figure)
    for text in ("variable 1", "function", "$a_1"):
        assert text in shown


def test_png_is_small_and_the_same_each_time() -> None:
    png = png_of(picture(seed()))
    assert png == png_of(picture(seed()))
    assert len(png) < 20_000
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        assert set(image.info) <= {"dpi", "transparency"}


def test_a_picture_for_the_notebook_is_made_smaller_until_it_fits() -> None:
    x = Variable(np.random.default_rng(0).normal(size=(4, 5)), name="x")
    for _ in range(4):
        x = F.softmax(x @ Variable(np.ones((5, 5)), name="W"))
    figure = backward_pass(x.sum())._still(8)
    assert len(png_of(figure)) <= MOST_BYTES < len(png_of(figure, most_bytes=None))


def test_what_is_saved_has_a_plot_for_every_step(tmp_path: Path) -> None:
    x = y = Variable(0.5, name="x")
    for _ in range(20):
        y = F.sin(y)
    backward_pass(y).savefig(tmp_path / "pass.svg")
    svg = (tmp_path / "pass.svg").read_text("utf-8")
    assert svg.count("slope 0.") == 20
    assert "20  sin" in svg
    assert "more step" not in svg
    y.backward()
    assert f"grad {x.grad:.4g}" in svg


def test_a_jacobian_has_its_numbers_too(tmp_path: Path) -> None:
    x = Variable([1.0, 2.0], name="x")
    backward_pass(F.sum(x)).savefig(tmp_path / "pass.svg")
    assert "1 × Jacobian → [1, 1]" in (tmp_path / "pass.svg").read_text("utf-8")


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf", ".PNG"])
def test_files_are_the_same_each_time(tmp_path: Path, ending: str) -> None:
    first, second = tmp_path / f"first{ending}", tmp_path / f"second{ending}"
    save_figure(picture(seed()), first)
    save_figure(picture(seed()), second)
    assert first.read_bytes() == second.read_bytes()
    start = {".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}[ending.lower()]
    assert first.read_bytes().startswith(start)


def test_a_product_that_does_not_hold_is_not_written_as_one(tmp_path: Path) -> None:
    class ForgetsGy(Function):
        def forward(self, x: Any) -> Any:
            return x**2

        def backward(self, _gy: Any) -> Any:
            return 2 * self.input.data

    bp = backward_pass(ForgetsGy()(Variable(3.0, name="x")) * 4)
    bp.savefig(tmp_path / "pass.svg")
    svg = (tmp_path / "pass.svg").read_text("utf-8")
    assert "1 × 4 = 4" in svg
    assert "4 × 6 ≠ 6" in svg
