"""From a figure to the same bytes every time: SVG for the page, SVG and PNG for the folder."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from sim.report.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 150
_XLINK = "http://www.w3.org/1999/xlink"
_DARKENS = {
    style.BLUE: "--blue",
    style.INK: "--ink",
    style.MUTED: "--muted",
    style.GRID: "--grid",
    style.PAPER: "--card",
    style.LAND: "--land",
    style.OWN_LAND: "--own-land",
    style.SEA: "--sea",
    style.WATER: "--water",
    style.EDGE: "--edge",
    style.BLANK: "--blank",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure in the forms that are kept."""

    svg: str  # a file of its own
    inline: str  # to stand in a page: its ids are its own, its neutral colours are the page's
    png: bytes


def drawn(figure: Figure, key: str, title: str, description: str) -> Drawn:
    """Save a figure; *key* keeps its ids apart from those of others on the same page."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    raw = text.getvalue()
    head = raw.index("<svg")
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", raw[head:], count=1, flags=re.DOTALL)
    body = body.rstrip()
    body = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', body)
    body = re.sub(r'(href="|url\()#', rf"\g<1>#{key}-", body)
    opening = body[: body.index(">") + 1]
    named = f'{opening[:-1]} role="img" aria-labelledby="{key}-title {key}-desc">'
    words = (
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
    )
    body = named + words + body[len(opening) :]
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=DPI, metadata={"Software": None})
    return Drawn(
        svg=f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n',
        inline=_inline(body, opening),
        png=image.getvalue(),
    )


def _inline(body: str, opening: str) -> str:
    """As wide as the page, in its type; ink, paper and land in colours that follow the light."""
    box = re.search(r'viewBox="[^"]+"', opening)
    assert box is not None
    start = body.index(">") + 1
    role = re.search(r'role="img" aria-labelledby="[^"]+"', body)
    assert role is not None
    rest = body[start:]
    rest = re.sub(
        r"font: ((?:[a-z]+ |[0-9]{3} )*)([0-9.]+)px [^;\"]+", r"font: \1\2px var(--figure-type)", rest
    )
    rest = re.sub(r"font-family: [^;\"]+", "font-family: var(--figure-type)", rest)
    for colour, name in _DARKENS.items():
        rest = rest.replace(colour, f"var({name})")
    return f'<svg xmlns:xlink="{_XLINK}" {box[0]} {role[0]}>{rest}'
