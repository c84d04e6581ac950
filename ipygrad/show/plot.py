"""Pictures of local derivatives: a function's curve with its tangent, and its derivative below.

Everything is drawn on `matplotlib.figure.Figure` objects, never through pyplot, so nobody's current
figure changes. The artists of a panel are made once and can be set to one local derivative after
another; see `StepPainter`.
"""

from __future__ import annotations

import io
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ipygrad.explain.numbers import short
from ipygrad.show.layout import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

    from ipygrad.explain.local import LocalDerivative

# Okabe and Ito's colours, which people who see few colours can tell apart.
BLUE, VERMILION = "#0072b2", "#d55e00"
# For letters, which need a contrast of 4.5 to 1, on the tint of a result's box as well.
DARK_VERMILION = "#a34600"
INK, GREY, PAPER = "#1f1f1f", "#8c8c8c", "#ffffff"

TANGENT_LENGTH = 0.62
"""Length of the drawn tangent, as a fraction of the axes, whatever the slope."""
STEEPEST = 24
"""A rise of so many heights of the view over its width is a jump, not a curve."""

# Sizes in inches: of a column, and of the parts of a column.
WIDTH_ALONE, WIDTH_BESIDE_OTHERS, HEIGHT = 4.2, 3.3, 3.7
LEFT, RIGHT, TOP, BOTTOM, BETWEEN, LOWER = 0.6, 0.14, 0.34, 0.5, 0.42, 0.85


def own_style() -> AbstractContextManager[None]:
    """Give matplotlib the settings that the pictures need, whatever the user's are, for a while."""
    # The backend is the one setting that matplotlib would not put back.
    defaults: Any = {k: v for k, v in mpl.rcParamsDefault.items() if k != "backend"}
    return mpl.rc_context(
        {
            **defaults,
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "svg.fonttype": "none",
            "svg.hashsalt": "ipygrad",
        }
    )


def drawable(text: str, otherwise: str, columns: int = 18) -> str:
    """Return `text`, cut to a number of columns, or `otherwise` if the font lacks a letter.

    The font is the one of the settings in force: a user who has one with Hangul gets Hangul.
    """
    glyphs = _glyphs(font_manager.findfont(font_manager.FontProperties()))
    return shorten(text, columns) if glyphs.issuperset(map(ord, text)) else otherwise


@lru_cache(maxsize=4)
def _glyphs(font: str) -> frozenset[int]:
    return frozenset(font_manager.get_font(font).get_charmap())


def _number(number: float) -> str:
    return short(number).replace("-", "\N{MINUS SIGN}")


