"""One Axes with a function's curve, its elements as points, and the tangent at one of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from ipygrad.show.figures import (
    BLUE,
    DARK_GREEN,
    DARK_VERMILION,
    GREEN,
    GREY,
    INK,
    PAPER,
    VERMILION,
    signed,
)
from ipygrad.show.sizes import shorten
from ipygrad.show.view import finite_slope, view, without_jumps

if TYPE_CHECKING:
    from typing import Any

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from ipygrad.engine.core import Array
    from ipygrad.explain.marks import Mark
    from ipygrad.explain.words import Words

TANGENT_LENGTH = 0.62
"""Length of the drawn tangent, as a fraction of the axes, whatever the slope."""
MOST_MARKERS = 120
"""More points would take more bytes than all the rest; they become cells of a small image."""
MOST_POINTS = 2000
"""Of more points than that a cell is the darker the more of them are in it."""
POINT, BIN = 3.5, 4
"""Side of a cell for points, and for their density, in pt."""
DARK_BLUE = "#003f66"
DENSITY = LinearSegmentedColormap.from_list("density", ["#cfe3f1", DARK_BLUE]).with_extremes(
    bad=(1, 1, 1, 0)
)


class Drawing(NamedTuple):
    """What a panel shows.

    Attributes
    ----------
    u, f
        The curve, shape (n,), nan in gaps.
    point
        Where the function was called.
    slope
        Of the tangent; nan for none.
    measured
        Of a second tangent; nan for none.
    dots
        All elements: their inputs and outputs, shape (m,) each; empty for a number.
    element
        Index of the element that the tangent belongs to; empty for a number.
    marks
        Kinks, jumps and poles.
    """

    u: Array
    f: Array
    point: tuple[float, float]
    slope: float = math.nan
    measured: float = math.nan
    dots: tuple[Array, Array] = (np.empty(0), np.empty(0))
    element: str = ""
    marks: tuple[Mark, ...] = ()


class CurvePanel:
    """One Axes with a curve, a point and, if `tangent`, the tangent there and its slope in figures.

    The artists are made once and set to one drawing after another. `size` is that of the letters,
    in pt; lines and points go with it.
    """

    def __init__(self, axes: Axes, words: Words, *, tangent: bool, size: float = 10) -> None:
        self.axes = axes
        self._words = words
        scale = size / 10
        blank = np.full((1, 1), np.nan)
        axes.set_autoscale_on(False)
        self.density = axes.imshow(blank, cmap=DENSITY, aspect="auto", interpolation="none")
        self.curve = self._line("curve", color=BLUE, linewidth=2.4 * scale)
        self.here = axes.axvline(0, color=GREY, linewidth=0.8, linestyle=":", zorder=0.5)
        across = axes.get_xaxis_transform()
        self.walls = self._line(
            "walls", transform=across, color=INK, linewidth=0.8, linestyle=(0, (5, 3)), zorder=0.6
        )
        self.dots = self._line(
            "dots", marker="o", linestyle="", color=DARK_BLUE, markersize=6 * scale, zorder=2.1
        )
        self.dots.set(markeredgecolor=PAPER, markeredgewidth=0.6 * scale)
        self.kinks = self._line(
            "kinks", marker="D", linestyle="", color=INK, markersize=6 * scale, zorder=2.2
        )
        self.kinks.set(markerfacecolor=PAPER, markeredgewidth=1.2 * scale)
        dashed = {"linewidth": 2.2 * scale, "zorder": 2.3}
        self.measured = self._line("measured", color=GREEN, linestyle=(0, (1, 1.2)), **dashed)
        self.tangent = self._line("tangent", color=VERMILION, linestyle=(0, (4, 2)), **dashed)
        self.point = self._line("point", marker="o", color=VERMILION, markersize=9 * scale)
        self.point.set(markeredgecolor=PAPER, markeredgewidth=1.5 * scale, zorder=2.4)
        self.slope = self._label(DARK_VERMILION, size)
        self.measured_slope = self._label(DARK_GREEN, size)
        self.message = axes.text(
            0.5, 0.5, "", transform=axes.transAxes, ha="center", va="center", color=INK
        )
        self._offset = 0.9 * size
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

    def _line(self, gid: str, **look: Any) -> Any:
        (line,) = self.axes.plot([], [], gid=gid, **look)
        return line

    def _label(self, color: str, size: float) -> Annotation:
        label = self.axes.annotate(
            "", (0, 0), (0, 0), textcoords="offset points", color=color, fontsize=size, zorder=4
        )
        label.set_bbox({"facecolor": PAPER, "alpha": 0.8, "edgecolor": "none", "pad": 1})
        return label

    def name_axes(self, x: str, y: str) -> None:
        """Set the labels, cut to the width of the axes."""
        # Not through the axes, which would put them back to where matplotlib has them.
        self.axes.xaxis.set_label_text(shorten(x, self._columns))
        self.axes.yaxis.set_label_text(shorten(y, self._columns))

    def leave_empty(self, reason: str) -> None:
        """Show a few words instead of a curve."""
        for line in (self.curve, self.tangent, self.measured, self.point, self.dots):
            line.set_data([], [])
        for line in (self.walls, self.kinks):
            line.set_data([], [])
        self.slope.set_text("")
        self.measured_slope.set_text("")
        self.density.set_visible(False)
        self.here.set_visible(False)
        self.message.set_text(reason)
        self.axes.set_axis_off()

    def show(self, drawing: Drawing) -> None:
        """Set the curve, the points and the tangents; what is not finite is left out."""
        u, f, (x, y) = drawing.u, drawing.f, drawing.point
        xs, ys = _finite_pairs(*drawing.dots)
        defined = f[np.isfinite(f)]
        self.leave_empty("")
        if not (u.size or xs.size) or not (math.isfinite(y) or defined.size or ys.size):
            self.message.set_text(self._words("plot_no_curve_around", value=signed(x)))
            return
        self.axes.set_axis_on()
        self.here.set_visible(math.isfinite(x))
        slopes = [s for s in (drawing.slope, drawing.measured) if not math.isnan(s)]
        has_tangent = self._has_tangent and math.isfinite(y) and bool(slopes)
        below = has_tangent and _curves_up(u, f, x, y, slopes[0])
        room = self._slope_room if has_tangent else 0.0
        low, high = view(defined, ys, y, room if below else 0.0, 0.0 if below else room)
        left, right = _reach(u, xs, x)
        self.axes.set(xlim=(left, right), ylim=(low, high))
        walls = [mark.where for mark in drawing.marks if mark.kind in ("jump", "pole")]
        self.walls.set_data(np.repeat(walls, 3), np.tile([0, 1, np.nan], len(walls)))
        self.curve.set_data(*without_jumps(u, f, low, high, walls))
        self.here.set_xdata([x, x])
        self._show_dots(xs, ys, (left, right, low, high))
        kinks = [mark.where for mark in drawing.marks if mark.kind == "kink"]
        self.kinks.set_data(kinks, np.interp(kinks, u, f) if kinks else [])
        if math.isfinite(y):
            self.point.set_data([x], [y])
        if has_tangent:
            self._show_tangents(drawing, (right - left, high - low), below)

    def _show_dots(self, xs: Array, ys: Array, extent: tuple[float, float, float, float]) -> None:
        if xs.size <= MOST_MARKERS:
            self.dots.set_data(xs, ys)
            return
        left, right, low, high = extent
        is_density = xs.size > MOST_POINTS
        side = (BIN if is_density else POINT) / 72 * self.axes.figure.dpi
        bins = [int(length / side) + 1 for length in (self.axes.bbox.height, self.axes.bbox.width)]
        counts, _, _ = np.histogram2d(ys, xs, bins, [[low, high], [left, right]])
        levels = np.ceil(np.log2(counts + 1)) if is_density else np.sign(counts)
        self.density.set_data(np.where(levels > 0, levels, np.nan)[::-1])
        self.density.set(extent=extent, clim=(0, levels.max()), visible=True)
        self.density.set_zorder(0 if is_density else self.dots.get_zorder())

    def _show_tangents(self, drawing: Drawing, size: tuple[float, float], below: bool) -> None:
        x, y = drawing.point
        to_right = below == (drawing.slope >= 0)
        key = "plot_slope_at" if drawing.element else "plot_slope"
        text = self._words(key, slope=signed(drawing.slope), element=drawing.element)
        self._show_tangent(self.tangent, self.slope, text, (x, y), drawing.slope, size)
        self._place(self.slope, below, to_right)
        text = self._words("plot_measured", slope=signed(drawing.measured))
        self._show_tangent(self.measured, self.measured_slope, text, (x, y), drawing.measured, size)
        self._place(self.measured_slope, below, not to_right)

    def _show_tangent(
        self,
        line: Any,
        label: Annotation,
        text: str,
        point: tuple[float, float],
        slope: float,
        size: tuple[float, float],
    ) -> None:
        if math.isnan(slope):
            return
        (x, y), (width, height) = point, size
        steep = finite_slope(slope)
        reach = TANGENT_LENGTH / 2 / math.hypot(1 / width, steep / height)
        line.set_data([x - reach, x + reach], [y - steep * reach, y + steep * reach])
        label.set_text(text)
        label.xy = point

    def _place(self, label: Annotation, below: bool, to_right: bool) -> None:
        """Put a label beside the point, as far away as the edge of the axes lets it be."""
        left, right = self.axes.get_xlim()
        across = (label.xy[0] - left) / (right - left) * self.axes.bbox.width
        across *= 72 / self.axes.figure.dpi
        width = 0.6 * self._offset / 0.9 * len(label.get_text())
        room = (self.axes.bbox.width * 72 / self.axes.figure.dpi - across) if to_right else across
        offset = min(self._offset, room - width)
        label.set(
            x=offset if to_right else -offset,
            y=-self._offset if below else self._offset,
            horizontalalignment="left" if to_right else "right",
            verticalalignment="top" if below else "bottom",
        )


def _finite_pairs(xs: Array, ys: Array) -> tuple[Array, Array]:
    both = np.isfinite(xs) & np.isfinite(ys)
    return xs[both], ys[both]


def _reach(u: Array, xs: Array, x: float) -> tuple[float, float]:
    """Return the limits of the x axis: the curve's, or else around the points."""
    if u.size and u[-1] > u[0]:
        return float(u[0]), float(u[-1])
    ends = [*xs.tolist()] if xs.size else [x]
    around = 0.1 * (max(ends) - min(ends)) or 1.0
    return min(ends) - around, max(ends) + around


def _curves_up(u: Array, f: Array, x: float, y: float, slope: float) -> bool:
    """Tell whether most of the curve lies above its tangent: then below is room for a label."""
    with np.errstate(all="ignore"):
        above = np.sign(f - (y + finite_slope(slope) * (u - x)))
    return bool(np.nansum(above) >= 0)
