"""The columns of a model's points: how many, their names, and which of them it uses."""

from dataclasses import dataclass

from kmeans_service.errors import FeatureMismatch, quoted


@dataclass(frozen=True, slots=True)
class Columns:
    """As the file had them that the model was fitted to.

    used  positions from 0 of those that the model is made of, in its order; None: all
    """

    n_features: int
    feature_names: tuple[str, ...] | None = None
    used: tuple[int, ...] | None = None

    def check(self, n_features: int, names: tuple[str, ...] | None) -> None:
        """Raise FeatureMismatch unless points of these columns can be put to the model."""
        if n_features != self.n_features:
            raise FeatureMismatch(
                f"the points have {n_features} feature{'s' * (n_features != 1)}, "
                f"but the model was fitted with {self.n_features}",
                expected=self.n_features,
                found=n_features,
            )
        if names is None or self.feature_names is None:
            return
        for column, (name, fitted) in enumerate(
            zip(names, self.feature_names, strict=True), start=1
        ):
            if name != fitted:
                raise FeatureMismatch(
                    f"column {column} is named {quoted(name)}, but the model was fitted with "
                    f"{quoted(fitted)} there",
                    column=column,
                )
