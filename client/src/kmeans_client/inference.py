"""The calls of the V2 inference protocol, for who has them already; others call `predict`."""

from typing import Any, cast

from kmeans_client.calls import Calls
from kmeans_client.problems import NotFitted
from kmeans_client.transport import read_json


class Inferences(Calls):
    """A job's model as other model servers answer for theirs; its name is the job's id."""

    def server_metadata(self) -> dict[str, Any]:
        """The server's name, version and extensions of the protocol."""
        return cast(dict[str, Any], self._get("/v2"))

    def server_live(self) -> bool:
        """Whether the server answers; raises NoService where it does not."""
        return bool(self._get("/v2/health/live")["live"])

    def server_ready(self) -> bool:
        """Whether what computes inferences has started."""
        return bool(self._get("/v2/health/ready")["ready"])

    def model_metadata(self, job_id: int) -> dict[str, Any]:
        """The tensors that the model takes and gives: names, datatypes, shapes."""
        return cast(dict[str, Any], self._get(f"/v2/models/{job_id}"))

    def model_ready(self, job_id: int) -> bool:
        """Whether the job has a model; raises JobNotFound or JobGone where there is no job."""
        try:
            return bool(self._get(f"/v2/models/{job_id}/ready")["ready"])
        except NotFitted:
            return False

    def infer(self, job_id: int, inputs: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
        """The outputs for these input tensors, as the protocol's JSON has both.

        inputs  each with name, shape, datatype and data, as model_metadata says
        wanted  outputs, id
        """
        body = {"inputs": inputs, **wanted}
        return cast(dict[str, Any], read_json(self._post(f"/v2/models/{job_id}/infer", body)))
