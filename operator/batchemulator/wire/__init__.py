"""How the service speaks: requests, answers, errors, times, signatures, queries. Knows nothing of pools."""
