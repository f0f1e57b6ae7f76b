"""The engine of a fit: what is asked for, and what runs elsewhere."""
