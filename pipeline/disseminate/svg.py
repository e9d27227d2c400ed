"""From Matplotlib's SVG to one that can stand in a page: no style sheet, no free ids."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, tostring

from defusedxml.ElementTree import fromstring

from pipeline.disseminate.fonts import FAMILY

NUMBER = "number:"
"""Prefix of the id of a drawn text that is a published number; what follows is its number id."""
SCALE = "scale"
"""Id of a drawn text that is the scale of an axis."""

_KEPT_STYLES = {
    "fill",
    "fill-opacity",
    "stroke",
    "stroke-dasharray",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-width",
    "text-anchor",
}
_SIZE = re.compile(r"([\d.]+)px")
_BOLD = re.compile(r"\b600\b")
_REFERENCE = re.compile(r"url\(#(.+?)\)")


def embeddable(source: bytes, *, prefix: str, alt: str) -> str:
    """An SVG drawing as an image with alt text whose ids begin with a prefix.

    Style declarations become attributes, so that a page needs no inline style and can set other
    colours; published numbers carry their id as `data-number`.
    """
    root: Element = fromstring(source)
    for parent in root.iter():
        parent.tag = _local(parent.tag)
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:
                parent.remove(child)
    for element in root.iter():
        _flatten(element, prefix)
    view = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": view,
            "role": "img",
            "aria-label": alt,
            "stroke-linejoin": "round",
        }
    )
    return tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _flatten(element: Element, prefix: str) -> None:
    style = element.attrib.pop("style", "")
    declared = [part.partition(":") for part in style.split(";")]
    for name, _, value in declared:
        if name.strip() in _KEPT_STYLES:
            element.set(name.strip(), value.strip())
    if element.tag == "text":
        element.set("font-family", FAMILY)
        if size := _SIZE.search(style):
            element.set("font-size", size.group(1))
        if _BOLD.search(style):
            element.set("font-weight", "600")
    for name in list(element.attrib):
        value = element.attrib.pop(name)
        value = _REFERENCE.sub(rf"url(#{prefix}-\1)", value)
        if _local(name) == "href":
            value = f"#{prefix}-{value[1:]}"
        element.set(_local(name), value)
    identity = element.attrib.pop("id", "")
    if identity.startswith(NUMBER):
        element.attrib.update({"class": "num", "data-number": identity.removeprefix(NUMBER)})
    elif identity == SCALE:
        element.set("class", SCALE)
    elif element.tag in {"path", "clipPath"} and identity:
        element.set("id", f"{prefix}-{identity}")
