"""How long work may take, in seconds: on the slow side, to tell what is long from what is not."""

from kmeans_service.lifecycle.job import Input, Job
from kmeans_service.recipes.recipe import Recipe
from kmeans_service.recipes.work import fit_work, search_work

# What one vCPU does at least in Lloyd's iterations, on data of few columns.
MULTIPLICATIONS_PER_SECOND = 5e8
# A stream from S3, parsed.
BYTES_PER_SECOND = 50e6
# Parsed, and measured against centers of which the number is not known yet.
POINTS_BYTES_PER_SECOND = 10e6
# Differences of a row and a center, each column counted.
DIFFERENCES_PER_SECOND = 2e8
# Rows whose distances are put in order, and rows that are written with what is said of them.
ORDERED_PER_SECOND = 2e6
ROWS_PER_SECOND = 200_000

# The import of what grows trees, where nothing of it is in memory yet, and a tree.
TREE_SECONDS = 2.0
# Of a draw, in the quantiles of a cluster and of all others.
DRAWN_PER_SECOND = 1.5e7
MOST_DRAWN, MOST_COLUMNS = 100_000, 10

# Of an audit: its starts, and what they may take together.
MOST_STARTS, LEAST_STARTS, AUDIT_SECONDS, STEPS_OF_A_START = 50, 10, 120.0, 10


def fit_seconds(recipe: Recipe, given: Input) -> float:
    """All of its iterations counted, as `MaxWork` does."""
    work = fit_work(recipe, given.n_samples, recipe.n_clustered(given.n_features))
    return work / MULTIPLICATIONS_PER_SECOND + given.rows.size / BYTES_PER_SECOND


def distances_seconds(job: Job) -> float:
    """To read a fitted job's rows, measure each against every center, and put them in order."""
    given = job.checked_input
    n_clusters = len(job.published.scores.cluster_sizes)
    differences = given.n_samples * n_clusters * given.n_features
    in_order = given.n_samples / ORDERED_PER_SECOND
    return given.rows.size / BYTES_PER_SECOND + differences / DIFFERENCES_PER_SECOND + in_order


def rows_seconds(job: Job) -> float:
    """To measure them for their quantiles, then once more, and to write them down."""
    return 2 * distances_seconds(job) + job.checked_input.n_samples / ROWS_PER_SECOND


def drawing_seconds(job: Job) -> float:
    """To label every row of a fitted job, and to draw some."""
    given = job.checked_input
    n_clusters = len(job.published.scores.cluster_sizes)
    labels = given.n_samples * n_clusters * given.n_features / MULTIPLICATIONS_PER_SECOND
    return given.rows.size / POINTS_BYTES_PER_SECOND + labels


def description_seconds(job: Job) -> float:
    """The same, and a rule and a sentence for each cluster."""
    given, n_clusters = job.checked_input, len(job.published.scores.cluster_sizes)
    drawn = min(given.n_samples, MOST_DRAWN) * min(given.n_features, MOST_COLUMNS)
    return TREE_SECONDS + drawing_seconds(job) + drawn * n_clusters / DRAWN_PER_SECOND


def audit_seconds(job: Job, recipe: Recipe) -> float:
    """To read a fitted job's rows, to search them, and to start anew as often as is audited."""
    given = job.checked_input
    once = _seconds_of_a_start(job, recipe)
    search = search_work(given.n_samples, recipe.n_clustered(given.n_features), recipe.n_clusters)
    searched = search.most * recipe.n_clustered(given.n_features) / MULTIPLICATIONS_PER_SECOND
    read = given.rows.size / BYTES_PER_SECOND
    return read + searched + starts_of_audit(job, recipe) * once


def starts_of_audit(job: Job, recipe: Recipe) -> int:
    """Fifty, or as many as there is time for, but ten at least."""
    room = AUDIT_SECONDS / max(_seconds_of_a_start(job, recipe), 1e-9)
    return max(LEAST_STARTS, min(MOST_STARTS, int(room)))


def _seconds_of_a_start(job: Job, recipe: Recipe) -> float:
    """As many iterations as the fit had, and as much again for the start and for slower ones."""
    given = job.checked_input
    steps = min(recipe.max_iter, 2 * job.published.scores.n_iter + STEPS_OF_A_START)
    width = recipe.n_clustered(given.n_features)
    return given.n_samples * width * recipe.n_clusters * steps / MULTIPLICATIONS_PER_SECOND


def check_seconds(size: int) -> float:
    return size / BYTES_PER_SECOND


def prediction_seconds(size: int) -> float:
    return size / POINTS_BYTES_PER_SECOND


def labelling_seconds(job: Job, size: int) -> float:
    """To check and to label a file of points, whose rows are as long as those of the job's."""
    given, n_clusters = job.checked_input, len(job.published.scores.cluster_sizes)
    n_points = size * given.n_samples / max(1, given.rows.size)
    work = n_points * n_clusters * given.n_features
    return 2 * size / BYTES_PER_SECOND + work / MULTIPLICATIONS_PER_SECOND
