"""What the command line understands: commands, their arguments, their help."""

from __future__ import annotations

import argparse
from pathlib import Path

from ionstack import __version__

# Written out: importing the kinds takes longer than answering --help should.
_KINDS = (
    "iv, retention, variation, arrhenius, ltp, ppf, srdp, epsc, decay, pulses, "
    "cv, gcd, selfdischarge or impedance"
)


def parser() -> argparse.ArgumentParser:
    """Return the parser; the chosen command's name is its `command`."""
    root = argparse.ArgumentParser(
        prog="ionstack", description="Simulate ion-based thin-film devices by finite volumes."
    )
    root.add_argument("--version", action="version", version=f"ionstack {__version__}")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_sweep(commands)
    _add_check(commands)
    _add_mesh(commands)
    _add_plot(commands)
    _add_report(commands)
    _add_measure(commands)
    _add_sims(commands)
    _add_materials(commands)
    bench = commands.add_parser("bench", help="run the benchmarks", add_help=False)
    bench.set_defaults(command="bench", rest=[])
    test = commands.add_parser("test", help="run the test suite", add_help=False)
    test.set_defaults(command="test", rest=[])
    return root


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser("run", help="run a case")
    run.set_defaults(command="run")
    run.add_argument("case", type=Path, help="case file")
    run.add_argument("-n", type=_positive, metavar="RANKS", help="run on this many MPI ranks")
    run.add_argument("-o", type=Path, metavar="DIR", help="output folder (results/<case name>)")
    run.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    run.add_argument("--quiet", action="store_true", help="print nothing but errors")
    _add_set(run)


def _add_sweep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sweep = commands.add_parser("sweep", help="run a case for many values of its settings")
    sweep.set_defaults(command="sweep")
    sweep.add_argument("case", type=Path, help="case file")
    sweep.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="KEY=VALUES",
        help="a,b,c or start:stop:count or log(start, stop, count) for a key as of --set "
        "(repeatable: every combination is run)",
    )
    sweep.add_argument("-n", type=_positive, metavar="RANKS", help="run on this many MPI ranks")
    sweep.add_argument(
        "--group", type=_positive, default=1, metavar="SIZE", help="ranks for each point (1)"
    )
    sweep.add_argument("-o", type=Path, metavar="DIR", help="folder (results/<case name>-sweep)")
    sweep.add_argument("--resume", action="store_true", help="keep points that are finished")
    sweep.add_argument("--quiet", action="store_true", help="print nothing but errors")
    _add_set(sweep)


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="validate a case and print what would be solved")
    check.set_defaults(command="check")
    check.add_argument("case", type=Path, help="case file")
    _add_set(check)


def _add_mesh(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    mesh = commands.add_parser("mesh", help="build and report the mesh of a stack")
    mesh.set_defaults(command="mesh")
    mesh.add_argument("stack", type=Path, help="stack file")
    mesh.add_argument("-o", type=Path, metavar="FILE.msh", help="write the mesh for Gmsh")
    _add_set(mesh)


def _add_plot(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    plot = commands.add_parser("plot", help="redraw figures and instruments of a run or a sweep")
    plot.set_defaults(command="plot")
    plot.add_argument("folder", type=Path, help="output folder of a run or a sweep")
    plot.add_argument(
        "--animate",
        nargs="?",
        const="",
        metavar="STEP",
        help="draw a film (GIF) of a step instead, by its name or number (the first sweep)",
    )
    plot.add_argument("--species", default="", help="species that the film shows (first ion)")


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    report = commands.add_parser("report", help="write one HTML page of a run or a sweep")
    report.set_defaults(command="report")
    report.add_argument("folder", type=Path, help="output folder of a run or a sweep")


def _add_measure(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    measure = commands.add_parser("measure", help="evaluate a measured or simulated curve")
    measure.set_defaults(command="measure")
    measure.add_argument("file", type=Path, help="table: CSV, tab, semicolon or blanks")
    measure.add_argument("--kind", required=True, help=_KINDS)
    measure.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="ROLE=HEADER[:UNIT],…",
        help='which column is what, e.g. voltage=V_G:V,current="I_D (uA)" (repeatable)',
    )
    measure.add_argument("--skip", type=int, default=0, metavar="N", help="ignore the first lines")
    measure.add_argument("-o", type=Path, metavar="DIR", help="output folder")
    _add_set(measure, "give a number that the table lacks, e.g. read_voltage=0.1V")


def _add_sims(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sims = commands.add_parser("sims", help="depth profiles of a run by a virtual ToF-SIMS")
    sims.set_defaults(command="sims")
    sims.add_argument(
        "folder", type=Path, help="output folder of a run, finished or cut off; or a file of fields"
    )
    sims.add_argument("--setup", default="tof_sims_c60", help="setup file, or a shipped one")
    sims.add_argument(
        "--state",
        action="append",
        default=[],
        metavar="NAME|TIME",
        help="named state or time in seconds (repeatable; all named states)",
    )
    sims.add_argument("--signals", default="", metavar="A,B,…", help="signals to write (all)")
    sims.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="STAGE",
        help="switch off rates, resolution, matrix, beam, counting, migration or preferential "
        "(repeatable)",
    )
    sims.add_argument(
        "--measured", type=Path, metavar="FILE.csv", help="measured counts to compare a state with"
    )
    sims.add_argument("--map", action="store_true", help="write counts of voxels, for ParaView")
    _add_set(sims, "change the setup, e.g. resolution.mixing='3 nm'")


def _add_materials(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    materials = commands.add_parser("materials", help="list materials, or one with its numbers")
    materials.set_defaults(command="materials")
    materials.add_argument("name", nargs="?", help="material")


def _add_set(
    parser: argparse.ArgumentParser, meaning: str = "change a setting, e.g. stack.dimension=3d"
) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=f"{meaning} (repeatable)"
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"needs a positive number of ranks, not {value}")
    return value
