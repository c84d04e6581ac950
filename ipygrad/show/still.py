"""The still picture of a backward pass: the graph, and under it a small panel for each step.

It is what a saved notebook shows where nothing runs, and what can be handed out on paper.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path as Curve
from PIL import Image

from ipygrad.explain.words import Words
from ipygrad.show.figures import DARK_VERMILION, GREY, INK, PAPER, drawable, own_style, svg_of
from ipygrad.show.layout import lay_out
from ipygrad.show.overview import overview
from ipygrad.show.panels import new_panel, show_local
from ipygrad.show.sizes import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from ipygrad.capture.graph import Graph
    from ipygrad.explain.local import LocalDerivative
    from ipygrad.show.layout import Box, EdgePath, GraphLayout

WORDS = Words().of_pictures
ENDINGS = (".png", ".svg", ".pdf")
MOST_BYTES = 40_000
"""Of the picture that a notebook keeps, which stands in it twice."""
MOST_PANELS, MOST_SAVED_PANELS, PANELS_IN_A_ROW = 8, 100, 4
"""Of the picture in a notebook; of one that is saved."""
MOST_LINES = 4
DPI = 110
# In inches.
LEAST_WIDTH, MOST_WIDTH, MOST_GRAPH_HEIGHT, MARGIN = 6.2, 10.5, 10.0, 0.12
PANEL_HEIGHT, LEAST_PANEL_WIDTH, MOST_PANEL_WIDTH = 2.1, 2.5, 3.4
PLOT_LEFT, PLOT_BOTTOM, PLOT_TOP, TEXT_ROW, TITLE_ROW = 0.42, 0.42, 0.72, 0.2, 0.3
BAR = 0.55
"""What a heat map leaves free for its colour bar."""
INCHES_PER_PX = 9 / 72 / 13
"""The layout is made for letters of 13 px; on paper they are to have 9 pt."""
SPACE = 10
"""Above and below a line of the graph, px."""

FILLS = {"leaf": "#e3f0f9", "intermediate": "#f3f8fc", "result": "#c9e1f3", "constant": "#f4f4f4"}
FUNCTION_FILL = "#fdf1d8"


@dataclass(frozen=True, eq=False)
class StillStep:
    """What the still picture tells of one step.

    Attributes
    ----------
    heading
        ``"1  square"``.
    equation
        ``"1 × 2.568 = 2.568"``; one line for each local derivative that is not None.
    locals_
        The local derivative for each input, None where there is no picture.
    """

    heading: str
    equation: str
    locals_: tuple[LocalDerivative | None, ...]


class _Panel(NamedTuple):
    heading: str
    equation: str
    local: LocalDerivative | None


class _Region(NamedTuple):
    """A rectangle of a figure, in inches from the lower left corner."""

    figure: Figure
    left: float
    bottom: float
    width: float
    height: float

    def axes(self) -> Axes:
        """Make Axes that fill the region."""
        width, height = self.figure.get_size_inches()
        return self.figure.add_axes(
            (self.left / width, self.bottom / height, self.width / width, self.height / height)
        )

    def write(self, down: float, text: str, **look: Any) -> None:
        """Write a line whose baseline is so many inches below the top."""
        width, height = self.figure.get_size_inches()
        x, y = self.left / width, (self.bottom + self.height - down) / height
        text = shorten(text, int(self.width * 13))
        self.figure.text(x, y, text, color=INK, fontsize=9, parse_math=False, **look)


def still_picture(
    graph: Graph,
    layout: GraphLayout | None,
    values: Sequence[str],
    gradients: Sequence[str | None],
    steps: Sequence[StillStep],
    left_out: int = 0,
    current: int | None = None,
    most_panels: int = MOST_PANELS,
) -> Figure:
    """Draw the graph with values and gradients, and the local derivative of each step under it.

    A graph that is too wide goes on in the next line, as text does.

    Parameters
    ----------
    graph, layout
        The graph and its coordinates; None for a graph that is too large to be drawn, of which
        an overview is.
    values, gradients
        A short text for each variable of the graph; None for a gradient that is not there.
    steps
        In the order of the backward pass. A step has a panel for each input; as many steps are
        shown as fit into `most_panels`.
    left_out
        How many more steps there are, which were not even passed.
    current
        Number of a function whose box is drawn with a strong edge.
    """
    # From top to bottom: how high, and who draws it.
    blocks: list[tuple[float, Callable[[_Region], None]]] = []
    if layout is None:
        sentence = WORDS("still_large", count=f"{len(graph.functions):,}")
        blocks.append((TEXT_ROW, partial(_draw_note, text=sentence)))
        graph, values, gradients, band_of = overview(graph, values, gradients)
        rows = zip(map(shorten, values), map(_arrived, gradients), strict=True)
        layout = lay_out(graph, [max(row, key=len) for row in rows])
        current = None if current is None else band_of[current]
    lines = _lines(layout)
    widest = max(line.right - line.left for line in lines)
    highest = sum(line.bottom - line.top for line in lines)
    scale = min(INCHES_PER_PX, MOST_WIDTH / widest, MOST_GRAPH_HEIGHT / highest)
    width = max(LEAST_WIDTH, widest * scale)
    for line in lines:
        draw = partial(
            _draw_line,
            graph=graph,
            layout=layout,
            texts=(values, gradients),
            line=line,
            scale=scale,
            current=current,
        )
        blocks.append(((line.bottom - line.top) * scale, draw))
    panels, too_many = _panels(steps, most_panels)
    left_out += too_many
    columns = min(len(panels), PANELS_IN_A_ROW)
    width = max(width, columns * LEAST_PANEL_WIDTH)
    for first in range(0, len(panels), PANELS_IN_A_ROW):
        row = panels[first : first + PANELS_IN_A_ROW]
        pictures = any(panel.local for panel in row)
        draw = partial(_draw_row, row=row, columns=columns)
        blocks.append((PANEL_HEIGHT if pictures else 3 * TEXT_ROW, draw))
    if left_out:
        sentence = (
            WORDS("still_more", count=f"{left_out:,}") if left_out > 1 else WORDS("still_more_one")
        )
        blocks.append((TEXT_ROW, partial(_draw_note, text=sentence)))

    top = sum(height for height, _ in blocks) + MARGIN
    figure = Figure(figsize=(width + 2 * MARGIN, top + MARGIN), facecolor=PAPER)
    with own_style():
        for height, draw_block in blocks:
            top -= height
            draw_block(_Region(figure, MARGIN, top, width, height))
    return figure


def _draw_note(region: _Region, text: str) -> None:
    region.write(0.15, text)


# --- the graph ----------------------------------------------------------------------------------


class _Line(NamedTuple):
    """A part of the layout's drawing, px."""

    left: float
    top: float
    right: float
    bottom: float


