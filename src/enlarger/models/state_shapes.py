"""Whether a state dict is a network's to the last tensor, and what is said of the first one that is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from enlarger.messages import msg
from enlarger.models.refusal import refusal

Shapes = Mapping[str, tuple[int, ...]]


def check_shapes(state: Mapping[str, NDArray[np.float32]], expected: Shapes, network: str, name: str) -> None:
    """Raises WeightsRefusedError, naming the file `name` and the tensor that is missing, odd or left over."""
    for key, shape in expected.items():
        if key not in state:
            raise refusal(name, msg("as a {network} it lacks {tensor}", network=network, tensor=key))
        if state[key].shape != shape:
            raise refusal(
                name,
                msg(
                    "as a {network}, {tensor} should be {expected} but is {found}",
                    network=network,
                    tensor=key,
                    expected=shape,
                    found=state[key].shape,
                ),
            )
    if unknown := sorted(state.keys() - expected.keys()):
        raise refusal(name, msg("a {network} has no tensor {tensor}", network=network, tensor=unknown[0]))
