"""`python -m batchaccess` and the `batchaccess` script."""

from batchaccess.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
