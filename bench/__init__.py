"""What the functions cost, measured beside the server they replace: `make bench`."""
