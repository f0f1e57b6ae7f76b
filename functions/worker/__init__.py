"""The worker of the queue: fits, large predictions, and files that arrive in the bucket."""
