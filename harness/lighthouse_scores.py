"""What Lighthouse gives a page, which simulates a phone and its network for that."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from harness import PROJECT
from harness.browser import NAMES

LIGHTHOUSE = "harness/lighthouse/node_modules"


def scores(url: str, folder: Path) -> dict[str, float]:
    """Of each of its four categories, 0 to 1."""
    browser = next(filter(None, map(shutil.which, NAMES)))
    subprocess.run(["make", "-s", f"{LIGHTHOUSE}/.installed"], cwd=PROJECT, check=True)
    told = folder / "lighthouse.json"
    command = [
        str(PROJECT / LIGHTHOUSE / ".bin" / "lighthouse"),
        url,
        "--quiet",
        "--output=json",
        f"--output-path={told}",
        "--only-categories=performance,accessibility,best-practices,seo",
        "--chrome-flags=--headless --no-sandbox --disable-gpu",
    ]
    subprocess.run(command, check=True, env=os.environ | {"CHROME_PATH": browser})
    categories = json.loads(told.read_text())["categories"]
    return {each["title"]: float(each["score"]) for each in categories.values()}