def _lines(layout: GraphLayout) -> list[_Line]:
    """Break a drawing between columns of boxes into few lines of about one length."""
    boxes = (*layout.variables, *layout.functions)
    spans = sorted((box.x, box.x + box.width) for box in boxes)
    breaks, reach = [], spans[0][1]
    for left, right in spans:
        if left > reach:
            breaks.append((reach + left) / 2)
        reach = max(reach, right)
    most = max(MOST_WIDTH / INCHES_PER_PX, layout.width / MOST_LINES)
    number = len(_starts(breaks, most, layout.width))
    length = layout.width / number
    while len(_starts(breaks, length, layout.width)) > number:
        length *= 1.05
    starts = _starts(breaks, length, layout.width)
    lines = []
    for left, right in zip(starts, [*starts[1:], layout.width], strict=True):
        heights = [y for box in boxes if left <= box.x < right for y in (box.y, box.y + box.height)]
        for edge in layout.edges:
            points = edge.points
            for piece in (points[k : k + 4] for k in range(0, len(points) - 1, 3)):
                if piece[0][0] < right and piece[-1][0] > left:
                    heights += [y for _, y in piece]
        lines.append(_Line(left, min(heights) - SPACE, right, max(heights) + SPACE))
    return lines


def _starts(breaks: Sequence[float], length: float, end: float) -> list[float]:
    """Begin a new line at the last break before one would get longer than `length`."""
    starts = [0.0]
    for here, following in zip(breaks, [*breaks[1:], end], strict=True):
        if following - starts[-1] > length:
            starts.append(here)
    return starts


