"""`make mutants`: see docs/mutants.md.

make mutants SAMPLE=300 SEED=1      one mistake at each of so many places
make mutants                        every mistake at every place: hours
make mutants ARGS=--again           those that survived, with the tests as they are now
make mutants ARGS=template          single edits of the template
"""

import argparse
import sys
from collections import Counter

from cosmic_ray.work_item import TestOutcome, WorkerOutcome

from mutants import session, template

EVERYTHING = ["functions/*", "local/*"]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="code", choices=["code", "template"])
    parser.add_argument("--sample", type=int, help="of places; all, if not given")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--modules", nargs="*", default=EVERYTHING, help="paths with * in them")
    parser.add_argument("--again", action="store_true", help="also those that survived")
    parser.add_argument("--only", default="", help="edits of the template with this in their name")
    given = parser.parse_args(arguments)
    if given.what == "template":
        return _template(given)
    return _code(given)


def _template(given: argparse.Namespace) -> int:
    found = template.try_all(given.only, given.sample, given.seed)
    survivors = [edit.name for edit, outcome in found if outcome == "survived"]
    print(f"\n{len(found)} edits, {len(survivors)} that no test noticed")
    print(*survivors, sep="\n")
    return 0


def _code(given: argparse.Namespace) -> int:
    database = session.try_all(given.modules, given.sample, given.seed, again=given.again)
    totals: dict[str, Counter[str]] = {}
    survivors = []
    for item, result in database.completed_work_items:
        [spec] = item.mutations
        room = "/".join(spec.module_path.parts[:-1])
        counted = totals.setdefault(room, Counter())
        if result.worker_outcome is WorkerOutcome.NO_TEST:
            counted["none"] += 1
        elif result.test_outcome is TestOutcome.SURVIVED:
            counted["survived"] += 1
            survivors.append(f"{spec.module_path}:{spec.start_pos[0]}\n{result.diff}\n")
        else:
            counted["caught"] += 1
    print("\n", *sorted(survivors), sep="\n")
    print("| | mutants | caught | survived |\n|---|---|---|---|")
    for room, counted in sorted(totals.items()):
        tried = counted["caught"] + counted["survived"]
        print(f"| `{room}` | {tried} | {counted['caught']} | {counted['survived']} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