class CurvePanel:
    """One Axes with a curve, a point and, if `tangent`, the tangent there and its slope in figures.

    `size` is that of the letters, in pt; lines and point go with it.
    """

    def __init__(self, axes: Axes, *, tangent: bool, size: float = 10) -> None:
        self.axes = axes
        scale = size / 10
        (self.curve,) = axes.plot([], [], color=BLUE, linewidth=2.4 * scale)
        self.here = axes.axvline(0, color=GREY, linewidth=0.8, linestyle=":", zorder=0.5)
        (self.tangent,) = axes.plot(
            [], [], color=VERMILION, linewidth=2.2 * scale, linestyle=(0, (4, 2))
        )
        (self.point,) = axes.plot(
            [],
            [],
            "o",
            color=VERMILION,
            markersize=9 * scale,
            markeredgecolor=PAPER,
            markeredgewidth=1.5 * scale,
        )
        self.slope = axes.annotate(
            "",
            (0, 0),
            (0, 0),
            textcoords="offset points",
            color=DARK_VERMILION,
            fontsize=size,
            zorder=4,
        )
        self.slope.set_bbox({"facecolor": PAPER, "alpha": 0.8, "edgecolor": "none", "pad": 1})
        self.message = axes.text(
            0.5, 0.5, "", transform=axes.transAxes, ha="center", va="center", color=INK
        )
        self._slope_offset = 0.9 * size
        letter = size / 72 * axes.figure.dpi
        self._slope_room = min(0.4, 2.6 * letter / axes.bbox.height)
        self._columns = int(axes.bbox.width / (0.6 * letter))
        self._has_tangent = tangent
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(colors=INK, labelsize=0.9 * size, color=GREY, length=3)
        for axis, ticks in ((axes.xaxis, 4), (axes.yaxis, 4 if tangent else 3)):
            axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10], min_n_ticks=ticks - 1))
            axis.offsetText.set_fontsize(0.9 * size)
            axis.label.set(fontsize=size, color=INK, parse_math=False)
        # Beside the axis a long name would have no room, and one would have to tilt one's head.
        axes.yaxis.label.set(rotation=0, horizontalalignment="left", verticalalignment="bottom")
        axes.yaxis.set_label_coords(0, 1.04)
        axes.yaxis.set_offset_position("right")

    def name_axes(self, x: str, y: str) -> None:
        """Set the labels, cut to the width of the axes."""
        # Not through the axes, which would put them back to where matplotlib has them.
        self.axes.xaxis.set_label_text(shorten(x, self._columns))
        self.axes.yaxis.set_label_text(shorten(y, self._columns))

    def leave_empty(self, reason: str) -> None:
        """Show a few words instead of a curve."""
        for artist in (self.curve, self.tangent, self.point):
            artist.set_data([], [])
        self.slope.set_text("")
        self.here.set_visible(False)
        self.message.set_text(reason)
        self.axes.set_axis_off()

    def show(
        self, u: np.ndarray, f: np.ndarray, point: tuple[float, float], slope: float = math.nan
    ) -> None:
        """Set the curve f(u), the point and its tangent's slope; what is not finite is left out."""
        x, y = point
        finite = np.isfinite(f)
        self.leave_empty("")
        if not u.size or not (math.isfinite(y) or finite.any()):
            self.message.set_text(f"no curve around {_number(x)}")
            return
        self.axes.set_axis_on()
        self.here.set_visible(True)
        has_tangent = self._has_tangent and math.isfinite(y) and not math.isnan(slope)
        below = has_tangent and _curves_up(u, f, x, y, slope)
        room = self._slope_room if has_tangent else 0.0
        low, high = _view(f[finite], y, room if below else 0.0, 0.0 if below else room)
        self.axes.set_ylim(low, high)
        left, right = (u[0], u[-1]) if u[-1] > u[0] else (x - 1, x + 1)
        self.axes.set_xlim(left, right)
        self.curve.set_data(*_without_jumps(u, f, low, high))
        self.here.set_xdata([x, x])
        if math.isfinite(y):
            self.point.set_data([x], [y])
        if has_tangent:
            self._show_tangent(x, y, slope, (right - left, high - low), below)

    def _show_tangent(
        self, x: float, y: float, slope: float, size: tuple[float, float], below: bool
    ) -> None:
        width, height = size
        steep = _finite(slope)
        reach = TANGENT_LENGTH / 2 / math.hypot(1 / width, steep / height)
        self.tangent.set_data([x - reach, x + reach], [y - steep * reach, y + steep * reach])
        self.slope.set_text(f"slope {_number(slope)}")
        self.slope.xy = (x, y)
        to_right = below == (slope >= 0)
        self.slope.set(
            x=self._slope_offset if to_right else -self._slope_offset,
            y=-self._slope_offset if below else self._slope_offset,
            horizontalalignment="left" if to_right else "right",
            verticalalignment="top" if below else "bottom",
        )


def _finite(slope: float) -> float:
    """Replace an infinite slope by one that is drawn as a vertical line."""
    return math.copysign(1e300, slope) if math.isinf(slope) else slope


def _curves_up(u: np.ndarray, f: np.ndarray, x: float, y: float, slope: float) -> bool:
    """Tell whether most of the curve lies above its tangent: then below is room for a label."""
    with np.errstate(all="ignore"):
        above = np.sign(f - (y + _finite(slope) * (u - x)))
    return bool(np.nansum(above) >= 0)


