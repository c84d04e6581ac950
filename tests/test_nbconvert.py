"""What the real converter makes of a notebook with a stepper in it, offline."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.converter import EXAMPLES, nbconvert

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = EXAMPLES[0]


def test_html_keeps_picture_table_and_script(tmp_path: Path) -> None:
    html = nbconvert(EXAMPLE, "html", tmp_path).read_text("utf-8")
    assert html.count('alt="Backward pass of y"') == 4
    assert html.count("DecompressionStream") == 4
    assert "<td>3.297</td>" in html


def test_markdown_has_the_picture_and_the_table(tmp_path: Path) -> None:
    markdown = nbconvert(EXAMPLE, "markdown", tmp_path).read_text("utf-8")
    assert markdown.count('<img alt="Backward pass of y"') == 4
    assert "<td>3.297</td>" in markdown


def test_latex_has_the_picture(tmp_path: Path) -> None:
    latex = nbconvert(EXAMPLE, "latex", tmp_path).read_text("utf-8")
    pictures = re.findall(r"\{([^{}]*_files/[^{}]*\.png)\}", latex)
    assert len(pictures) == 5
    for picture in pictures:
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
