"""The page that ``to_html`` writes: what is in the file. What it does is in ``browser``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ipygrad import BackwardPass, Variable, backward_pass, sin
from tests.benchmarks.sizes import MOST_IN_NOTEBOOK, in_notebook, mixed
from tests.benchmarks.sizes import seed as seed_pass
from tests.pages import payloads_of

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = OSError(28, "No space left on device")


@pytest.fixture
def seed() -> BackwardPass:
    return seed_pass()


def chain(functions: int) -> BackwardPass:
    y = Variable(0.5, name="x")
    for _ in range(functions):
        y = sin(y)
    return backward_pass(y)


def test_it_has_all_plots_and_allows_its_own_scripts_only(
    seed: BackwardPass, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    seed.to_html(path)
    text = path.read_text("utf-8")
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "blob:" not in policy
    (payload,) = payloads_of(path)
    assert len(payload["steps"]) == 4
    assert all("<svg" in step["plot"] for step in payload["steps"][1:])
    assert "© 2026 The ipygrad developers, MIT licence." in text
    assert "://" not in text


@pytest.mark.parametrize("functions", [1, 3, 60])
def test_it_is_small(functions: int, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    chain(functions).to_html(path)
    assert path.stat().st_size <= 110_000 + 8_000 * functions


@pytest.mark.parametrize("functions", [3, 60, 1_000])
def test_a_notebook_stays_small(functions: int) -> None:
    bp = seed_pass() if functions == 3 else mixed(functions)
    assert in_notebook(bp) <= MOST_IN_NOTEBOOK[functions]


def test_the_same_pass_gives_the_same_page(seed: BackwardPass, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        seed.to_html(tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_several_passes_share_a_page(seed: BackwardPass, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    seed.to_html(path, chain(2), chain(5))
    assert [len(payload["steps"]) for payload in payloads_of(path)] == [4, 3, 6]
    text = path.read_text("utf-8")
    assert re.findall("<h2>(.*)</h2>", text)[2].startswith("3. Backward pass of ")
    assert text.count("data-pass>") == 3
    assert path.stat().st_size < 160_000


def test_a_bar_shows_how_many_of_many_plots_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tqdm")
    bp = chain(30)
    bp.to_html(tmp_path / "page.html")
    assert "page.html: 100%" in capsys.readouterr().err
    bp.to_html(tmp_path / "again.html")
    chain(3).to_html(tmp_path / "small.html")
    assert capsys.readouterr().err == ""


def test_a_pass_without_steps_is_a_page_of_its_graph(seed: BackwardPass, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    BackwardPass(seed.graph, None).to_html(path)
    (payload,) = payloads_of(path)
    assert len(payload["graph"]["variables"]) == 4


# --- what cannot be written ---------------------------------------------------------------------

WRITERS: dict[str, tuple[str, Callable[..., None]]] = {
    "a page": (".html", BackwardPass.to_html),
    "a picture": (".svg", BackwardPass.savefig),
    "an animation": (".gif", BackwardPass.animate),
}


@pytest.fixture(params=WRITERS)
def what(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def write(bp: BackwardPass, what: str, path: Path, **options: Any) -> None:
    WRITERS[what][1](bp, path, **options)


def test_an_unknown_ending(seed: BackwardPass, tmp_path: Path, what: str) -> None:
    with pytest.raises(
        ValueError, match=rf"{what} is saved as .*, but 'pass\.doc' ends in '\.doc'"
    ):
        write(seed, what, tmp_path / "pass.doc")
    with pytest.raises(ValueError, match=rf"{what} is saved as .*, but 'pass' has no ending"):
        write(seed, what, tmp_path / "pass")
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_replaced_unless_told_otherwise(
    seed: BackwardPass, tmp_path: Path, what: str
) -> None:
    path = tmp_path / f"pass{WRITERS[what][0]}"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"is there already: pass overwrite=True to replace"):
        write(seed, what, path, overwrite=False)
    assert path.read_text() == "mine"
    write(seed, what, path)
    assert path.read_bytes() != b"mine"


def test_a_folder_that_is_not_there(seed: BackwardPass, tmp_path: Path, what: str) -> None:
    path = tmp_path / "none" / f"pass{WRITERS[what][0]}"
    with pytest.raises(FileNotFoundError, match=f"{what} cannot be saved as .*: there is no such"):
        write(seed, what, path)


def test_a_folder_of_that_name(seed: BackwardPass, tmp_path: Path, what: str) -> None:
    path = tmp_path / f"pass{WRITERS[what][0]}"
    path.mkdir()
    with pytest.raises(IsADirectoryError, match=f"{what} cannot be saved as .*: that is a folder"):
        write(seed, what, path)


@pytest.mark.parametrize("before", [None, "mine"])
def test_a_disk_that_gets_full(
    seed: BackwardPass,
    tmp_path: Path,
    what: str,
    before: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / f"pass{WRITERS[what][0]}"
    if before is not None:
        path.write_text(before)

    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="cannot be written: No space left on device") as raised:
        write(seed, what, path)
    assert len(str(raised.value).splitlines()) == 1
    assert [file.read_text() for file in tmp_path.iterdir()] == ([before] if before else [])


def test_a_folder_that_is_not_the_users(
    seed: BackwardPass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr(Path, "write_text", refused)
    path = tmp_path / "page.html"
    with pytest.raises(PermissionError, match="cannot be written: Permission denied") as raised:
        seed.to_html(path)
    assert str(raised.value) == f"{path} cannot be written: Permission denied"
    assert not list(tmp_path.iterdir())


def test_a_picture_of_no_steps_is_the_graph(seed: BackwardPass, tmp_path: Path) -> None:
    BackwardPass(seed.graph, None).savefig(tmp_path / "pass.svg")
    assert "square" in (tmp_path / "pass.svg").read_text("utf-8")


def test_a_document_of_a_newer_version(seed: BackwardPass) -> None:
    data = seed.to_dict() | {"version": 99}
    with pytest.raises(ValueError, match="version") as raised:
        BackwardPass.from_dict(data)
    assert len(str(raised.value).splitlines()) == 1
