"""A table: a file as its owner sent it, its dialect, its columns and what they hold. No NumPy but
in `columns`, which reads them into arrays."""
