"""EMR Serverless as far as a fit needs it, on this machine: `make run ENGINE=spark`."""

APPLICATION = "0local"
