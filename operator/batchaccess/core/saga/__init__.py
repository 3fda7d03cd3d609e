"""The journaled correction of a pool that is not empty: drain, patch, restore; pure, one step per visit.

`decision.decide_saga` says what to do next, `outcomes` what an answer teaches, `gates` when a saga may start. Nothing
here performs anything: whoever does reads the pool again, asks again, and performs at most the one action it is given.
"""
