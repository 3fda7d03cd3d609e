"""One account, one pass after another: observe, decide, act, report. `account.py` is where to start reading."""
