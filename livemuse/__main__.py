"""``python -m livemuse`` is ``livemuse``."""

import sys

from livemuse.cli import main

sys.exit(main())
