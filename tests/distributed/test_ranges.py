"""How large a range is: none of the processors of a run waits for the others' last one."""

import math
import re
import subprocess

import pytest

from distributed.spans import LEAST_BYTES, MB, MOST_BYTES, range_bytes
from harness import PROJECT, spark_submit
from local.spark.submit import ENVIRONMENT

GB = 10**9
SLOTS = """
import sys
from types import SimpleNamespace
from pyspark import SparkConf
from distributed.spark import slots

master, threads, processors, *options = sys.argv[1:]
conf = SparkConf(loadDefaults=False).setAll([option.split("=", 1) for option in options])
context = SimpleNamespace(master=master, defaultParallelism=int(threads), getConf=lambda: conf)
print(slots(context, int(processors)))
"""


@pytest.mark.parametrize(
    ("size", "at_once", "n_ranges"),
    [
        (2 * GB, 2, 4),
        (10 * GB, 12, 24),
        (10**12, 12, 1872),
        (512 * MB * 12, 12, 12),
        (512 * MB * 12 + 1, 12, 24),
        (64 * MB * 12, 12, 12),
        (70 * MB, 12, 2),  # of 64 MiB at least
        (1, 12, 1),
        (0, 12, 0),
    ],
)
def test_ranges_come_in_full_rounds(size: int, at_once: int, n_ranges: int) -> None:
    each = range_bytes(size, at_once)
    assert LEAST_BYTES <= each <= MOST_BYTES
    assert math.ceil(size / each) == n_ranges


@pytest.mark.parametrize(
    ("master", "processors", "at_once"),
    [
        ("local[2,4]", 16, 2),
        ("yarn", 16, 12),  # two are the driver's, and the last two are no worker's
        ("yarn", 18, 16),
        ("yarn", 8, 4),
        ("yarn", 3, 4),  # the least that a run gets at all
    ],
)
def test_so_many_ranges_are_read_at_once(master: str, processors: int, at_once: int) -> None:
    spark_submit.needed()
    options = re.findall(r"--conf (\S+)", (PROJECT / "layers/spark/submit.txt").read_text())
    done = subprocess.run(
        [ENVIRONMENT / "bin/python", "-c", SLOTS, master, "2", str(processors), *options],
        env=spark_submit.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == at_once
