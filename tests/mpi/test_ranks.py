"""The same numbers on 1, 2 and 3 ranks, and errors that reach all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.airs import LITHIUM
from support.devices import ANALOG
from support.launch import launch
from support.on_ranks import DEVICES
from support.stacks import SHAPES

RANKS = (1, 2, pytest.param(3, marks=pytest.mark.long))
TASKS = ("graph", "trace", "circuits", "small_signal", "air", "error")

pytestmark = pytest.mark.slow


class Results(dict[int, dict[str, Any]]):
    """What `support.on_ranks` found, by number of ranks and task; run when it is asked for."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory

    def __missing__(self, ranks: int) -> dict[str, Any]:
        folder = self._factory.mktemp(f"ranks-{ranks}")
        tasks = (*TASKS, "jacobian", "every_term") if ranks == 2 else TASKS
        done = launch(ranks, ["-m", "support.on_ranks", str(folder), *tasks])
        assert done.returncode == 0, done.stderr[-3000:]
        self[ranks] = {task: json.loads((folder / f"{task}.json").read_text()) for task in tasks}
        return self[ranks]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(tmp_path_factory)


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("shape", [*SHAPES, "free-form"])
def test_control_volumes_are_the_same_to_the_last_bit(results, ranks, shape):
    found = results[ranks]["graph"][shape]
    for kind in ("vertices", "edges", "nodes", "pairs", "faces"):
        wrong, missing, count = found[kind]
        assert (wrong, missing) == (0, 0), f"{kind}: {wrong} of {count} differ, {missing} missing"
    assert found["hash"][0] == found["hash"][1] == results[1]["graph"][shape]["hash"][0]
    assert found["cells"][0] == found["cells"][1]
    assert len(found["owned"]) == ranks
    assert sum(found["owned"]) == found["vertices"][2]


def test_matrix_is_the_same(results):
    assert results[2]["jacobian"] < 1e-13


def test_every_kind_of_term_is_the_same(results):
    found = results[2]["every_term"]
    assert found["matrix"] < 1e-13
    part, whole = (np.array(currents) for currents in found["currents"])
    assert np.abs(part - whole).max() < 1e-7 * np.abs(whole).max()


@pytest.mark.parametrize("ranks", RANKS[1:])
@pytest.mark.parametrize("device", DEVICES)
def test_trace_is_the_same(results, ranks, device):
    expected, found = (results[n]["trace"][device] for n in (1, ranks))
    assert len(found["time"]) == len(expected["time"])
    np.testing.assert_allclose(found["time"], expected["time"], rtol=1e-7)
    largest = np.abs(expected["current"]).max()
    difference = np.abs(np.array(found["current"]) - expected["current"]).max()
    assert difference < 1e-7 * largest
    np.testing.assert_allclose(found["profile"], expected["profile"], rtol=1e-9)


@pytest.mark.parametrize("ranks", RANKS[1:])
@pytest.mark.parametrize("device", DEVICES)
def test_admittance_is_the_same(results, ranks, device):
    assert results[ranks]["small_signal"][device] < 1e-8


@pytest.mark.parametrize("ranks", RANKS[1:])
@pytest.mark.parametrize("device", ["two", "mumps", "iterative"])
def test_devices_in_circuits_are_the_same(results, ranks, device):
    found = results[ranks]["circuits"][device]
    # The iterative solver is held against MUMPS.
    expected = results[1]["circuits"]["two" if device == "two" else "mumps"]
    for name in set(expected) - {"kirchhoff"}:
        scale = np.abs(expected[name]).max()
        np.testing.assert_allclose(found[name], expected[name], rtol=0.0, atol=1e-9 * scale)
    assert found["kirchhoff"] < 1e-9 * np.abs(expected["I(V1)"]).max()


@pytest.mark.parametrize("ranks", RANKS[1:])
def test_products_at_a_contact_are_the_same(results, ranks):
    """Also at points on the border of two ranks, which do not know each other's faces."""
    expected, found = (results[n]["air"] for n in (1, ranks))
    for name in ("products", "current"):
        scale = np.abs(expected[name]).max()
        np.testing.assert_allclose(found[name], expected[name], rtol=0.0, atol=1e-8 * scale)
    for product, amounts in expected["fields"].items():
        assert list(found["fields"][product]) == list(amounts)
        values = (list(one.values()) for one in (found["fields"][product], amounts))
        np.testing.assert_allclose(*values, rtol=1e-7)


@pytest.mark.parametrize("ranks", RANKS)
def test_lithium_lost_is_lithium_bound(results, ranks):
    found = results[ranks]["air"]
    lithium, bound = np.array(found["lithium"]), np.array(found["products"]) @ LITHIUM
    assert np.abs(lithium[0] - lithium - bound).max() < 1e-10 * bound[-1]


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("device", DEVICES)
def test_lithium_and_charge_are_conserved(results, ranks, device):
    found = results[ranks]["trace"][device]
    lithium, currents = np.array(found["lithium"]), np.array(found["current"])
    assert np.abs(lithium / lithium[0] - 1.0).max() < 1e-12
    assert np.abs(currents.sum(axis=1)).max() < 1e-9 * np.abs(currents).max()


@pytest.mark.parametrize("ranks", RANKS)
def test_mistake_on_one_rank_reaches_all(results, ranks):
    assert results[ranks]["error"]["messages"] == ["a mistake on one rank"] * ranks


@pytest.mark.parametrize("ranks", RANKS[1:])
def test_crash_on_one_rank_ends_all(tmp_path, ranks):
    done = launch(ranks, ["-m", "support.on_ranks", str(tmp_path), "crash"], timeout=60.0)
    assert done.returncode != 0
    assert "unforeseen" in done.stderr
    assert not (tmp_path / "crash.json").exists()


@pytest.mark.parametrize("ranks", RANKS[:2])
def test_mistake_in_a_case_ends_the_program_with_one_message(tmp_path, ranks):
    text = ANALOG.read_text().replace("temperature:", "temperatur:")
    stack = ANALOG.parents[2] / "meshes" / "pt_wo3_lipon_moo3_ito.yaml"
    case = tmp_path / "case.yaml"
    case.write_text(text.replace("../../meshes/pt_wo3_lipon_moo3_ito.yaml", str(stack)))
    arguments = ["-m", "ionstack", "run", str(case), "-o", str(tmp_path / "out")]
    done = launch(ranks, arguments, timeout=60.0)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("did you mean 'temperature'") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("part", "ranks"), [("mesh/test_device_mesh.py", 3), ("solver/test_conservation.py", 2)]
)
def test_parts_of_the_suite_pass_on_several_ranks(part, ranks):
    folder = Path(__file__).parents[1]
    options = ["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow"]
    done = launch(ranks, ["-m", "pytest", *options, str(folder / part)])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
