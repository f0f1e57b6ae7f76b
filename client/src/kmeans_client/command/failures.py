"""What went wrong, as a sentence and as an exit code."""

from kmeans_client import problems
from kmeans_client.problems import Problem

# By kind; the command's help says the same.
CODES: list[tuple[int, tuple[type[Exception], ...]]] = [
    (3, (problems.NoService, problems.ConnectionLost, problems.RouteNotFound)),
    (4, (problems.Unauthenticated, problems.Forbidden)),
    (5, (problems.JobNotFound, problems.JobGone, problems.PredictionNotFound)),
    (5, (problems.ModelDamaged, problems.ChoiceNotFound)),
    (7, (problems.NotFitted, problems.NotUploaded, problems.FitConflict, problems.Changed)),
    (7, (problems.BeingMade, problems.TooManyRequests, problems.Unavailable)),
    (7, (problems.TookTooLong,)),
    (8, (problems.InternalError, problems.BadGateway, problems.NotMade)),
    (8, (problems.InsufficientStorage,)),
    (6, (Problem, problems.InvalidInput)),
]
OTHERWISE = 1


def exit_code(error: Exception) -> int:
    if isinstance(error, Problem) and error.status >= 500 and type(error) is Problem:
        return 8
    return next((code for code, kinds in CODES if isinstance(error, kinds)), OTHERWISE)


def sentence(error: Exception) -> str:
    """What happened, and what to do."""
    if isinstance(error, problems.NoService):
        return (
            f"{error}\nStart one with `make run` in the service's folder, or name another: "
            "--url, KMEANS_URL, or a profile (kmeans token --url URL)."
        )
    if isinstance(error, problems.RouteNotFound):
        return f"{error}\nThe URL is another service's, or the service is older than this command."
    if isinstance(error, problems.Unauthenticated):
        return f"{error}\nGive a token: --token, KMEANS_TOKEN, or keep one: kmeans token"
    if isinstance(error, Problem):
        return f"{error.title}: {error.detail}" if error.detail else error.title
    return str(error)
