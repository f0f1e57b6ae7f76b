"""Keys of the table's items: all that is written, and how it is read back.

    pk            sk                         what
    O#{owner}     META                       the owner's counters, and the next job id
    O#{owner}     RATE#{minute}              requests of this minute that were handed out
    O#{owner}     UP#{upload}                the job of a file name and bytes
    O#{owner}     EV#{event}                 an S3 event that was handled
    O#{owner}     J#{job_id}                 a job
    O#{owner}     L#{job_id}#{fence}         what the model of this fence has replaced
    O#{owner}     P#{job_id}#{name}          a large prediction
    O#{owner}     E#{job_id}#{fence}#{name}  what is made of the model of this fence
    Q             {owner}#{since}#{name}     work that waits
    Q             #SHARES                    who works at what
    T#{sha256}    TOKEN                      the owner of an API token
    TOKENS        {token_id}                 a token in the list

Job ids have ten digits, milliseconds thirteen: texts in the order of their numbers.
"""

from typing import Any

from kmeans_service.table.values import marshal

type Key = dict[str, Any]

# Kinds of items of an owner.
JOB, PREDICTION, LEFTOVER, EXPLANATION = "J#", "P#", "L#", "E#"
# Groups of the sparse index: jobs that somebody must look after, and what is to be removed.
LOOKED_AFTER, LEFT = "ACTIVE", "LEFT"
LINE, TOKENS = "Q", "TOKENS"


def owner_key(owner: str) -> str:
    return f"O#{owner}"


def job_key(owner: str, job_id: int) -> Key:
    return _of_owner(owner, f"{JOB}{_ten(job_id)}")


def job_of(key: Key) -> tuple[str, int]:
    """Owner and id of the job under this key."""
    owner, number = key["pk"]["S"].removeprefix("O#"), key["sk"]["S"].removeprefix(JOB)
    return owner, int(number)


def meta_key(owner: str) -> Key:
    return _of_owner(owner, "META")


def rate_key(owner: str, window: int) -> Key:
    return _of_owner(owner, f"RATE#{window}")


def upload_key(owner: str, upload_id: str) -> Key:
    return _of_owner(owner, f"UP#{upload_id}")


def event_key(owner: str, digest: str) -> Key:
    return _of_owner(owner, f"EV#{digest}")


def prediction_key(owner: str, job_id: int, name: str) -> Key:
    return _of_owner(owner, f"{of_job(PREDICTION, job_id)}{name}")


def explanation_key(owner: str, job_id: int, fence: int, name: str) -> Key:
    return _of_owner(owner, f"{of_job(EXPLANATION, job_id)}{_ten(fence)}#{name}")


def explained_fence(key: Key) -> int:
    """Of the model that an explanation under this key is of."""
    return int(key["sk"]["S"].split("#")[2])


def leftover_key(owner: str, job_id: int, fence: int) -> Key:
    return _of_owner(owner, f"{of_job(LEFTOVER, job_id)}{_ten(fence)}")


def of_job(kind: str, job_id: int) -> str:
    """What the sort keys of a job's predictions, leftovers or explanations begin with."""
    return f"{kind}{_ten(job_id)}#"


def work_key(owner: str, since: int, name: str) -> Key:
    return _key(LINE, f"{owner}#{since:013d}#{name}")


def work_of(key: Key) -> tuple[str, int, str]:
    """Owner, since when in epoch milliseconds, and name of what waits under this key."""
    owner, since, name = key["sk"]["S"].split("#", 2)
    return owner, int(since), name


def token_key(sha256: str) -> Key:
    return _key(f"T#{sha256}", "TOKEN")


def token_list_key(token_id: str) -> Key:
    return _key(TOKENS, token_id)


def key_of(item: dict[str, Any]) -> Key:
    return {name: item[name] for name in ("pk", "sk")}


def _of_owner(owner: str, sk: str) -> Key:
    return _key(owner_key(owner), sk)


def _key(pk: str, sk: str) -> Key:
    return marshal({"pk": pk, "sk": sk})


def _ten(number: int) -> str:
    return f"{number:010d}"


SHARES = _key(LINE, "#SHARES")
