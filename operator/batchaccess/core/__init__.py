"""The functional core: what policies mean and what should be done, as pure values.

Standard library only: no clock, no logging, no async, no third-party import.
Everything here is a function of its arguments.
"""
