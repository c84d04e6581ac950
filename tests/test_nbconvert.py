"""What the real converter makes of a notebook with a stepper in it, offline."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import nbformat
import pypandoc
import pytest

from ipygrad import Function, Variable, backward_pass
from ipygrad.explain.words import LANGUAGES, Words
from tests.converter import EXAMPLES, nbconvert
from tests.shell import IMPORTS, SEED

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

EXAMPLE = EXAMPLES[0]
TABLE_ROW = re.compile(r"<td>3\.297</td>")


def as_read(markdown: str) -> str:
    """Return the text that a reader of Markdown sees where scripts are dropped."""
    html = pypandoc.convert_text(markdown, "html", "gfm")
    html = re.sub(r"(?s)<script.*?</script>|<summary>.*?</summary>", "", html)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def executed(tmp_path: Path, *cells: str) -> Path:
    """Return a notebook in which these cells have run."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path = tmp_path / "cells.ipynb"
    nbformat.write(notebook, path)
    folder = tmp_path / "executed"
    folder.mkdir()
    return nbconvert(path, "notebook", folder, "--execute")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_examples_as_html_keep_pictures_tables_and_scripts(example: Path, tmp_path: Path) -> None:
    cells = nbformat.read(example, as_version=4).cells
    passes = sum(
        "data-ipygrad" in output.get("data", {}).get("text/html", "")
        for cell in cells
        for output in cell.get("outputs", [])
    )
    html = nbconvert(example, "html", tmp_path).read_text("utf-8")
    assert passes >= 1
    assert html.count('<div data-ipygrad="') == passes
    assert html.count("DecompressionStream") == passes
    language = example.parent.name if example.parent.name in LANGUAGES else ""
    table = Words(language).interface["table"]
    assert html.count(f"<summary>{table}</summary>") == passes
    assert "rror displaying widget" not in html


def test_slides_keep_picture_table_and_script(tmp_path: Path) -> None:
    slides = nbconvert(EXAMPLE, "slides", tmp_path).read_text("utf-8")
    assert slides.count('alt="Backward pass of y"') == 4
    assert slides.count("DecompressionStream") == 4
    assert TABLE_ROW.search(slides)


def test_markdown_has_the_picture_and_the_table_and_reads_well(tmp_path: Path) -> None:
    markdown = nbconvert(EXAMPLE, "markdown", tmp_path).read_text("utf-8")
    assert markdown.count('<img alt="Backward pass of y"') == 4
    assert TABLE_ROW.search(markdown)
    read = as_read(markdown)
    for script in ("atob", "const", "=>", "mount"):
        assert script not in read
    assert max(map(len, read.split())) < 60
    assert "The same with %%grad on top." in read
    assert "A variable that is used twice" in read


def test_an_empty_line_in_a_message_does_not_end_the_html_in_markdown() -> None:
    class Fails(Function):
        def forward(self, x: Any) -> Any:
            return x

        def backward(self, _gy: Any) -> Any:
            raise ValueError("first\n\n    not *code*")

    html = backward_pass(Fails()(Variable(1.0))).bundle()["text/html"]
    assert "\n\n" not in html.strip()
    read = as_read(f"before\n\n{html}\n\nafter")
    assert "not *code*" in read
    assert "atob" not in read


def test_as_picture_gives_clean_markdown(tmp_path: Path) -> None:
    notebook = executed(tmp_path, IMPORTS, f"%%grad --as picture\n{SEED}")
    markdown = nbconvert(notebook, "markdown", tmp_path).read_text("utf-8")
    (picture,) = re.findall(r"!\[[^]]*\]\((.*\.png)\)", markdown)
    assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert "<" not in markdown
    assert len(markdown) < 600


@pytest.mark.parametrize("option", ["html", "picture"])
def test_latex_has_the_picture(tmp_path: Path, option: str) -> None:
    notebook = executed(tmp_path, IMPORTS, f"%%grad --as {option}\n{SEED}")
    latex = nbconvert(notebook, "latex", tmp_path).read_text("utf-8")
    (picture,) = re.findall(r"\{([^{}]*_files/[^{}]*\.png)\}", latex)
    assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(shutil.which("xelatex") is None, reason="no TeX here: xelatex is not on PATH")
def test_pdf_where_there_is_tex(tmp_path: Path) -> None:
    assert nbconvert(EXAMPLE, "pdf", tmp_path).read_bytes().startswith(b"%PDF")
