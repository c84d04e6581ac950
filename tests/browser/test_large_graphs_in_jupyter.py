"""Large graphs in groups that open in place, in a real JupyterLab and a real Notebook 7."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.under_a_cell import opened_cells, press, status, stepper

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.jupyter import Host

MLP = """\
import random
from micrograd import nn
random.seed(1)
network = nn.MLP(2, [16, 16, 1])"""
NETWORK = """\
%%grad
score = network([0.5, -0.3])
loss = (1 + -score).relu()"""
"""The network of two moons on one sample, as micrograd's demonstration has it."""

LOOP = "%%grad\ny = x = Variable(0.5)\nfor _ in range(400):\n    y = np.sin(y)"


def groups(view: Locator, name: str) -> Locator:
    """Return the groups of the graph that have a name, open or closed."""
    return view.locator("svg [aria-expanded]").and_(
        view.get_by_role("button", name=re.compile(f"^{re.escape(name)} "))
    )


def test_a_network_opens_as_layers_and_is_unfolded_moved_and_searched(
    host: Host, page: Page
) -> None:
    pytest.importorskip("micrograd")
    view = stepper(opened_cells(host, page, MLP, NETWORK), 2)
    graph = view.locator(".ipygrad-graph")
    drawing = view.get_by_role("group", name="Graph of the computation")
    expect(groups(view, "Layer")).to_have_count(3)
    expect(groups(view, "Neuron")).to_have_count(0)
    assert drawing.locator("*").count() < 500

    # A layer opens in place: its neurons stand in one column, and what is far off is not there.
    layer = groups(view, "Layer").first
    layer.press("Enter")
    expect(groups(view, "Layer").first).to_have_attribute("aria-expanded", "true")
    neurons = groups(view, "Neuron")
    expect(neurons.first).to_be_visible()
    assert len({box["x"] for box in (one.bounding_box() for one in neurons.all()) if box}) == 1
    press(view, "Fit")
    expect(neurons).to_have_count(16)
    whole = "graph => graph.scrollWidth <= graph.clientWidth"
    assert graph.evaluate(whole)

    # Nearer, and so too large for the room: it moves with the wheel.
    width = "drawing => drawing.clientWidth"
    before = drawing.evaluate(width)
    for _ in range(8):
        press(view, "Zoom in")
    press(view, "Zoom out")
    assert drawing.evaluate(width) == pytest.approx(before * 1.25**7, rel=0.01)
    assert not graph.evaluate(whole)
    graph.evaluate("graph => graph.scrollTo(0, 0)")
    graph.hover()
    page.mouse.wheel(200, 100)
    page.wait_for_function(
        "graph => graph.scrollLeft > 0 && graph.scrollTop > 0", arg=graph.element_handle()
    )

    # Found by name, wherever it is folded away. Following opens the groups that the step is in.
    field = view.get_by_role("textbox", name="Find")
    field.fill("relu")
    field.press("Enter")
    expect(view.locator(".ipygrad-found")).to_be_in_viewport()
    press(view, "Follow")
    press(view, "Last step")
    expect(status(view)).to_have_text(re.compile("^Step 643 of 643"))
    function = view.get_by_role("button", name=re.compile("^function .*, step 643"))
    expect(function).to_have_count(0)
    press(view, "Follow")
    expect(function).to_be_in_viewport()


def test_the_background_of_a_large_graph_can_be_dragged(host: Host, page: Page) -> None:
    view = stepper(opened_cells(host, page, LOOP), 1)
    press(view, "Last step")
    graph = view.locator(".ipygrad-graph")
    expect(view.get_by_role("button", name="function sin, step 400")).to_be_in_viewport()
    graph.scroll_into_view_if_needed()
    graph.evaluate("graph => graph.scrollTo(300, 0)")
    place = graph.bounding_box()
    assert place
    x, y = place["x"] + 300, place["y"] + place["height"] - 20
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 100, y, steps=4)
    page.mouse.up()
    assert graph.evaluate("graph => graph.scrollLeft") == pytest.approx(400, abs=2)


def test_a_long_loop_says_how_large_it_is_and_follows(host: Host, page: Page) -> None:
    view = stepper(opened_cells(host, page, LOOP), 1)
    expect(view).to_contain_text("This graph has 801 boxes")
    press(view, "Next step")
    expect(status(view)).to_have_text(re.compile("^Step 1 of 400"))
    press(view, "Last step")
    expect(status(view)).to_have_text(re.compile("^Step 400 of 400"))
    function = view.get_by_role("button", name="function sin, step 400")
    expect(function).to_be_in_viewport()
    assert view.locator("svg *").count() < 500
    expect(view.get_by_role("button", name="function sin, step 200,")).to_have_count(0)
    function.press("ArrowLeft")
    expect(status(view)).to_have_text(re.compile("^Step 399 of 400"))
    press(view, "Follow")
    expect(view.locator("svg [aria-expanded=true]")).to_have_count(0)