def _view(f: np.ndarray, y: float, room_below: float, room_above: float) -> tuple[float, float]:
    """Choose limits of the y axis: all of the curve, but for a few samples far from the others.

    Parameters
    ----------
    f
        The curve, without gaps.
    y
        A value that has to be in view, unless it is not finite.
    room_below, room_above
        How much of the view must be left free below and above y, as a fraction.
    """
    # Limits are added and scaled: near the largest float that would overflow.
    f = np.clip(f if f.size else np.array([y]), -1e300, 1e300)
    low, high = float(f.min()), float(f.max())
    most_low, most_high = np.quantile(f, (0.1, 0.9)).tolist()
    most = most_high - most_low
    if 0 < 3 * most < high - low:
        low, high = max(low, most_low - most / 2), min(high, most_high + most / 2)
    if math.isfinite(y):
        low, high = min(low, y), max(high, y)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        around = abs(high) / 2 or 0.5
        low, high = low - around, high + around
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    if math.isfinite(y):
        low = min(low, (y - room_below * high) / (1 - room_below))
        high = max(high, (y - room_above * low) / (1 - room_above))
    return low, high


def _without_jumps(
    u: np.ndarray, f: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Put a gap where the curve steps, and where it leaves the view above to return below."""
    inside = np.clip(f, low, high)
    outside = f != inside
    jumps = np.abs(np.diff(inside / (high - low))) > STEEPEST / u.size
    at = np.flatnonzero(jumps & (outside[1:] == outside[:-1])) + 1
    return np.insert(u, at, np.nan), np.insert(f, at, np.nan)


def _names(local: LocalDerivative) -> tuple[str, str, str]:
    """Give the labels of the x axis, of the curve and of the derivative."""
    x = drawable(local.x_name, "input")
    y = drawable(local.y_name, "output")
    arguments = ["…"] * local.arity
    arguments[local.argnum] = x
    call = f"{drawable(local.label, 'function')}({', '.join(arguments)})"
    d = "d" if local.arity == 1 else "∂"
    dy, dx = (
        f"{d}{name}" if name == given and name.isidentifier() else f"{d}({name})"
        for name, given in ((y, local.y_name), (x, local.x_name))
    )
    # The name of an unnamed output is the call itself, spelled out.
    return x, f"{y} = {call}" if local.y_name.isidentifier() else call, f"{dy}/{dx}"


def show_curve(panel: CurvePanel, local: LocalDerivative | None) -> None:
    """Set a panel to a function's curve, named on both axes; None for an input that has none."""
    if local is None:
        panel.leave_empty("no curve")
        return
    x_label, curve_label, _ = _names(local)
    panel.name_axes(x_label, curve_label)
    panel.show(local.samples.u, local.samples.f, (local.x, local.y), local.slope)


def _show_derivative(panel: CurvePanel, local: LocalDerivative | None) -> None:
    if local is None:
        panel.leave_empty("no curve")
        return
    x_label, _, derivative_label = _names(local)
    panel.name_axes(x_label, derivative_label)
    panel.show(local.samples.u, local.samples.slope, (local.x, local.slope))


class StepPanels:
    """The panels of one step on a figure: a column for each input, curve above derivative."""

    def __init__(self, figure: Figure, columns: int) -> None:
        height = figure.get_figheight()
        upper_bottom = BOTTOM + LOWER + BETWEEN
        self._columns = []
        for column in range(columns):
            lower = _add_axes(figure, column, columns, BOTTOM, LOWER)
            upper = _add_axes(figure, column, columns, upper_bottom, height - upper_bottom - TOP)
            upper.sharex(lower)
            upper.tick_params(labelbottom=False)
            upper.xaxis.label.set_visible(False)
            self._columns.append(
                (CurvePanel(upper, tangent=True), CurvePanel(lower, tangent=False))
            )

    def show(self, locals_: Sequence[LocalDerivative | None]) -> None:
        """Set the columns to the local derivatives of one step."""
        for (upper, lower), local in zip(self._columns, locals_, strict=True):
            show_curve(upper, local)
            _show_derivative(lower, local)


def _add_axes(figure: Figure, column: int, columns: int, bottom: float, height: float) -> Axes:
    """Add Axes to a column of a figure; bottom and height in inches."""
    whole_width, whole_height = figure.get_size_inches()
    width = whole_width / columns
    return figure.add_axes(
        (
            (column * width + LEFT) / whole_width,
            bottom / whole_height,
            (width - LEFT - RIGHT) / whole_width,
            height / whole_height,
        )
    )


def _new_figure(columns: int, height: float) -> Figure:
    width = WIDTH_ALONE if columns == 1 else columns * WIDTH_BESIDE_OTHERS
    return Figure(figsize=(width, height), facecolor=PAPER)


def plot_local_derivative(local: LocalDerivative, *, ax: Axes | None = None) -> Axes:
    """Draw a function's curve near the recorded input, with the point and its tangent.

    Parameters
    ----------
    local
        What to draw.
    ax
        Where to draw; None for a new figure.

    Returns
    -------
    Axes
        `ax`, or the new figure's only axes.
    """
    if ax is not None:
        show_curve(CurvePanel(ax, tangent=True), local)
        return ax
    height = HEIGHT - LOWER - BETWEEN
    with own_style():
        axes = _add_axes(_new_figure(1, height), 0, 1, BOTTOM, height - BOTTOM - TOP)
        show_curve(CurvePanel(axes, tangent=True), local)
    return axes


def draw_step(locals_: Sequence[LocalDerivative | None], *, figure: Figure | None = None) -> Figure:
    """Draw one step: for each input the curve with its tangent and the derivative's curve below.

    Parameters
    ----------
    locals_
        One for each input of the function, at least one; None for an input without a picture.
    figure
        Where to draw, at least 3 inches high; None for a new figure.
    """
    with own_style():
        figure = figure or _new_figure(len(locals_), HEIGHT)
        StepPanels(figure, len(locals_)).show(locals_)
    return figure


class StepPainter:
    """Makes the SVG of one step after another, on one figure for each number of inputs.

    Making the artists would take longer than drawing them; the benchmark of the pictures tells.
    """

    def __init__(self) -> None:
        self._reused: dict[int, tuple[Figure, StepPanels]] = {}

    def svg(self, locals_: Sequence[LocalDerivative | None]) -> str:
        """Return what ``svg_of(draw_step(locals_))`` returns, to the last byte."""
        columns = len(locals_)
        with own_style():
            if columns not in self._reused:
                figure = _new_figure(columns, HEIGHT)
                self._reused[columns] = figure, StepPanels(figure, columns)
            figure, panels = self._reused[columns]
            panels.show(locals_)
        return svg_of(figure)


def svg_of(figure: Figure) -> str:
    """Write a figure as SVG: for the same figure the same text.

    Letters stay letters, in the reader's own sans-serif font; coordinates are rounded to 0.01 pt.
    """
    written = io.StringIO()
    with own_style():
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", metadata=nothing)
    document = written.getvalue()
    document = re.sub(r"<[^<>]*>", _compact_tag, document[document.index("<svg") :])
    return re.sub(r">\s+<", "><", document)


def _compact_tag(match: re.Match[str]) -> str:
    # In SVG, < and > stand nowhere but around tags, so what users named something is not touched.
    tag = re.sub(r"\s+", " ", match[0])
    tag = re.sub(r'^<g id="[^"]*"', "<g", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    tag = tag.replace("'DejaVu Sans', sans-serif", "sans-serif")
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag)


class StepPicture:
    """The plot of one step: it shows itself in a notebook.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    axes : list of matplotlib.axes.Axes
    """

    def __init__(self, figure: Figure, axes: Sequence[Axes]) -> None:
        self.figure = figure
        self.axes = list(axes)

    def __repr__(self) -> str:
        return f"StepPicture({', '.join(axes.get_ylabel() for axes in self.axes)})"

    @np.errstate(all="ignore")
    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        with own_style():
            self.figure.savefig(written, format="png", dpi=110)
        return written.getvalue()


def picture_of_step(locals_: Sequence[LocalDerivative], *, ax: Axes | None = None) -> StepPicture:
    """Draw one step on a figure of its own, or a function of one input into `ax`.

    Raises
    ------
    ValueError
        When there are several inputs but only one `ax`.
    """
    if ax is None:
        figure = draw_step(locals_)
        return StepPicture(figure, figure.axes)
    if len(locals_) > 1:
        raise ValueError(
            f"{locals_[0].label} has {len(locals_)} inputs and needs a plot for each: leave ax "
            "out, or draw one with plot_local_derivative(step.local_derivatives[0], ax=ax)"
        )
    plot_local_derivative(locals_[0], ax=ax)
    return StepPicture(ax.figure.canvas.figure, [ax])
