"""A pass as an animation for slides: a frame for each step, as GIF or MP4."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.animation import FFMpegWriter
from matplotlib.figure import Figure
from PIL import Image

from ipygrad.explain.products import LONGEST_FORMULA
from ipygrad.show.figures import DARK_VERMILION, INK, PAPER, drawable, own_style
from ipygrad.show.files import checked_path, written_whole
from ipygrad.show.plot import draw_step
from ipygrad.show.still import image_of, still_picture, with_palette
from ipygrad.show.tables import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ipygrad.capture.graph import Graph
    from ipygrad.explain.findings import Drawn
    from ipygrad.explain.words import Words
    from ipygrad.show.layout import GraphLayout
    from ipygrad.show.payload import Json

MOST_STEPS = 500
LEAST_SIZE, MOST_SIZE = 320, 4096
LEAST_SECONDS, MOST_SECONDS = 0.1, 60.0
PICTURES_A_SECOND = 10
"""In a video, where players stumble over fewer than one; ffmpeg repeats each frame."""

# Parts of the frame: the graph is above, below it the words on the left, the plot on the right.
MARGIN, MOST_GRAPH, WORDS = 0.015, 0.48, 0.36
INCHES = 10
"""Width of the frame, in inches, in which letters have their size."""
COLUMNS_PER_INCH, LINE = 11.2, 0.235


class Frame(NamedTuple):
    """What one frame shows.

    Attributes
    ----------
    number
        Of the step, 0 for the start.
    gradients
        For each variable of the graph the gradient that has arrived so far; None for none.
    function
        Number of the function whose turn it is, None at the start.
    told
        The step, as `ipygrad.show.payload` describes it.
    drawn
        What its plot shows, None at the start.
    """

    number: int
    gradients: tuple[str | None, ...]
    function: int | None
    told: Json
    drawn: Drawn | None


class Scene(NamedTuple):
    """What all frames have in common.

    Attributes
    ----------
    graph, layout, values
        As for `ipygrad.show.still.still_picture`.
    words
        The language.
    last
        Number of the last step.
    """

    graph: Graph
    layout: GraphLayout | None
    values: Sequence[str]
    words: Words
    last: int


def check_arguments(
    path: str | Path, steps: int, size: tuple[int, int], seconds: float, *, overwrite: bool
) -> Path:
    """Return the path, or raise what `BackwardPass.animate` says."""
    path = checked_path(path, (".gif", ".mp4"), "an animation", overwrite=overwrite)
    if not steps:
        raise ValueError("this pass has no steps, so there is nothing to animate")
    if steps > MOST_STEPS:
        raise ValueError(
            f"an animation has at most {MOST_STEPS} steps, but this pass has {steps:,}: "
            "go back from an earlier variable, or use to_html"
        )
    if len(size) != 2 or not all(LEAST_SIZE <= length <= MOST_SIZE for length in size):
        raise ValueError(
            f"size is a width and a height from {LEAST_SIZE} to {MOST_SIZE} pixels, not {size!r}"
        )
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ValueError(
            f"each step is shown for {LEAST_SECONDS} to {MOST_SECONDS:g} seconds, not {seconds!r}"
        )
    if path.suffix.lower() == ".mp4" and not FFMpegWriter.isAvailable():
        raise RuntimeError(
            "an .mp4 is written by ffmpeg, which is not installed or not found (matplotlib's "
            "setting animation.ffmpeg_path says where it is): install it, or save a .gif"
        )
    return path


def animate(
    scene: Scene, frames: Iterator[Frame], path: Path, size: tuple[int, int], seconds: float
) -> None:
    """Write the frames to a .gif or .mp4; what is written half-way does not stay."""
    # Video has no odd sizes.
    width, height = (int(length) // 2 * 2 for length in size)
    images = (draw_frame(scene, frame, (width, height)) for frame in frames)
    write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
    with written_whole(path) as part:
        write(images, part, seconds)


def _write_gif(images: Iterator[Image.Image], path: Path, seconds: float) -> None:
    pictures = (with_palette(image) for image in images)
    duration = round(1000 * seconds)
    with path.open("wb") as file:
        next(pictures).save(
            file, format="GIF", save_all=True, append_images=pictures, duration=duration, loop=0
        )


def _write_mp4(images: Iterator[Image.Image], path: Path, seconds: float) -> None:
    first = next(images)
    dpi = 100
    figure = Figure(figsize=(first.width / dpi, first.height / dpi))
    shown = figure.figimage(np.asarray(first))
    repeated = ["-r", str(PICTURES_A_SECOND), *mpl.rcParams["animation.ffmpeg_args"]]
    # ffmpeg takes fractions, though matplotlib's types say int.
    rate: Any = 1 / seconds
    writer = FFMpegWriter(fps=rate, extra_args=repeated)
    # A user's setting would cut the margins off, and with them the size that ffmpeg was told.
    with mpl.rc_context({"savefig.bbox": None}), writer.saving(figure, str(path), dpi):
        for image in chain([first], images):
            shown.set_data(np.asarray(image))
            writer.grab_frame()


# --- one frame ----------------------------------------------------------------------------------


def draw_frame(scene: Scene, frame: Frame, size: tuple[int, int]) -> Image.Image:
    """Draw the graph with what has arrived so far, the step in words and numbers, and its plot."""
    width, height = size
    margin = round(MARGIN * width)
    most_dpi = width / INCHES
    canvas = Image.new("RGB", size, PAPER)

    graph = still_picture(
        scene.graph, scene.layout, scene.values, frame.gradients, (), current=frame.function
    )
    upper = _image_within(graph, width - 2 * margin, int(MOST_GRAPH * height), 1.2 * most_dpi)
    canvas.paste(upper, ((width - upper.width) // 2, margin))

    top = upper.height + 2 * margin
    left, room = int(WORDS * width), height - top - margin
    words = _words_figure(scene, frame, left / most_dpi, room / most_dpi)
    canvas.paste(image_of(words, most_dpi), (margin, top))
    if frame.drawn is not None and frame.drawn.locals_:
        figure = draw_step(words=scene.words, **frame.drawn._asdict())
        plot = _image_within(figure, width - left - 2 * margin, room, 1.2 * most_dpi)
        canvas.paste(plot, ((width + left - plot.width) // 2, top + (room - plot.height) // 2))
    return canvas


def _image_within(figure: Figure, width: int, height: int, most_dpi: float) -> Image.Image:
    inches = figure.get_size_inches()
    return image_of(figure, min(width / inches[0], height / inches[1], most_dpi))


def _words_figure(scene: Scene, frame: Frame, width: float, height: float) -> Figure:
    """Write the step on a figure of this size, in inches."""
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    strong, product = {"fontweight": "bold"}, {"color": DARK_VERMILION, "fontsize": 13}
    interface = scene.words.interface
    position = interface["position"].format(step=frame.number, last=scene.last)
    told = frame.told
    parts: list[tuple[str, dict[str, Any]]] = [
        (f"{interface['step']} {position}", {}),
        (told["heading"], strong),
        *((line, product) for each in told["products"] for line in equations(each)),
        (told["texts"]["sentence"], {}),
        (told["texts"].get("notes", ""), strong),
    ]
    down = LINE
    with own_style():
        for text, look in parts:
            look = {"color": INK, "fontsize": 11, **look}
            columns = int(width * COLUMNS_PER_INCH * 11 / look["fontsize"])
            for line in fold(_drawable(text), columns):
                if down < height:
                    figure.text(0, 1 - down / height, line, parse_math=False, **look)
                down += LINE * look["fontsize"] / 11
            down += 0.4 * LINE
    return figure


def equations(product: Json) -> list[str]:
    """Return the product of a step and what it is added to, one line each; none for a constant.

    The product is in names and in numbers where it has a formula that is not too long to be read
    from far; where the local derivative is a Jacobian without one, there is none.
    """
    if product["constant"] or product["arriving"] is None:
        return []
    arriving, local, contribution, before, after = (
        None if product[key] is None else product[key]["text"]
        for key in ("arriving", "local", "contribution", "before", "after")
    )
    lines = []
    equation = "" if product["equation"] is None else product["equation"]["text"]
    if 0 < len(equation) <= LONGEST_FORMULA:
        lines.append(equation)
    elif local is not None and product["local"]["exact"]:
        equals = "=" if product["holds"] else "≠"
        lines.append(f"{arriving} × {local} {equals} {contribution}")
    lines.append(f"{product['name']}: {before or '–'} → {after}")
    return lines


def _drawable(text: str) -> str:
    """Replace words for which the font has no letters."""
    return " ".join(drawable(word, "…", len(text) + 1) for word in text.split(" "))
