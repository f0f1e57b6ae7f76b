"""What Spark forks its Python workers from: it has imported what their tasks need, once for all.

A worker collects garbage behind every task. What was there before the first one is frozen; else
each time would go through all modules: 40 ms, twice what a task takes that adds up 64 MiB.
"""

import gc

from pyspark.daemon import manager

import distributed.main

__all__ = ["distributed", "manager"]

if __name__ == "__main__":
    gc.freeze()
    manager()
