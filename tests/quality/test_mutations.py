"""Wrong signs must turn the suite red: mutated copies of the sources, and the tests on them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# File, text, wrong text, and a few tests of the suite that have to notice.
MUTATIONS = {
    "flux": (
        "physics/transport.py",
        "return jnp.where(up, 1.0, -1.0) * weight",
        "return jnp.where(up, -1.0, 1.0) * weight",
        ("tests/contract/test_laws.py", "-k", "sedan-lattice_gas-None"),
    ),
    "drift": (
        "physics/transport.py",
        "weight = bernoulli(jnp.where(up, drift, -drift))",
        "weight = bernoulli(jnp.where(up, -drift, drift))",
        ("tests/verification/test_goldman.py",),
    ),
    "interface": (
        "physics/interfaces.py",
        "drive(log_rate + alpha * affinity, affinity))",
        "drive(log_rate - alpha * affinity, affinity))",
        ("tests/contract/test_electrode_kinetics.py",),
    ),
    "rows": (
        "assembly/equations.py",
        "ends = ((rows[K], 1), (rows[L], -1))",
        "ends = ((rows[K], 1), (rows[L], 1))",
        ("tests/solver/test_ohmic.py",),
    ),
    "scatter": (
        "assembly/destinations.py",
        "code = numbering.setdefault(float(sign), len(numbering))",
        "code = numbering.setdefault(-float(sign), len(numbering))",
        ("tests/solver/test_jacobian.py", "-k", "every and column and not 2-D"),
    ),
    "heat": (
        "heat/heat_sources.py",
        "fall[one.positions] -= self._level(one)",
        "fall[one.positions] += self._level(one)",
        ("tests/heat/test_first_law.py", "-k", "ions"),
    ),
    "limiter": (
        "physics/circuit_elements.py",
        "(1.0 - share) - LIMITER * share",
        "(1.0 - share) + LIMITER * share",
        ("tests/contract/test_circuit_elements.py", "-k", "hyperbola"),
    ),
}

pytestmark = pytest.mark.long


@pytest.fixture
def copy(tmp_path):
    """A copy of sources and tests, without what earlier runs left behind."""
    for name in ("solver", "tests", "cases", "meshes"):
        skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def passes(folder: Path, tests: tuple[str, ...]) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    # 0: all passed; 1: a test failed. Anything else is no answer.
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    return done.returncode == 0


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_wrong_sign_turns_the_suite_red(copy, name):
    file, right, wrong, tests = MUTATIONS[name]
    assert passes(copy, tests)
    path = copy / "solver" / "ionstack" / file
    text = path.read_text()
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong))
    assert not passes(copy, tests)
