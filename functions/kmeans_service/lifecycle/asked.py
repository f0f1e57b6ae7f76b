"""A fit as it is asked for, and its identity."""

import secrets
from dataclasses import dataclass

from kmeans_service.lifecycle.job import Input, Job, fit_id_of
from kmeans_service.recipes.params import MAX_RANDOM_STATE, Params, canonical


@dataclass(frozen=True)
class Asked:
    """The parameters of a fit, with a seed in any case.

    drawn  whether the seed was drawn: random_state was null
    """

    fit_id: str
    params: Params
    drawn: bool

    def is_met_by(self, job: Job) -> bool:
        """Whether the job's fit is this one, or has another drawn seed and is else the same."""
        if job.fit_id == self.fit_id:
            return True
        # Of an older version: the seed was drawn, and not noted.
        drawn = job.params is not None and (job.drawn or job.params["random_state"] is None)
        return self.drawn and drawn and job.params == self.params | _seed_of(job)


def asked(given: Input, params: Params, *, seed: int | None = None, drawn: bool = False) -> Asked:
    """The fit of this file with these parameters.

    seed   what a random_state of null comes to; None to draw one
    drawn  whether the seed in `params` was drawn for them before
    """
    seeded, now = with_seed(params, drawn_seed() if seed is None else seed)
    return Asked(fit_id_of(given.sha256, canonical(seeded)), seeded, drawn or now)


def with_seed(params: Params, seed: int) -> tuple[Params, bool]:
    """The parameters with this seed in place of null, and whether there was none."""
    if params["random_state"] is not None:
        return params, False
    return params | {"random_state": seed}, True


def drawn_seed() -> int:
    return secrets.randbelow(MAX_RANDOM_STATE + 1)


def _seed_of(job: Job) -> Params:
    return {"random_state": job.params["random_state"]} if job.params else {}
