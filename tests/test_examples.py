"""The examples run, and what is saved in them is what they give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from tests.converter import EXAMPLES, nbconvert

if TYPE_CHECKING:
    from pathlib import Path


def texts(path: Path) -> list[list[str]]:
    """Return the text of each output of each code cell."""
    notebook = nbformat.read(path, as_version=4)

    def text(output: Any) -> str:
        return str(output["text"] if "text" in output else output.data["text/plain"])

    return [
        [text(output) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_runs_and_its_saved_outputs_are_current(example: Path, tmp_path: Path) -> None:
    executed = nbconvert(example, "notebook", tmp_path, "--execute")
    assert texts(executed) == texts(example)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_is_small_and_clean(example: Path) -> None:
    assert example.stat().st_size < 2_000_000
    notebook = nbformat.read(example, as_version=4)
    assert "widgets" not in notebook.metadata
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_the_first_example_tells_the_chain_rule() -> None:
    saved = texts(EXAMPLES[0])
    assert ["3.297442541400256\n"] in saved
    passes = [text for cell in saved for text in cell if text.startswith("Backward pass of y")]
    assert len(passes) == 4


def test_the_korean_example_is_korean() -> None:
    (korean,) = (path for path in EXAMPLES if path.parent.name == "ko")
    saved = texts(korean)
    assert ["3.297442541400256\n"] in saved
    passes = [text for cell in saved for text in cell if text.startswith("y의 역전파")]
    assert len(passes) == 4
    notebook = nbformat.read(korean, as_version=4)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pages = [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert len(pages) == 4
    assert all("역전파 전체 표" in page for page in pages)
