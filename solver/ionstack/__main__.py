"""``python -m ionstack``."""

import sys

from ionstack.cli import main

sys.exit(main())
