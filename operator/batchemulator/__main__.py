"""`python -m batchemulator`: the emulator alone."""

from batchemulator.cli import emulator

if __name__ == "__main__":
    emulator(prog_name="python -m batchemulator")
