"""How the service speaks HTTP: requests, answers, and what of both the handlers share."""
