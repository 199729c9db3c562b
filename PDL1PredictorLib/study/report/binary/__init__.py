"""Yes/no endpoints in the report of a study: their measures, curves, sample size and figures."""
