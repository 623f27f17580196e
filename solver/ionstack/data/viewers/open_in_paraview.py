"""Show the results beside this file in ParaView, the stack drawn apart layer by layer.

paraview --script=open_in_paraview.py
pvbatch open_in_paraview.py --screenshot picture.png

Options of both ways: --array NAME, --size WIDTHxHEIGHT. Written by ionstack for ParaView 5.12 and
later; everything that is particular to these results stands in SCENE.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from paraview import simple as pv

SCENE: dict[str, Any] = {}

# Share of the height of the drawn stack that lies between two layers.
GAP = 0.3
TITLE, TEXT = 20, 18
# Okabe and Ito (2008): told apart with every kind of colour vision.
COLORS = ("0.0 0.45 0.70", "0.84 0.37 0.0", "0.0 0.62 0.45", "0.8 0.47 0.65", "0.9 0.62 0.0")


def folder() -> str:
    """Where this file lies; the window of ParaView does not tell, where it is started counts."""
    told = [globals().get("__file__") or "", *_own_arguments(), os.path.join(os.getcwd(), "here")]
    for path in told:
        place = os.path.dirname(os.path.abspath(path))
        if path and os.path.exists(os.path.join(place, SCENE["files"][0])):
            return place
    raise SystemExit(f"{SCENE['files'][0]} is not here: start ParaView in the folder that holds it")


def _own_arguments() -> list[str]:
    """Scripts that ParaView was started with, where the system tells."""
    try:
        with open("/proc/self/cmdline", encoding="utf-8") as file:
            given = file.read().split("\0")
    except OSError:
        return []
    return [text.split("=", 1)[1] for text in given if text.startswith("--script=")]


def options() -> argparse.Namespace:
    """Return what the command line asks for, ParaView's own arguments passed over."""
    names = [array["name"] for array in SCENE["arrays"]]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--screenshot", metavar="FILE.png")
    parser.add_argument("--array", default=names[0], choices=names)
    parser.add_argument("--size", default="1400x900", metavar="WIDTHxHEIGHT")
    return parser.parse_known_args()[0]


def offsets() -> list[float]:
    """How far down each layer is moved, in drawn units."""
    layers = SCENE["layers"]
    height = (layers[-1]["bottom"] - layers[0]["top"]) * SCENE["scale"] * SCENE["stretch"]
    return [GAP * height * number for number in range(len(layers))]


def layer_source(reader: Any, layer: dict[str, Any], offset: float) -> Any:
    """One layer with the depth stretched, as a body."""
    part = pv.Threshold(Input=reader, Scalars=["CELLS", "region"])
    part.LowerThreshold = part.UpperThreshold = layer["region"]
    across, along = SCENE["scale"], SCENE["scale"] * SCENE["stretch"]
    moved = pv.Transform(Input=part)
    moved.Transform.Translate = [0.0, 0.0, -offset]
    if SCENE["kind"] == "body":
        moved.Transform.Scale = [across, across, -along]
        return pv.ExtractSurface(Input=_halved(moved))
    moved.Transform.Scale = [across, along, 1.0]
    moved.Transform.Rotate = [-90.0, 0.0, 0.0]
    surface = pv.ExtractSurface(Input=moved)
    if SCENE["kind"] == "axis":
        return pv.RotationalExtrusion(Input=surface, Angle=270.0, Resolution=90, Capping=1)
    drawn_out = pv.LinearExtrusion(Input=surface, Vector=[0.0, 1.0, 0.0])
    drawn_out.ScaleFactor = SCENE["breadth"] * across
    return drawn_out


def _halved(body: Any) -> Any:
    """The half behind the middle."""
    body.UpdatePipeline()
    low, high = body.GetDataInformation().GetBounds()[2:4]
    half = pv.Clip(Input=body, ClipType="Plane", Invert=0)
    # Off the exact middle, where a structured mesh has whole planes of vertices.
    half.ClipType.Origin = [0.0, 0.5 * (low + high) + 1e-5 * (high - low), 0.0]
    half.ClipType.Normal = [0.0, 1.0, 0.0]
    return half


