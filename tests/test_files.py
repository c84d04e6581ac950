"""Animations for slides, and files that are written whole or not at all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from ipygrad import BackwardPass, Function, Variable, backward_pass, exp, square
from ipygrad.show import animation
from ipygrad.show.files import written_whole
from ipygrad.show.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

SMALL = (480, 360)


@pytest.fixture
def seed() -> BackwardPass:
    x = Variable(np.array(0.5))
    a = square(x)
    b = exp(a)
    y = square(b)
    return backward_pass(y)


def test_a_gif_has_a_frame_for_the_start_and_each_step(seed: BackwardPass, tmp_path: Path) -> None:
    path = tmp_path / "pass.gif"
    seed.animate(path, size=SMALL, seconds=0.5)
    first = path.read_bytes()
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (4, SMALL)  # type: ignore[attr-defined]
        assert (image.info["duration"], image.info["loop"]) == (500, 0)
    assert len(first) < 60_000
    seed.animate(str(path), size=SMALL, seconds=0.5)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]


def test_frames_tell_what_has_arrived_so_far(seed: BackwardPass) -> None:
    frames = list(seed._frames())
    assert [frame.gradients for frame in frames] == [
        (None, None, None, "1"),
        (None, None, "2.568", "1"),
        (None, "3.297", "2.568", "1"),
        ("3.297", "3.297", "2.568", "1"),
    ]
    assert [frame.function for frame in frames] == [None, 2, 1, 0]
    (product,) = frames[2].told["products"]
    assert animation.equations(product) == [
        "∂y/∂a = ∂y/∂b · exp(a) = 2.568 · 1.284 = 3.297",
        "a: – → 3.297",
    ]
    assert [frame.drawn and len(frame.drawn.locals_) for frame in frames] == [None, 1, 1, 1]


def test_frames_show_formulas_and_what_was_measured() -> None:
    class Wrong(Function):
        def forward(self, x: Any) -> Any:
            return x**2

        def backward(self, gy: Any) -> Any:
            return gy

    bp = backward_pass(exp(Wrong()(Variable(2.0, name="x"))))
    drawn = [frame.drawn for frame in bp._frames()]
    assert drawn[1] is not None
    assert drawn[2] is not None
    assert drawn[1].formulas[0] is not None
    assert "exp" in drawn[1].formulas[0]
    assert drawn[1].numeric == [None]
    assert drawn[2].numeric == [pytest.approx(4)]


def test_a_jacobian_without_formula_is_no_factor() -> None:
    class Total(Function):
        def forward(self, x: Any) -> Any:
            return x.sum()

        def backward(self, gy: Any) -> Any:
            return gy * np.ones(2)

    bp = backward_pass(Total()(Variable([1.0, 2.0], name="x")))
    (product,) = list(bp._frames())[1].told["products"]
    assert animation.equations(product) == ["x: – → [1, 1]"]


def test_arrays_and_names_without_glyphs(tmp_path: Path) -> None:
    x = Variable([1.0, 2.0], name="입력 $a_1$")
    y = (x * x + 1).sum()
    backward_pass(y).animate(tmp_path / "arrays.gif", size=SMALL)
    assert (tmp_path / "arrays.gif").exists()


def test_numpy_that_raises_and_own_settings_change_nothing(
    seed: BackwardPass, tmp_path: Path
) -> None:
    seed.animate(tmp_path / "plain.gif", size=SMALL)
    with np.errstate(all="raise"), mpl.rc_context({"font.size": 30, "savefig.bbox": "tight"}):
        seed.animate(tmp_path / "own.gif", size=SMALL)
    assert (tmp_path / "own.gif").read_bytes() == (tmp_path / "plain.gif").read_bytes()


def test_a_video(seed: BackwardPass, tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / "pass.mp4"
    settings: Any = {"animation.ffmpeg_path": ffmpeg.get_ffmpeg_exe(), "savefig.bbox": "tight"}
    with mpl.rc_context(settings):
        seed.animate(path, size=(481, 361), seconds=0.5)
    frames, seconds = ffmpeg.count_frames_and_secs(str(path))
    assert (frames, seconds) == (4 * 5, 2.0)
    reader = ffmpeg.read_frames(str(path))
    assert next(reader)["size"] == SMALL
    reader.close()


def test_a_video_without_ffmpeg(seed: BackwardPass, tmp_path: Path) -> None:
    with (
        mpl.rc_context({"animation.ffmpeg_path": "no-such-program"}),
        pytest.raises(RuntimeError, match=r"written by ffmpeg, which is not .* or save a \.gif"),
    ):
        seed.animate(tmp_path / "pass.mp4")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "pass.avi"}, r"saved as \.gif or \.mp4, but 'pass\.avi' ends in '\.avi'"),
        ({"path": "pass"}, r"saved as \.gif or \.mp4, but 'pass' has no ending"),
        ({"size": (10, 300)}, r"320 to 4096 pixels, not \(10, 300\)"),
        ({"seconds": 0}, "0.1 to 60 seconds, not 0"),
        ({"seconds": float("nan")}, "0.1 to 60 seconds, not nan"),
    ],
)
def test_arguments_that_do_not_work(
    seed: BackwardPass, tmp_path: Path, arguments: dict[str, Any], said: str
) -> None:
    path = tmp_path / arguments.pop("path", "pass.gif")
    with pytest.raises(ValueError, match=said):
        seed.animate(path, **arguments)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_and_a_folder_that_is_not(seed: BackwardPass, tmp_path: Path) -> None:
    path = tmp_path / "pass.gif"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"pass\.gif is there already: pass overwrite=True"):
        seed.animate(path, overwrite=False)
    assert path.read_text() == "mine"
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        seed.animate(tmp_path / "none" / "pass.gif")


def test_passes_without_steps_and_with_too_many(seed: BackwardPass, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no steps, so there is nothing to animate"):
        BackwardPass(seed.graph, None).animate(tmp_path / "pass.gif")
    y = Variable(0.5)
    for _ in range(501):
        y = -y
    with pytest.raises(ValueError, match="at most 500 steps, but this pass has 501"):
        backward_pass(y).animate(tmp_path / "pass.gif")


@pytest.mark.parametrize("before", [None, "what was there"])
def test_what_fails_half_way_leaves_all_as_it_was(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "pass.gif"
    if before is not None:
        path.write_text(before)
    with pytest.raises(OSError, match="disk full"), written_whole(path) as part:  # noqa: PT012
        part.write_text("half")
        raise OSError("disk full")
    assert [file.read_text() for file in tmp_path.iterdir()] == ([before] if before else [])


def test_an_interrupted_animation_leaves_no_file(
    seed: BackwardPass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = animation.draw_frame

    def interrupted(*arguments: Any) -> Any:
        if arguments[1].number == 2:
            raise KeyboardInterrupt
        return draw(*arguments)

    monkeypatch.setattr(animation, "draw_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        seed.animate(tmp_path / "pass.gif", size=SMALL)
    assert not list(tmp_path.iterdir())


# --- progress -----------------------------------------------------------------------------------


def test_progress_without_tqdm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert list(progress("abc", 3, "frames")) == ["a", "b", "c"]
    assert capsys.readouterr().err.split("\r")[-1] == "frames: 3 of 3\n"


def test_progress_with_tqdm(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    assert list(progress("abc", 3, "frames")) == ["a", "b", "c"]
    assert "frames: 100%" in capsys.readouterr().err
