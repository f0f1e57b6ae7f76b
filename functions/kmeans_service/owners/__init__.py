"""What an owner holds and may ask for: quotas, requests a minute, tokens."""
