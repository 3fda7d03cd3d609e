"""What a test found out in numbers, shown at the end of the run although it passed."""

from typing import Final

FIGURES: Final = "figures"
"""Name of the recorded property."""