def _draw_line(
    region: _Region,
    graph: Graph,
    layout: GraphLayout,
    texts: tuple[Sequence[str], Sequence[str | None]],
    line: _Line,
    scale: float,
    current: int | None,
) -> None:
    """Draw one part of the graph at `scale` inches per px."""
    left, top, right, bottom = line
    alone = right - left == layout.width
    indent = (region.width - (right - left) * scale) / 2 if alone else 0.0
    axes = region._replace(left=region.left + indent, width=(right - left) * scale).axes()
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    stroke = scale / INCHES_PER_PX
    for edge in layout.edges:
        if edge.points[0][0] < right and edge.points[-1][0] > left:
            _draw_edge(axes, edge, 1.2 * stroke)
    size = 13 * 72 * scale
    for function, box in zip(graph.functions, layout.functions, strict=True):
        if left <= box.x < right:
            edge_look = (
                (DARK_VERMILION, 3 * stroke) if function.index == current else (GREY, stroke)
            )
            _draw_box(axes, box, box.height / 2, FUNCTION_FILL, *edge_look)
            _write_row(axes, box, 0.5, drawable(function.label, "function"), size)
    for variable, box, value, gradient in zip(
        graph.variables, layout.variables, *texts, strict=True
    ):
        if left <= box.x < right:
            _draw_box(axes, box, 5, FILLS[variable.kind], GREY, stroke)
            name = drawable(variable.name, f"variable {variable.index + 1}")
            down = 0.21 if value else 0.5
            _write_row(axes, box, down, name, size, fontweight="bold")
            _write_row(axes, box, 0.5, drawable(value, "…") if value != name else "", size)
            if variable.kind == "constant":
                _write_row(axes, box, 0.79, WORDS("box_constant"), size)
            elif gradient != "":
                _write_row(axes, box, 0.79, _arrived(gradient), size, color=DARK_VERMILION)


def _arrived(gradient: str | None) -> str:
    return WORDS("box_arrived", value=gradient or "—")


def _draw_box(axes: Axes, box: Box, radius: float, fill: str, edge: str, stroke: float) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (box.x, box.y),
            box.width,
            box.height,
            boxstyle=f"round,pad=0,rounding_size={radius}",
            facecolor=fill,
            edgecolor=edge,
            linewidth=stroke,
        )
    )


def _write_row(axes: Axes, box: Box, down: float, text: str, size: float, **look: Any) -> None:
    """Write a row of a box, so far down as `down` says, as a fraction of its height."""
    axes.text(
        box.x + box.width / 2,
        box.y + box.height * down,
        text,
        fontsize=size,
        horizontalalignment="center",
        verticalalignment="center_baseline",
        parse_math=False,
        **{"color": INK, **look},
    )


def _draw_edge(axes: Axes, edge: EdgePath, stroke: float) -> None:
    curve = Curve(edge.points, [Curve.MOVETO, *[Curve.CURVE4] * (len(edge.points) - 1)])
    axes.add_patch(PathPatch(curve, fill=False, edgecolor=GREY, linewidth=stroke))
    x, y = edge.points[-1]
    head = [(x, y), (x - 7, y - 3), (x - 7, y + 3)]
    axes.add_patch(Polygon(head, facecolor=GREY, linewidth=0))


# --- the steps ----------------------------------------------------------------------------------


def _panels(steps: Sequence[StillStep], most: int) -> tuple[list[_Panel], int]:
    """Divide the first steps into panels; also tell how many steps are left out."""
    panels: list[_Panel] = []
    for number, step in enumerate(steps):
        pictures = tuple(local for local in step.locals_ if local is not None) or (None,)
        equations = step.equation.splitlines()
        if len(equations) != len(pictures):
            equations = ["; ".join(equations), *[""] * (len(pictures) - 1)]
        if panels and len(panels) + len(pictures) > most:
            return panels, len(steps) - number
        panels += [_Panel(step.heading, *rest) for rest in zip(equations, pictures, strict=True)]
    return panels[:most], 0


