"""Pictures by VTK, drawn in a process of their own: it crashes where OpenGL is missing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import ionstack

_LOG = logging.getLogger(__name__)
# Software rendering of some million cells; longer than that it hangs.
_LIMIT = 600.0


def rendered(module: str, arguments: Sequence[str], picture: Path) -> list[Path]:
    """Run a module of ``ionstack.plots`` that draws a picture; return it if it could be drawn.

    What went wrong is logged as a warning.
    """
    picture.unlink(missing_ok=True)
    search = [str(Path(ionstack.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search))}
    command = [sys.executable, "-m", f"ionstack.plots.{module}", *arguments]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_LIMIT
        )
    except subprocess.TimeoutExpired:
        _LOG.warning("%s: not drawn: rendering took more than %g s", picture, _LIMIT)
        return []
    if done.returncode != 0 or not picture.exists():
        reason = (done.stderr.strip().splitlines() or ["no OpenGL (libegl1, libgl1-mesa-dri)?"])[-1]
        _LOG.warning("%s: not drawn: VTK ended with %d: %s", picture, done.returncode, reason)
        return []
    return [picture]
