"""K-means as a serverless service: its client, and an estimator that fits with it.

Names are looked up when they are first used: the command's help waits for neither httpx nor
scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kmeans_client._version import __version__

if TYPE_CHECKING:
    from kmeans_client.auth import AwsSignature as AwsSignature
    from kmeans_client.client import Client as Client
    from kmeans_client.estimator import RemoteKMeans as RemoteKMeans
    from kmeans_client.problems import KMeansError as KMeansError
    from kmeans_client.problems import Problem as Problem

_HOMES = {
    "AwsSignature": "auth",
    "Client": "client",
    "RemoteKMeans": "estimator",
    "KMeansError": "problems",
    "Problem": "problems",
}
__all__ = ["AwsSignature", "Client", "KMeansError", "Problem", "RemoteKMeans", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
