"""Where everything lies in the bucket, and how a key is read back.

    inputs/{owner}/{uuid}.csv                     a file that came in a request
    inputs/{owner}/{digest}.names.json            names of columns that are too long for an item
    inputs/{owner}/{digest}.table.json.gz         the profile of a file's table
    inputs/{owner}/converted/{digest}.csv         the rows of a file that is no text
    inputs/{owner}/init-{uuid}.json               initial centers that are, of a job without a file
    inputs/{owner}/{digest}.files.json            which files a dataset has
    incoming/{owner}/…                            what its owner dropped there, under any name
    datasets/{owner}/{name}/…                     files that are one table once _SUCCESS is there
    pending/{owner}/{job_id}/input.csv            the file of a job that was made for it
    pending/{owner}/{job_id}/predictions/{name}.csv   points of a large prediction
    models/{owner}/{job_id}/source-{uuid}.json    the clusters that its fit is to continue
    models/{owner}/{job_id}/{fit_id}/{fence}/…    what one attempt at a fit stored
    models/{owner}/{job_id}/{fit_id}/{fence}/made/{name}/{uuid}   what was made of it when asked for
    results/{owner}/{job_id}/{name}/{fence}.csv   what one attempt at a large prediction stored
    results/{owner}/{job_id}/{name}/{fence}/…     what a run for one did
    names/{owner}/{job_id}/{uuid}.json            what the owner calls the job's clusters

Keys hold ids, and never a user's file name but under incoming/ and datasets/.
"""

import hashlib
import posixpath
import re
import uuid
from dataclasses import dataclass
from pathlib import PurePosixPath

# An owner's name: a folder of each of these.
OWNER = r"[A-Za-z0-9_-]{1,64}"
INPUTS, INCOMING, PENDING, MODELS, RESULTS = "inputs", "incoming", "pending", "models", "results"
NAMES, DATASETS = "names", "datasets"
ENGINE = "engine"  # what runs beyond the worker execute

_INPUT = "input.csv"
_DROPPED = re.compile(rf"{INCOMING}/({OWNER})/(?:.*/)?([^/]+)", re.S)
# What begins otherwise is no dataset: Spark and Hadoop write so what is no data.
_DATASET = re.compile(rf"{DATASETS}/({OWNER})/((?:[^/_.][^/]*/)*[^/_.][^/]*)/_SUCCESS", re.S)
_AWAITED = re.compile(rf"{PENDING}/({OWNER})/([0-9]{{1,10}})/(.+)")
_ATTEMPT = re.compile(rf"{MODELS}/[^/]+/[0-9]+/[^/]+/([0-9]+)/.+", re.S)


def inputs_of(owner: str) -> str:
    return f"{INPUTS}/{owner}/"


def new_input(owner: str) -> str:
    return f"{inputs_of(owner)}{uuid.uuid4()}.csv"


def beside_input(owner: str, key: str, version_id: str | None, sha256: str) -> str:
    """What keys begin with of what is kept of a file: the same for the same file and bytes."""
    version = f"{key}\0{version_id}\0{sha256}".encode(errors="surrogatepass")
    return f"{inputs_of(owner)}{hashlib.sha256(version).hexdigest()[:32]}"


def converted(owner: str, key: str, version_id: str | None) -> str:
    """Where the rows of a file are put: the same for the same file, however often it is done."""
    version = f"{key}\0{version_id}".encode(errors="surrogatepass")
    return f"{inputs_of(owner)}converted/{hashlib.sha256(version).hexdigest()[:32]}.csv"


def new_init(prefix: str) -> str:
    return f"{prefix}init-{uuid.uuid4().hex}.json"


def awaited_input(owner: str, job_id: int) -> str:
    return f"{_of_job(PENDING, owner, job_id)}{_INPUT}"


def awaited_points(owner: str, job_id: int, name: str) -> str:
    return f"{_of_job(PENDING, owner, job_id)}predictions/{name}.csv"


def models_of(owner: str, job_id: int) -> str:
    return _of_job(MODELS, owner, job_id)


def new_source(owner: str, job_id: int) -> str:
    return f"{models_of(owner, job_id)}source-{uuid.uuid4().hex}.json"


def fit(owner: str, job_id: int, fit_id: str) -> str:
    """Below it the fit's attempts lie."""
    return f"{models_of(owner, job_id)}{fit_id}/"


def attempt(owner: str, job_id: int, fit_id: str, fence: int) -> str:
    return f"{fit(owner, job_id, fit_id)}{fence}/"


def explanation(of_model: str, name: str, attempt: str) -> str:
    """Beside a model's objects, `of_model` being one of theirs."""
    return f"{posixpath.dirname(of_model)}/made/{name}/{attempt}"


def result(owner: str, job_id: int, name: str, fence: int) -> str:
    return f"{_of_job(RESULTS, owner, job_id)}{name}/{fence}.csv"


def run_of_result(owner: str, job_id: int, name: str, fence: int) -> str:
    """Below it a run works that makes such a result."""
    return f"{_of_job(RESULTS, owner, job_id)}{name}/{fence}/"


def new_names(owner: str, job_id: int) -> str:
    return f"{_of_job(NAMES, owner, job_id)}{uuid.uuid4().hex}.json"


def all_of_job(owner: str, job_id: int) -> list[str]:
    """The prefixes below which nothing lies but what is the job's."""
    return [_of_job(kind, owner, job_id) for kind in (PENDING, MODELS, RESULTS, NAMES)]


def _of_job(kind: str, owner: str, job_id: int) -> str:
    return f"{kind}/{owner}/{job_id}/"


@dataclass(frozen=True)
class Dropped:
    """A file that its owner put under incoming/, or the mark that a dataset is complete."""

    owner: str
    filename: str
    is_dataset: bool = False


@dataclass(frozen=True)
class Awaited:
    """What was uploaded for a job: its file, or points for the prediction of this name."""

    owner: str
    job_id: int
    prediction: str | None


def arrived(key: str) -> Dropped | Awaited | None:
    """What an object is that came into the bucket; None for one that is nobody's."""
    if found := _DROPPED.fullmatch(key):
        return Dropped(found[1], found[2])
    if found := _DATASET.fullmatch(key):
        return Dropped(found[1], found[2], is_dataset=True)
    if found := _AWAITED.fullmatch(key):
        owner, job_id, rest = found.groups()
        return Awaited(owner, int(job_id), None if rest == _INPUT else PurePosixPath(rest).stem)
    return None


def fence_of(key: str) -> int | None:
    """Of the attempt that stored this object below models/."""
    found = _ATTEMPT.fullmatch(key)
    return int(found[1]) if found else None
