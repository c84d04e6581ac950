"""The pure parts of stepper.js, run by node where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.browser import payloads

MODULE = Path(__file__).parents[1] / "ipygrad" / "show" / "static" / "stepper.js"
NODE = shutil.which("node")
PURE = (
    "prepare, columnsOf, shorten, numberOf, curve, edgeMiddle, compose, isForetold, isNumber,"
    " isPlain"
)

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


@pytest.fixture(scope="module")
def exporting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the module that exports its pure parts."""
    path = tmp_path_factory.mktemp("module") / "stepper.mjs"
    path.write_text(MODULE.read_text("utf-8") + f"\nexport {{ {PURE} }};\n", "utf-8")
    return path


def run(exporting: Path, expression: str, **given: Any) -> Any:
    """Return what an expression in JavaScript gives, with some names of JSON values."""
    names = "".join(f"const {name} = {json.dumps(value)};" for name, value in given.items())
    # A browser has what the module asks for a language.
    script = f"""
      globalThis.navigator ??= {{ language: "en" }};
      const {{ {PURE} }} = await import({json.dumps(exporting.as_uri())});
      {names}
      console.log(JSON.stringify({expression}));"""
    assert NODE is not None
    done = subprocess.run(  # noqa: S603 - node itself, on our own text
        [NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("text", "columns", "shortened"),
    [
        ("square", 6, "square"),
        ("square", 5, "squa…"),
        ("값과 값", 7, "값과 값"),
        ("값과 값", 6, "값과 …"),
        ("𝑥𝑥𝑥𝑥", 3, "𝑥𝑥…"),
    ],
)
def test_a_text_is_cut_by_the_columns_that_it_takes(
    exporting: Path, text: str, columns: int, shortened: str
) -> None:
    got = run(exporting, "[shorten(text, columns), columnsOf(text)]", text=text, columns=columns)
    assert got[0] == shortened
    assert run(exporting, "columnsOf(text)", text=shortened) <= columns


def test_items_and_edges_have_numbers(exporting: Path) -> None:
    asked = "[['v12'], ['v3 f5'], ['v3 f5', 'f'], ['f5', 'v'], ['v3[7]'], ['v3[7]', '\\\\[']]"
    got = run(exporting, f"{asked}.map((one) => numberOf(...one))")
    assert got == [12, 3, 5, -1, 3, 7]


@pytest.mark.parametrize(
    ("said", "exact", "is_right"),
    [
        ("3.3", "3.297442541400256", True),
        ("3.24", "3.297442541400256", False),
        ("+", "3.297442541400256", True),
        ("-", "3.297442541400256", False),
        ("−0,0013", "-0.00128", True),
        ("-0.0014", "-0.00128", False),
        ("0", "0.0", True),
        ("1e-9", "0.0", False),
        ("three", "3.0", False),
    ],
)
def test_a_prediction_is_right_within_two_digits(
    exporting: Path, said: str, exact: str, is_right: bool
) -> None:
    got = run(exporting, "isForetold(said, { exact })", said=said, exact=exact)
    assert got is is_right


def test_a_line_on_one_level_is_straight_and_others_are_not(exporting: Path) -> None:
    straight = run(exporting, "curve([0, 10, 20, 30], [5, 5], 0)")
    assert {y for _, y in straight} == {5}
    points = run(exporting, "curve([0, 10, 20, 30], [5, 25], 0.25)")
    assert (points[0], points[-1]) == ([0, 5], [30, 25])
    # Between the levels it is steep at a place that the bend moves out of the middle.
    assert [12.5, 5] in points
    assert [12.5, 25] in points
    assert run(exporting, "edgeMiddle([[0, 0], [0, 0], [8, 8], [8, 8]])") == [4, 4]


def test_an_open_group_pushes_away_what_is_beyond_it(exporting: Path) -> None:
    graph = payloads.large(30)["graph"]
    groups = [f"g{g}" for g in range(1, len(graph["groups"]))]
    closed = run(exporting, "compose(graph, new Set())", graph=graph)
    opened = run(exporting, "compose(graph, new Set(groups))", graph=graph, groups=groups)
    assert opened["width"] >= closed["width"]
    for scene in (closed, opened):
        for _, (x, y, width, height) in scene["boxes"]:
            assert x >= 0
            assert y >= 0
            assert x + width <= scene["width"] + 1e-6
            assert y + height <= scene["height"] + 1e-6
    assert {item for item, _ in closed["boxes"]} < {item for item, _ in opened["boxes"]}
    flat = {item: box for item, box in opened["boxes"] if item not in groups}
    boxes = list(flat.values())
    for i, (x, y, width, height) in enumerate(boxes):
        for left, top, wide, high in boxes[:i]:
            is_beside = x >= left + wide or left >= x + width
            assert is_beside or y >= top + high or top >= y + height


def test_what_belongs_to_an_item(exporting: Path) -> None:
    payload = payloads.shared()

    def family(item: str) -> set[str]:
        found = run(exporting, "[...prepare(payload).family(item)]", payload=payload, item=item)
        return set(found)

    graph = payload["graph"]
    everything = {f"v{v}" for v in range(len(graph["variables"]))}
    everything |= {f"f{f}" for f in range(len(graph["functions"]))}
    assert family("v0") == everything
    function = graph["functions"][0]
    around = {f"v{v}" for v in (*function["inputs"], *function["outputs"])}
    assert family("f0") == {"f0", *around}
    assert family("v0 f0") == {"v0", "f0"}


def test_a_prepared_pass_knows_the_way_of_each_call(exporting: Path) -> None:
    payload = payloads.chain()
    items = ["x", "v0", "f0", "v1", "f1", "v2", "f2", "v3"]
    made = "items.map((item) => pass.made(item, -3, part))"
    for part, expected in (
        (1, [3, 3, 3, 0, 0, 0, 0, 0]),
        (2, [3, 3, 3, 1, 0, 0, 0, 0]),
        (3, [3, 3, 3, 2, 0, 0, 0, 0]),
    ):
        script = f"((pass) => {made})(prepare(payload))"
        got = run(exporting, script, payload=payload, items=items, part=part)
        assert got == expected, part
