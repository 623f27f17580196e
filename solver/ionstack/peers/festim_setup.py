"""FESTIM for this Python, whose DOLFINx it uses, in a folder of its own.

    python -m ionstack.peers.festim_setup     make it, or say where it is

scifem is compiled against DOLFINx: CMake, a C++ compiler and nanobind must be there,
as they are where Debian's python3-dolfinx is installed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ionstack.peers import environment

_TOOLS = ("scikit-build-core", "ninja")
# The last releases that work with DOLFINx 0.9.
_PACKAGES = ("festim==2.0", "scifem==0.5.0")
COMMAND = "python3 -m ionstack.peers.festim_setup"


def folder() -> Path:
    """Return where the packages belong; they need not be there."""
    return environment.named("festim", _PACKAGES)


def create() -> Path:
    """Install the packages unless they are there, and return their folder."""
    return environment.provide(folder(), _install)


def _install(where: Path) -> None:
    """Install build tools for a while, and the packages without what they depend on."""
    tools = where / "tools"
    environment.call([*environment.PIP, "install", "--target", str(tools), *_TOOLS])
    options = ("--no-deps", "--no-build-isolation", "--target", str(where))
    environment.call(
        [*environment.PIP, "install", *options, *_PACKAGES],
        PYTHONPATH=str(tools),
        PATH=f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}",
    )
    shutil.rmtree(tools)
    # FESTIM imports it for checkpoint files only.
    (where / "adios4dolfinx.py").write_text("")


if __name__ == "__main__":
    print(create())
