"""Fits that run elsewhere, on Spark: what a run is given, costs and has used, and its end."""
