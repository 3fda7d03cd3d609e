"""What an account holds and how it changes with time: pools, nodes, jobs, tasks. Knows nothing of HTTP."""
