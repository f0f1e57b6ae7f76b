"""What tests and benchmarks use the service with: calls, faults, AWS, whole services, cases."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
