"""Record DEVSIM's results, so that tests compare with them without DEVSIM.

python -m ionstack.peers.record tests/data/devsim.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ionstack.peers.run import run_peer

RUNS: dict[str, tuple[str, ...]] = {
    "diode_1d": ("devsim_diode", "--wide"),
    "diode_2d_50x25": ("devsim_diode", "--cells", "50", "25"),
    "diode_2d_200x100": ("devsim_diode", "--cells", "200", "100"),
    "pnp_step_1d": ("devsim_pnp", "--protocol", "step"),
    "pnp_triangle_1d": ("devsim_pnp", "--protocol", "triangle"),
    "pnp_step_2d_50": ("devsim_pnp", "--cells", "50"),
    "pnp_step_2d_100": ("devsim_pnp", "--cells", "100"),
}


def record() -> dict[str, Any]:
    """Return the values of all runs with how they were made; times are left out."""
    records = {}
    for name, (script, *arguments) in RUNS.items():
        print(name, file=sys.stderr)
        report = run_peer(script, arguments)
        kept = {key: report[key] for key in ("code", "version", "nodes", "values")}
        records[name] = {"program": " ".join((script, *arguments)), **kept}
    return records


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(record(), indent=1) + "\n")
