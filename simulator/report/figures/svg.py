"""How a figure becomes an SVG that can be put into a page. Nothing depends on the clock: equal data, equal bytes."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from simulator.report.figures import style
from simulator.report.numbers import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', sans-serif"
_DECIMALS = re.compile(r"-?\d+\.\d+")


def to_svg(axes: Axes, name: str, title: str, description: str) -> str:
    """The figure as an SVG element with a title and a description for those who cannot see it.

    Identifiers are prefixed with ``name`` (several figures share one page), sizes come from the page, coordinates
    are rounded to hundredths of a pixel. The text is well-formed XML and safe to put into HTML unescaped.
    """
    from matplotlib import rcParams

    figure = axes.get_figure(root=True)
    buffer = io.StringIO()
    rcParams["svg.hashsalt"] = name  # of this drawing; matplotlib's own settings are back after style.styled
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})  # type: ignore[union-attr]
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(buffer.getvalue())
    width, height = style.size_of(axes)
    _tidy(root, name)
    root.attrib.clear()
    root.attrib.update(
        {
            "viewBox": f"0 0 {width:g} {height:g}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
            "style": f"font-family: {_FONT}; stroke-linejoin: round",
        }
    )
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = clean(text)
        root.insert(position, element)
    return ElementTree.tostring(root, encoding="unicode")


def _tidy(root: ElementTree.Element, name: str) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
                parent.remove(child)
    used = {e.attrib[f"{{{_XLINK}}}href"][1:] for e in root.iter() if f"{{{_XLINK}}}href" in e.attrib}
    for element in root.iter():
        attributes = element.attrib
        if "id" in attributes:
            if element.tag == f"{{{_SVG}}}clipPath" or attributes["id"] in used:
                attributes["id"] = f"{name}-{attributes['id']}"
            else:
                del attributes["id"]
        if f"{{{_XLINK}}}href" in attributes:  # plain href: SVG 2, needs no second namespace
            attributes["href"] = f"#{name}-{attributes.pop(f'{{{_XLINK}}}href')[1:]}"
        if "clip-path" in attributes:
            attributes["clip-path"] = attributes["clip-path"].replace("url(#", f"url(#{name}-")
        if "style" in attributes:
            parts = (part.strip() for part in attributes["style"].split(";"))
            attributes["style"] = "; ".join(p for p in parts if p and not p.startswith("font-family"))
        for key in ("d", "transform", "x", "y", "width", "height"):
            if key in attributes:
                attributes[key] = _round(attributes[key])
        if attributes.get("transform", "").startswith("rotate(0 "):
            del attributes["transform"]
        if element.text is not None and not element.text.strip():
            element.text = None
        if element.tail is not None and not element.tail.strip():
            element.tail = None


def _round(text: str) -> str:
    rounded = _DECIMALS.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), " ".join(text.split()))
    return rounded.replace("-0 ", "0 ")
