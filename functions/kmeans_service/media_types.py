"""Media types of what is stored and answered."""

JSON = "application/json"
CSV = "text/csv"
BINARY = "application/octet-stream"
HTML = "text/html"
