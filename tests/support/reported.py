"""Hand-made runs with a stack, sources, a summary and an instrument."""

from __future__ import annotations

from pathlib import Path

from ionstack.output import summary
from ionstack.output.atomic import write_text
from ionstack.output.run_directory import RunDirectory
from support import synthetic

HOSTILE = "</script><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>"
STACK = """
title: "{title}"
temperature: 298.15
valences: {{Li+: 1, e-: -1}}
stack:
  dimension: {dimension}
  layers:
  - {{name: WO3, material: WO3, thickness: 1.0e-7}}
  - {{name: LiPON, material: LiPON, thickness: 1.2e-7}}
  - {{name: MoO3, material: MoO3, thickness: 8.0e-8}}
  top: {{name: Pt, material: Pt}}
  bottom: {{name: ITO, material: ITO}}
  lateral: {{shape: disc, diameter: 2.0e-04, width: null, depth: null}}
"""
SOURCES = (
    "material,path,value,unit,source,fitted,activation_energy,valid,text\n"
    "WO3,relative_permittivity,35.0,1,assumed,True,0.0,,\n"
    'LiPON,diffusivity,1e-15,m^2/s,"a book & <b>page</b>",False,0.3,300 K,\n'
)
SUMMARY = {
    "completed": True,
    "conservation": {"Li+": 3e-14},
    "current_sum": 2e-8,
    "timing.stepping [s]": 3.0,
    "timing.linear [s]": 1.0,
    "timing.total [s]": 4.0,
    "steps": {"accepted": 640, "rejected": 3},
    "git.commit": "0123456789abcdef",
    "seed": 7,
    "mpi.ranks": 2,
}
NUMBERS = {"kind": "iv", "charge [C]": -2.5e-5, "charge.low [C]": -3e-5, "charge.high [C]": -2e-5}


def make_run(path: Path, dimension: int, title: str = "Two hosts") -> RunDirectory:
    """Write a finished run of a dimension."""
    run = synthetic.write_run(path, dimension)
    names = {1: "1d", 2: "axisymmetric", 3: "3d"}
    case = STACK.format(title=title.replace('"', "'"), dimension=names[dimension])
    write_text(run.case, synthetic.CASE + case)
    write_text(run.input, f"# {title}\nname: synthetic\n")
    write_text(run.sources, SOURCES)
    summary.write(run.summary, SUMMARY)
    run.instruments.mkdir()
    summary.write(run.instruments / "iv.json", NUMBERS)
    write_text(run.instruments / "iv.csv", "voltage [V],current [A]\n0,0\n1,2\n2,5\n")
    return run
