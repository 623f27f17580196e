"""Contents at the start that depend on the place."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from ionstack.assembly.node_fields import NodeFields
from ionstack.casefile.case import load_case
from ionstack.casefile.used_values import values_used
from ionstack.errors import InputError
from ionstack.output.names import POTENTIAL, site_fraction
from ionstack.runs.preparation import prepare
from support.launch import launch
from support.spoilt import message, replace

FILES = Path(__file__).parent / "files"
FORMULA = "0.3 + 0.2*(z/1e-7)"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case whose WO3 holds more lithium below than above."""
    for name in ("case.yaml", "stack.yaml"):
        shutil.copy(FILES / name, tmp_path / name)
    path = tmp_path / "case.yaml"
    new = f"""start: as_given
content:
  WO3:
    Li+: {{formula: {FORMULA}, unit: "1", source: assumed}}
"""
    replace(path, "content:\n  WO3: {Li+: 0.3}\n", new)
    return path


def test_a_device_starts_with_the_profile_and_without_charge_elsewhere(case):
    read = load_case(case)
    prepared = prepare(read, MPI.COMM_SELF)
    volumes = prepared.system.equations.volumes
    fields = NodeFields(prepared.system).evaluate()
    inside = volumes.node_region == volumes.regions.index("WO3")
    exact = 0.3 + 0.2 * volumes.depth[inside] / 1e-7
    np.testing.assert_allclose(fields[site_fraction("Li+")][inside], exact, rtol=1e-9)
    other = volumes.node_region == volumes.regions.index("MoO3")
    np.testing.assert_allclose(fields[site_fraction("Li+")][other], 0.3, rtol=1e-9)
    assert np.isfinite(fields[POTENTIAL]).all()
    used = {(row.material, row.path): row.text for row in values_used(read)}
    assert used["layer WO3", "content.Li+"] == FORMULA


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("start: as_given", "start: equilibrium", "a content by place needs 'start: as_given'"),
        ("source: assumed}", "}", "source"),
        ("0.2*(z", "0.2*(w", "w"),
    ],
)
def test_mistakes_are_answered(case, old, new, what):
    replace(case, old, new)
    assert what in message(case)


def test_a_profile_that_leaves_the_range_is_refused(case):
    replace(case, FORMULA, "0.3 + 2*(z/1e-7)")
    with pytest.raises(InputError, match=r"content of WO3: .* is not between 0 and 1"):
        prepare(load_case(case), MPI.COMM_SELF)


@pytest.mark.slow
def test_it_is_refused_on_all_ranks_where_it_leaves_the_range_on_one(case, tmp_path):
    """Below 90 nm of 100: on two ranks one of them holds none of these nodes."""
    replace(case, FORMULA, "0.3 + 0.8*(z/1e-7)**9")
    options = ["-m", "ionstack", "run", str(case), "-o", str(tmp_path / "out"), "--quiet"]
    done = launch(2, options, timeout=120.0)
    assert done.returncode == 2
    assert "content of WO3: 1." in done.stderr
