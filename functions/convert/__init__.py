"""Parquet, Excel and JSON Lines, converted once to what the one reader reads."""
