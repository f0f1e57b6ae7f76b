"""A fit beyond one machine: Spark reads, caches, retries and brings together; the tasks run the
service's own grammar, transform and kernel."""
