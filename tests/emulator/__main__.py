"""Run the emulator by hand: python3 tests/emulator [options]."""

import sys
from pathlib import Path

# Run as a folder, Python puts the folder itself on the path: put its parent there.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from emulator.command import main  # noqa: E402

sys.exit(main())
