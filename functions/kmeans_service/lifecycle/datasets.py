"""A dataset: files below one folder that are one table, complete once `_SUCCESS` is there.

What is fitted is what was there at that moment, by versions: the list of them is an object of its
own, whose digest is that of the job's input.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from kmeans_service import config, keys
from kmeans_service.errors import InvalidCsv, JobGone, TooLarge, quoted
from kmeans_service.lifecycle.job import Input
from kmeans_service.media_types import JSON
from kmeans_service.storage import data_bucket, sha256_of
from kmeans_service.streams import Keep
from kmeans_service.tables.dialect import Reading
from kmeans_service.versions import Version, as_of, delete, with_checksums

MARK = "_SUCCESS"
SHOWN = 5


@dataclass(frozen=True)
class Listed:
    """The files of a dataset, in the order of their rows; and names that are no data's."""

    files: tuple[Version, ...]
    left_out: tuple[str, ...]

    def warnings(self) -> tuple[str, ...]:
        if not self.left_out:
            return ()
        names = ", ".join(map(quoted, self.left_out[:SHOWN]))
        more = ", …" if len(self.left_out) > SHOWN else ""
        return (
            f"Files whose names begin with _ or . are no part of a dataset, and were left out: "
            f"{names}{more} ({len(self.left_out):,} in all).",
        )


def listed(mark: str, version_id: str | None, keep: Keep) -> Listed:
    """What was there when this version of `_SUCCESS` was written; raises ObjectMissing without it.

    Raises InvalidCsv where that is no dataset, TooLarge where it is more than is taken.
    """
    folder = mark.removesuffix(MARK)
    found = as_of(folder, mark, version_id)
    names = {each.key: each.key.removeprefix(folder) for each in found}
    files = [each for each in found if not _is_left_out(names[each.key])]
    _check(files, names)
    left_out = [name for name in names.values() if _is_left_out(name) and not name.endswith("/")]
    return Listed(tuple(with_checksums(files, keep)), tuple(left_out))


def _is_left_out(name: str) -> bool:
    """Hadoop's convention; and the marks of folders, which are no files."""
    return name.endswith("/") or any(part.startswith(("_", ".")) for part in name.split("/"))


def _check(files: Sequence[Version], names: dict[str, str]) -> None:
    limits, size = config.limits(), sum(each.size for each in files)
    if not size:
        has = f"has {len(files):,} files, all of them empty" if files else "has no file"
        raise InvalidCsv(
            f"the dataset {has} where _SUCCESS was written; its files lie beside it, and come first"
        )
    for each in files:
        if "/" in names[each.key]:
            raise InvalidCsv(
                f"{quoted(names[each.key])} lies in a folder of its own; the files of a dataset "
                "lie beside _SUCCESS, as what a folder's name says would be lost"
            )
    if len(files) > limits.dataset_files:
        raise TooLarge(
            f"the dataset has {len(files):,} files; at most {limits.dataset_files:,} are taken",
            max_files=limits.dataset_files,
        )
    if size > limits.dataset_bytes:
        raise TooLarge(
            f"the dataset has {size:,} bytes; at most {limits.dataset_bytes:,} are taken",
            max_bytes=limits.dataset_bytes,
        )


def stored(owner: str, mark: str, version_id: str | None, found: Listed, reading: Reading) -> Input:
    """The dataset as a job's input, with the list of its files put into the bucket."""
    document = {"files": [each.as_json() for each in found.files]}
    body = json.dumps(document, separators=(",", ":")).encode()
    digest = sha256_of(body)
    beside = keys.beside_input(owner, mark, version_id, digest)
    return Input(
        key=mark,
        version_id=version_id,
        sha256=digest,
        size=sum(each.size for each in found.files),
        n_samples=0,
        n_features=0,
        feature_names=None,
        reading=reading.said(),
        dataset=data_bucket().put(f"{beside}.files.json", body, JSON),
        files=len(found.files),
    )


def files_of(given: Input) -> list[Version]:
    """Raises JobGone or ModelDamaged."""
    if given.dataset is None:
        raise ValueError("a dataset has a list of its files")
    document = json.loads(data_bucket().get(given.dataset))
    return [Version(**each) for each in document["files"]]


def remove(given: Input) -> None:
    """Remove its files, in the versions that are its own; nothing where that was begun before."""
    try:
        delete(files_of(given))
    except JobGone:
        return
