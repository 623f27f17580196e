"""The stack as a drawing: layers to scale in depth, names beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ionstack.report.wording import number, quantity

# Colours of layers in their order (Okabe and Ito's palette, told apart by the colour-blind).
LAYER_COLORS = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#0072b2", "#d55e00")
# In units of the drawing: height of all layers, of an electrode, least of a layer, of a line.
_HEIGHT, _ELECTRODE, _LEAST, _LINE = 320.0, 22.0, 2.0, 18.0


@dataclass(frozen=True)
class Bar:
    """A layer or an electrode: where it is drawn, and the middle of its name beside it."""

    label: str
    color: str
    top: float
    height: float
    label_at: float
    electrode: bool = False

    @property
    def middle(self) -> float:
        """Middle of the bar."""
        return self.top + 0.5 * self.height


@dataclass(frozen=True)
class StackDrawing:
    """Bars from the top, the scale bar (length and what it stands for), the statement of scale."""

    bars: Sequence[Bar]
    height: float
    scale_bar: float
    scale_label: str
    note: str


def stack_drawing(stack: Mapping[str, Any]) -> StackDrawing | None:
    """Draw the stack of a case, or return None where it has no layers of known thickness."""
    layers = stack.get("layers") or ()
    thickness = [float(layer.get("thickness") or 0.0) for layer in layers]
    if not layers or min(thickness) <= 0.0:
        return None
    scale = _HEIGHT / sum(thickness)
    bars = _spread_labels(_bars(stack, thickness, scale))
    bar = _round(0.25 * sum(thickness))
    height = max(bars[-1].top + _ELECTRODE, bars[-1].label_at + _LINE)
    note = _note(stack, thickness, scale)
    return StackDrawing(bars, height, bar * scale, quantity(bar, "m"), note)


def _bars(stack: Mapping[str, Any], thickness: Sequence[float], scale: float) -> list[Bar]:
    top, bottom = stack["top"], stack["bottom"]
    bars = [Bar(_electrode(top), "", 0.0, _ELECTRODE, 0.0, True)]
    position = _ELECTRODE
    for index, (layer, size) in enumerate(zip(stack["layers"], thickness, strict=True)):
        made_of = "" if layer["material"] == layer["name"] else f" ({layer['material']})"
        color = LAYER_COLORS[index % len(LAYER_COLORS)]
        height = max(size * scale, _LEAST)
        label = f"{layer['name']}{made_of}, {quantity(size, 'm')}"
        bars.append(Bar(label, color, position, height, 0.0))
        position += height
    return [*bars, Bar(_electrode(bottom), "", position, _ELECTRODE, 0.0, True)]


def _electrode(contact: Mapping[str, Any]) -> str:
    name, material = contact["name"], contact["material"]
    return f"{name}, electrode" if name == material else f"{name} ({material}), electrode"


def _spread_labels(bars: Sequence[Bar]) -> list[Bar]:
    """Put every name beside its bar, at least a line below the one before."""
    placed: list[Bar] = []
    lowest = 0.0
    for bar in bars:
        at = max(bar.middle, lowest)
        lowest = at + _LINE
        placed.append(Bar(bar.label, bar.color, bar.top, bar.height, at, bar.electrode))
    return placed


def _round(length: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above a length."""
    power = 10.0 ** int(f"{length:e}".split("e")[1])
    return float(max(step for step in (1.0, 2.0, 5.0) if step * power <= length * 1.0001) * power)


def _note(stack: Mapping[str, Any], thickness: Sequence[float], scale: float) -> str:
    lateral = stack["lateral"]
    wide = float(lateral.get("diameter") or lateral.get("width") or 0.0)
    text = f"The depth is to scale ({quantity(sum(thickness), 'm')} in all), electrodes are not."
    if any(size * scale < _LEAST for size in thickness):
        text += " The thinnest layers are drawn thicker than they are."
    if wide > 0.0:
        ratio = number(wide / sum(thickness))
        text += f" The device is {quantity(wide, 'm')} wide, {ratio} times its depth."
    return text
