"""Which test modules can see a module: those that look at nothing else first, as they are fast.

The first pattern that fits counts. Where a module is used by a process that ends at once (a fit's),
no coverage would tell; so this is written by hand, and says less than there may be, never more.
"""

from fnmatch import fnmatch

API = ["test_reads", "test_presigned", "test_uploads", "test_worker", "test_bad_requests"]
STATES = ["test_transitions", "test_time_passes", "test_meanwhile"]
QUEUE = ["test_shares", "test_worker", "test_late_starts", "test_sweeper"]
LIFE = ["test_fit_protocol", "test_sweeper", "test_crashes", "test_upgrade", "test_faults"]
CSV = ["test_csv_grammar", "test_dataset", "test_csv_numbers", "test_file_kinds", "test_limits"]
NUMBERS = [
    *("test_clustering", "test_warnings", "test_out_of_core", "test_predict_matches_sklearn"),
    *("test_offsets", "test_seeds"),
]

TESTS: list[tuple[str, list[str]]] = [
    ("functions/kmeans_service/csv_*", CSV),
    ("functions/kmeans_service/file_*", ["test_file_kinds", "test_multipart", *CSV]),
    ("functions/kmeans_service/dataset.py", [*CSV, "test_out_of_core"]),
    ("functions/kmeans_service/label*", ["test_labels", "test_reads", "test_http"]),
    ("functions/kmeans_service/multipart_form.py", ["test_multipart", "test_bad_requests"]),
    ("functions/kmeans_service/json_body.py", ["test_bad_requests", "test_params"]),
    ("functions/kmeans_service/params.py", ["test_params", "test_bad_requests", "test_limits"]),
    ("functions/kmeans_service/tokens.py", ["test_authorizer", "test_owners"]),
    ("functions/kmeans_service/access.py", ["test_owners", "test_authorizer"]),
    ("functions/kmeans_service/rate.py", ["test_limits"]),
    ("functions/kmeans_service/negotiation.py", ["test_http", "test_clients", "test_reads"]),
    ("functions/kmeans_service/prefer.py", ["test_http", "test_synchronous"]),
    (
        "functions/kmeans_service/http*",
        ["test_http", "test_time_passes", "test_logs", "test_links", "test_heads", *API],
    ),
    ("functions/kmeans_service/links.py", ["test_links", "test_heads", "test_reads"]),
    ("functions/kmeans_service/telemetry.py", ["test_logs", "test_monitoring"]),
    (
        "functions/kmeans_service/config.py",
        ["test_limits", "test_synchronous", "test_time_passes", "test_http", "test_params"],
    ),
    ("functions/kmeans_service/jobs/direct_read.py", ["test_direct_read", "test_reads"]),
    (
        "functions/kmeans_service/jobs/items.py",
        ["test_damaged_records", "test_reads", "test_transitions"],
    ),
    ("functions/kmeans_service/jobs/reads.py", ["test_reads", *STATES, "test_damaged_records"]),
    ("functions/kmeans_service/jobs/shares.py", [*QUEUE, *STATES]),
    ("functions/kmeans_service/jobs/waiting.py", [*QUEUE, *STATES, "test_presigned"]),
    ("functions/kmeans_service/jobs/quota.py", [*STATES, "test_limits", "test_uploads"]),
    ("functions/kmeans_service/jobs/creation.py", [*STATES, "test_uploads", "test_limits", *API]),
    ("functions/kmeans_service/jobs/*", [*STATES, *API, *QUEUE, "test_limits", *LIFE]),
    ("functions/kmeans_service/location.py", ["test_links", "test_heads", "test_http"]),
    (
        "functions/kmeans_service/predictor.py",
        [*NUMBERS, "test_damage", "test_upgrade", "test_large_predictions", "test_lost_objects"],
    ),
    (
        "functions/kmeans_service/predictions.py",
        ["test_large_predictions", "test_presigned", "test_time_passes", "test_meanwhile"],
    ),
    (
        "functions/kmeans_service/storage.py",
        ["test_meanwhile", "test_reads", "test_presigned", "test_damage", "test_uploads"],
    ),
    (
        "functions/kmeans_service/nearest.py",
        ["test_predict_matches_sklearn", "test_offsets", "test_reads", "test_upgrade"],
    ),
    (
        "functions/kmeans_service/*",
        ["test_reads", "test_http", "test_logs", *STATES, *API, *QUEUE, "test_damage"],
    ),
    ("functions/fit/isolated.py", ["test_crashes", "test_fit_protocol", "test_clustering"]),
    (
        "functions/fit/synchronous.py",
        ["test_synchronous", "test_time_passes", "test_fit_protocol", "test_crashes", "test_reads"],
    ),
    (
        "functions/fit/arrivals.py",
        ["test_worker", "test_presigned", "test_meanwhile", "test_file_kinds", "test_limits"],
    ),
    ("functions/fit/prediction.py", ["test_presigned", "test_large_predictions", "test_meanwhile"]),
    (
        "functions/fit/worker.py",
        [*QUEUE, "test_crashes", "test_logs", "test_monitoring", *STATES],
    ),
    ("functions/fit/attempt.py", ["test_fit_protocol", "test_crashes", "test_synchronous"]),
    ("functions/fit/inbox.py", [*QUEUE, "test_presigned"]),
    ("functions/fit/metadata.py", ["test_worker", "test_seeds"]),
    (
        "functions/fit/c[ao]*.py",  # capacity, columns, computation
        [*NUMBERS, "test_capacity", "test_synchronous", "test_reads", "test_damage"],
    ),
    ("functions/fit/app.py", ["test_synchronous", "test_reads", "test_logs", *STATES]),
    (
        "functions/fit/*",
        [*NUMBERS, "test_reads", "test_damage", "test_fit_protocol", "test_http", "test_worker"],
    ),
    ("functions/jobs/sweeper.py", [*QUEUE, "test_time_passes"]),
    ("functions/jobs/*", ["test_reads", "test_http", "test_presigned", "test_damage"]),
    ("functions/predict/*", ["test_reads", "test_http", "test_bad_requests", "test_presigned"]),
    ("functions/upload/*", ["test_reads", "test_presigned", "test_bad_requests", "test_logs"]),
    ("functions/docs/*", ["test_http", "test_openapi", "test_links"]),
    ("functions/authorizer/*", ["test_authorizer", "test_owners"]),
    ("local/gateway.py", ["test_gateway"]),
    ("local/lanes.py", ["test_gateway"]),
    ("local/bodies.py", ["test_gateway"]),
    ("local/http_server.py", ["test_gateway", "test_wire"]),
    ("local/tokens.py", ["test_authorizer", "test_closed_service"]),
    ("local/transform.py", ["test_template"]),
    ("local/*", ["test_local_stack", "test_closed_service"]),
]
# What the template promises; lint and build, which take minutes, do not count.
OF_TEMPLATE = ["test_template_promises", "test_access_template", "test_monitoring", "test_template"]


def tests_of(module: str, there: set[str]) -> list[str]:
    """Paths of the test modules, fastest first, each once; `there` are those that exist."""
    for pattern, names in TESTS:
        if fnmatch(module, pattern):
            return [f"tests/{name}.py" for name in dict.fromkeys(names) if name in there]
    raise KeyError(module)