def voxel_layer(reader: Any, layer: dict[str, Any]) -> Any:
    """The half behind the middle of one layer of a voxel grid."""
    reader.UpdatePipeline()
    x0, x1, y0, y1, z0, z1 = reader.GetDataInformation().GetExtent()
    size = SCENE["depth"] / (z1 - z0)
    upper, lower = (z1 - round(layer[side] / size) for side in ("top", "bottom"))
    below = min(lower, upper - 1)
    return pv.ExtractSubset(Input=reader, VOI=[x0, x1, (y0 + y1) // 2, y1, below, upper])


def show_layers(reader: Any, view: Any, array: dict[str, Any]) -> None:
    """Show every layer, coloured, framed and named."""
    for layer, offset in zip(SCENE["layers"], offsets(), strict=True):
        if SCENE["kind"] == "voxels":
            source = voxel_layer(reader, layer)
        else:
            source = layer_source(reader, layer, offset)
        shown = pv.Show(source, view, Representation="Surface")
        frame = pv.Show(edges(source), view)
        if SCENE["kind"] == "voxels":
            for one in (shown, frame):
                one.Scale = [SCENE["scale"]] * 2 + [SCENE["scale"] * SCENE["stretch"]]
                # ParaView 5.13 gave it another name.
                moved = "Translation" if hasattr(one, "Translation") else "Position"
                setattr(one, moved, [0.0, 0.0, -offset])
        pv.ColorBy(shown, (array["of"], array["name"]))
        frame.ColorArrayName = ["POINTS", ""]
        frame.AmbientColor = frame.DiffuseColor = [0.0, 0.0, 0.0]
        frame.LineWidth = 1.5
        shown.Ambient, shown.Diffuse = 0.6, 0.45
        name_layer(layer, offset, view)


def edges(source: Any) -> Any:
    """Sharp edges, of which turning makes some without length on the axis."""
    surface = pv.Clean(Input=pv.ExtractSurface(Input=source), Tolerance=1e-7)
    return pv.FeatureEdges(Input=surface, BoundaryEdges=0, NonManifoldEdges=0)


def name_layer(layer: dict[str, Any], offset: float, view: Any) -> None:
    """Write name and depths beside a layer."""
    text = pv.Text(Text=f"{layer['name']}\n{layer['top'] * 1e9:.4g}–{layer['bottom'] * 1e9:.4g} nm")
    middle = 0.5 * (layer["top"] + layer["bottom"]) * SCENE["scale"] * SCENE["stretch"] + offset
    x, y = (SCENE["scale"] * value for value in SCENE["label"])
    shown = pv.Show(text, view)
    shown.TextPropMode = "Billboard 3D Text"
    shown.BillboardPosition = [x, y, -middle]
    shown.FontSize, shown.Color = TEXT, [0.0, 0.0, 0.0]


def color(view: Any, array: dict[str, Any]) -> None:
    """Colour by a map for every kind of colour vision, in decades where there are several."""
    table = pv.GetColorTransferFunction(array["name"])
    table.ApplyPreset("Viridis (matplotlib)", True)
    table.RescaleTransferFunction(*array["limits"])
    if array["log"]:
        table.MapControlPointsToLogSpace()
        table.UseLogScale = 1
    table.NanColor = [0.8, 0.8, 0.8]
    bar = pv.GetScalarBar(table, view)
    bar.Title, bar.ComponentTitle, bar.Visibility = array["label"], "", 1
    bar.TitleColor = bar.LabelColor = [0.0, 0.0, 0.0]
    bar.TitleFontSize, bar.LabelFontSize = TITLE, TEXT
    bar.AutomaticLabelFormat, bar.LabelFormat, bar.RangeLabelFormat = 0, "%.3g", "%.3g"
    bar.WindowLocation, bar.ScalarBarLength = "Any Location", 0.5
    bar.Position = [0.88, 0.25]


def annotate(reader: Any, view: Any) -> None:
    """State the stretch and the time, and label the axes along the films."""
    apart = ", layers drawn apart" if len(SCENE["layers"]) > 1 else ""
    stretch = f"depth stretched {SCENE['stretch']:.3g} times"
    lines = [SCENE["title"], (stretch if SCENE["stretch"] > 1.0 else "true to scale") + apart]
    write("\n".join(lines + SCENE["notes"]), view, "Lower Left Corner")
    clock = "time {time:g}" if SCENE["kind"] == "voxels" else "t = {time:g} s"
    time = pv.Show(pv.AnnotateTime(Format=clock), view)
    time.WindowLocation, time.FontSize, time.Color = "Upper Left Corner", TITLE, [0.0] * 3
    grid = view.AxesGrid
    # Only the face below the stack.
    grid.Visibility, grid.FacesToRender, grid.CullFrontface = 1, 4, 0
    grid.XTitle, grid.YTitle = (f"{axis} [{SCENE['unit']}]" for axis in "xy")
    for axis in "XY":
        for part in ("Title", "Label"):
            setattr(grid, f"{axis}{part}Color", [0.0] * 3)
            setattr(grid, f"{axis}{part}FontSize", TEXT)
    grid.GridColor = [0.7] * 3


def write(text: str, view: Any, corner: str) -> None:
    """Write a note into a corner."""
    shown = pv.Show(pv.Text(Text=text), view)
    shown.WindowLocation, shown.FontSize, shown.Color = corner, TEXT, [0.0] * 3
    shown.Justification = "Left"


def draw_body(reader: Any, array: dict[str, Any], view: Any) -> None:
    """Show the stack in space."""
    view.UseColorPaletteForBackground = 0
    view.Background = [1.0, 1.0, 1.0]
    view.OrientationAxesVisibility = 0
    show_layers(reader, view, array)
    color(view, array)
    annotate(reader, view)
    view.CameraFocalPoint, view.CameraViewUp = [0.0] * 3, [0.0, 0.0, 1.0]
    view.CameraPosition = [0.55, -1.0, 0.55]
    pv.ResetCamera(view)
    view.CameraViewAngle *= 0.87


def draw_chart(reader: Any, array: dict[str, Any], view: Any) -> None:
    """Draw a film as a profile along the depth, one line per layer."""
    for number, layer in enumerate(SCENE["layers"]):
        part = pv.Threshold(Input=reader, Scalars=["CELLS", "region"])
        part.LowerThreshold = part.UpperThreshold = layer["region"]
        scaled = pv.Transform(Input=part)
        scaled.Transform.Scale = [1e9, 1.0, 1.0]
        shown = pv.Show(pv.PlotData(Input=scaled), view, "XYChartRepresentation")
        # The window would set the series of what is active back.
        pv.SetActiveSource(reader)
        shown.UseIndexForXAxis, shown.XArrayName = 0, "Points_X"
        shown.SeriesVisibility = [array["name"]]
        shown.SeriesLabel = [array["name"], layer["name"]]
        shown.SeriesColor = [array["name"], *COLORS[number % len(COLORS)].split()]
        shown.SeriesLineThickness = [array["name"], "3"]
    view.ChartTitle = f"{SCENE['title']}, t = {{time:g}} s"
    view.LeftAxisTitle, view.BottomAxisTitle = array["label"], "depth below the top electrode [nm]"
    view.LeftAxisLogScale = int(array["log"])
    if array["log"]:
        view.LeftAxisUseCustomRange = 1
        view.LeftAxisRangeMinimum, view.LeftAxisRangeMaximum = array["limits"]
    for part in ("Left", "Bottom"):
        setattr(view, f"{part}AxisTitleFontSize", TITLE)
        setattr(view, f"{part}AxisLabelFontSize", TEXT)


def main() -> None:
    """Open the files, show the last time step, and write a picture if asked."""
    asked = options()
    array = next(one for one in SCENE["arrays"] if one["name"] == asked.array)
    here = folder()
    reader = pv.OpenDataFile([os.path.join(here, name) for name in SCENE["files"]])
    film = SCENE["kind"] == "film"
    if film and pv.GetActiveView() is not None:
        pv.Delete(pv.GetActiveView())
    # In the window the view that it begins with; others must be put into its layout.
    view = pv.CreateView("XYChartView") if film else pv.GetActiveViewOrCreate("RenderView")
    if film:
        pv.AssignViewToLayout(view=view, hint=0)
    view.ViewSize = [int(part) for part in asked.size.split("x")]
    pv.GetAnimationScene().UpdateAnimationUsingDataTimeSteps()
    pv.GetAnimationScene().GoToLast()
    (draw_chart if film else draw_body)(reader, array, view)
    if not asked.screenshot:
        pv.Render(view)
    else:
        pv.SaveScreenshot(asked.screenshot, view, ImageResolution=list(view.ViewSize))


main()