def _draw_row(region: _Region, row: Sequence[_Panel], columns: int) -> None:
    width = min(region.width / columns, MOST_PANEL_WIDTH)
    for column, panel in enumerate(row):
        cell = region._replace(left=region.left + column * width, width=width - MARGIN)
        words = (drawable(word, "function", 30) for word in panel.heading.split(" "))
        cell.write(0.25, " ".join(words), fontweight="bold")
        cell.write(0.43, panel.equation)
        if panel.local is not None:
            plot = cell._replace(
                left=cell.left + PLOT_LEFT,
                bottom=cell.bottom + PLOT_BOTTOM,
                width=cell.width - PLOT_LEFT - (BAR if panel.local.kind == "jacobian" else 0),
                height=cell.height - PLOT_BOTTOM - PLOT_TOP,
            )
            drawn = new_panel(plot.axes(), panel.local, WORDS, size=8)
            show_local(drawn, panel.local, WORDS)


# --- files --------------------------------------------------------------------------------------


def image_of(figure: Figure, dpi: float) -> Image.Image:
    """Draw a figure as an image of red, green and blue."""
    drawn = io.BytesIO()
    with own_style():
        figure.savefig(drawn, format="rgba", dpi=dpi)
    size = (figure.get_size_inches() * dpi).astype(int)
    return Image.frombytes("RGBA", (size[0], size[1]), drawn.getvalue()).convert("RGB")


def below_each_other(titled: Sequence[tuple[str, bytes]]) -> bytes:
    """Put several still pictures into one, each under its title.

    Parameters
    ----------
    titled
        Titles and PNGs.
    """
    images = []
    for title, png in titled:
        image = Image.open(io.BytesIO(png)).convert("RGB")
        images += [_title_row(title, max(image.width, 1)), image]
    width, height = max(image.width for image in images), sum(image.height for image in images)
    whole = Image.new("RGB", (width, height), PAPER)
    down = 0
    for image in images:
        whole.paste(image, (0, down))
        down += image.height
    return _written(whole, DPI, MOST_BYTES * len(titled))


def _title_row(title: str, width: int) -> Image.Image:
    figure = Figure((width / DPI, TITLE_ROW), facecolor=PAPER)
    with own_style():
        words = (drawable(word, "…", len(word) + 1) for word in title.split(" "))
        text = shorten(" ".join(words), width * 13 // DPI)
    region = _Region(figure, MARGIN, 0, width / DPI, TITLE_ROW)
    region.write(0.2, text, weight="bold")
    return image_of(figure, DPI)


def with_palette(image: Image.Image) -> Image.Image:
    """Return an image with 64 colours: for the same image the same."""
    return image.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def png_of(figure: Figure, dpi: float = DPI, most_bytes: int | None = MOST_BYTES) -> bytes:
    """Write a figure as PNG with a palette: for the same figure the same bytes.

    What would take more than `most_bytes` is made smaller, down to half of `dpi`.
    """
    return _written(image_of(figure, dpi), dpi, most_bytes)


def _written(full: Image.Image, dpi: float, most_bytes: int | None) -> bytes:
    for scale in (1.0, 0.85, 0.7, 0.6, 0.5):
        size = (round(full.width * scale), round(full.height * scale))
        image = with_palette(full if scale == 1 else full.resize(size, Image.Resampling.LANCZOS))
        written = io.BytesIO()
        image.save(written, format="PNG", optimize=True, dpi=(dpi * scale, dpi * scale))
        if most_bytes is None or written.tell() <= most_bytes:
            break
    return written.getvalue()


def save_figure(figure: Figure, path: Path) -> None:
    """Save a figure as .png, .svg or .pdf: for the same figure the same bytes."""
    ending = path.suffix.lower()
    if ending == ".png":
        path.write_bytes(png_of(figure, dpi=200, most_bytes=None))
    elif ending == ".svg":
        path.write_text(svg_of(figure), encoding="utf-8")
    else:
        nothing = dict.fromkeys(("CreationDate", "Creator", "Producer"))
        with own_style():
            figure.savefig(path, format="pdf", metadata=nothing)
