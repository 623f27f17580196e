"""Set-up shared by all tests: double precision, and the package ``support`` on the path."""

from __future__ import annotations

import sys
from pathlib import Path

from ionstack.compute import configure

sys.path.append(str(Path(__file__).parent))
configure()
