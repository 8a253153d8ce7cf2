"""Names on a map: each where it covers nothing that must stay visible, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sim.report.figures.style import text_width_pt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.line.earth import FloatArray

Box = tuple[float, float, float, float]  # left, bottom, right, top in points of the axes
BOLD_WIDER = 1.18  # bold letters over plain ones, with something to spare for other fonts
_AROUND = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.8, 0.8), (-0.8, 0.8), (0.8, -0.8), (-0.8, -0.8))


@dataclass(slots=True, kw_only=True)
class Room:
    """What is taken on a map: boxes of names, and points that no name may cover."""

    width_pt: float
    height_pt: float
    points: FloatArray  # (n, 2) in points of the axes
    boxes: list[Box] = field(default_factory=list)

    def is_free(self, box: Box) -> bool:
        """Whether a box lies inside the map and touches nothing."""
        left, bottom, right, top = box
        if left < 2 or bottom < 2 or right > self.width_pt - 2 or top > self.height_pt - 2:
            return False
        if any(left < r and right > le and bottom < t and top > b for le, b, r, t in self.boxes):
            return False
        x, y = self.points[:, 0], self.points[:, 1]
        return not bool(np.any((x > left) & (x < right) & (y > bottom) & (y < top)))

    def place(
        self,
        at_pt: tuple[float, float],
        lines: Sequence[str],
        size: float,
        *,
        gap_pt: float,
        reach: int = 1,
        bold: bool = False,
    ) -> tuple[float, float] | None:
        """The middle of a free box beside a point, which is then taken; None when there is no room."""
        width = max(text_width_pt(line, size) for line in lines) * (BOLD_WIDER if bold else 1.0) + 4
        height = len(lines) * size * 1.2 + 1
        for step in range(reach):
            gap = gap_pt * (1 + step)
            for dx, dy in _AROUND:
                x = at_pt[0] + dx * (width / 2 + gap)
                y = at_pt[1] + dy * (height / 2 + gap)
                box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
                if self.is_free(box):
                    self.boxes.append(box)
                    return (x, y)
        return None


def to_points(ax: Axes, xy: FloatArray) -> FloatArray:
    """Data coordinates (n, 2) in points from the axes' lower left corner."""
    box = ax.get_window_extent()
    scale = 72.0 / ax.figure.dpi
    moved: FloatArray = (np.asarray(ax.transData.transform(xy)) - np.array([box.x0, box.y0])) * scale
    return moved


def room_on(ax: Axes, avoid: FloatArray) -> Room:
    """An empty map with points to be kept visible, given in data coordinates (n, 2)."""
    box = ax.get_window_extent()
    scale = 72.0 / ax.figure.dpi
    return Room(
        width_pt=box.width * scale, height_pt=box.height * scale, points=to_points(ax, avoid).reshape(-1, 2)
    )
