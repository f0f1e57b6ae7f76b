"""What the handlers share: the domain of jobs, datasets and models, and its AWS storage."""

__version__ = "0.1.0"
