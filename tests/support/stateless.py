"""What mechanics without pores, memory and results have in common, for solvers made by tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Stateless:
    """The rest of `stress.Solver`."""

    local = followed = False
    names = ()

    def opened(self, metal: str, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.zeros(len(nodes))

    def memory(self) -> Mapping[str, Any]:
        return {}

    def recall(self, memory: Mapping[str, Any]) -> None: ...

    def entries(self) -> Mapping[str, Any]:
        return {}
