"""Products that contacts hold are atoms of the electrode, or of the film where that lies open."""

from __future__ import annotations

import numpy as np
import pytest

from ionstack.errors import InputError
from ionstack.output.names import areal_amount, density
from ionstack.surface_analysis.films import Films
from ionstack.surface_analysis.setup import load_setup
from ionstack.surface_analysis.specimen import Specimen, specimen_of
from ionstack.surface_analysis.subject import columns_of
from support.free_form import HandMade, film

NM = 1e-9
FILMS = Films({"film": "HfO2"}, "Pt", "Pt")


def in_air(bound: float, product: str = "Li2CO3") -> HandMade:
    """A film that has given up lithium [1/m^2] to a product of two at its top, more at one side."""
    mesh = film(lambda place: 0.0 * place[:, 0], (1e-6, 100 * NM), 8)
    place = 1.0 + 0.5 * (mesh.points[:, 0] / 0.5e-6 - 1.0)
    top = mesh.depth == 0.0
    mesh.arrays[density("Li+")] = 1e28 - bound * place / (100 * NM)
    mesh.arrays[areal_amount(product)] = np.where(top, 0.5 * bound * place, np.nan)
    return mesh


def specimen(mesh: HandMade, *settings: str) -> Specimen:
    setup = load_setup("tof_sims_c60", settings)
    return specimen_of(columns_of(mesh), mesh, 0, FILMS, setup)


def total(one: Specimen, atom: str) -> np.ndarray:
    """Atoms [1/m^2] of each column."""
    return np.atleast_2d(one.atoms[atom]) @ np.diff(one.edges)


@pytest.mark.parametrize("top", ["30 nm", "0 nm"])
def test_lithium_is_conserved(top: str) -> None:
    before, after = (specimen(in_air(b), f"specimen.top='{top}'") for b in (0.0, 4e20))
    assert total(before, "Li") == pytest.approx(1e28 * 100 * NM)
    assert total(after, "Li") == pytest.approx(1e28 * 100 * NM * np.ones(9))
    carbon = total(after, "C")
    assert carbon == pytest.approx(2e20 * np.linspace(0.5, 1.5, 9))
    # Uptake from the air: three oxygen atoms a carbon.
    gained = total(after, "O") - total(before, "O")
    assert gained == pytest.approx(3.0 * carbon)
    depth = 60 if top == "30 nm" else 1
    assert np.all(after.atoms["C"][:, :depth] > 0.0)
    assert np.all(after.atoms["C"][:, depth:] == 0.0)


def test_a_product_that_the_setup_lacks_is_named() -> None:
    with pytest.raises(InputError, match=r"unknown species of the run 'Li2CO4'.*'Li2CO3'"):
        specimen(in_air(1e20, "Li2CO4"))
