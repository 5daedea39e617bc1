"""Matrices of whole numbers in 4 bits each: half the file for 8-bit matrices.

The weights of a channel are stored in groups that share a scale of 8 bits, which is a share of the channel's own. When
a model is loaded its 8-bit matrices are computed from them. Source of the grouping: Dettmers and Zettlemoyer 2023, "The
case for 4-bit precision", arXiv 2212.09720.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HALF", "MATRICES", "Packed", "read", "unpacked", "write"]

MATRICES = "matrices.npz"
"""The file of a model folder that they stand in."""
HALF = 8
"""What is added to a number of -8 to 7 to store it without a sign."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """One matrix [inputs, channels]."""

    numbers: NDArray[np.uint8]
    """[inputs / 2, channels]: the upper half of the rows in the low four bits, the lower half in the high ones."""
    shares: NDArray[np.uint8]
    """[groups, channels]: the scale of each group of rows, as a share of its channel's."""
    scale: NDArray[np.float32]
    """[channels]: a channel's scale at a share of 1."""
    rows: NDArray[np.float32]
    """[inputs, 1]: what each row is multiplied by in the 8-bit matrix."""
    columns: NDArray[np.float32]
    """[channels]: the scale of each channel in the 8-bit matrix."""
    turned: np.bool_ | NDArray[np.bool_]
    """Whether the matrix that runs is [channels, inputs]."""

    def plain(self) -> NDArray[np.float32]:
        """The weights [inputs, channels], without what ``rows`` multiplies them by."""
        return self._scaled(self.scale)

    def whole(self) -> NDArray[np.int8]:
        """The 8-bit matrix as it runs."""
        import numpy as np

        scaled = self._scaled(self.scale / self.columns)
        scaled *= self.rows
        np.rint(scaled, out=scaled)
        np.clip(scaled, -128, 127, out=scaled)
        matrix = scaled.astype(np.int8)
        return np.ascontiguousarray(matrix.T) if self.turned else matrix

    def _scaled(self, scale: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        both = np.concatenate([self.numbers & 15, self.numbers >> 4])
        grouped = both.reshape(len(self.shares), -1, both.shape[1]).astype(np.float32)
        grouped -= HALF
        grouped *= (self.shares * scale).astype(np.float32)[:, None]
        return grouped.reshape(both.shape)


def write(path: Path, matrices: Mapping[str, Packed]) -> None:
    """Write ``matrices`` by name to ``path``."""
    import numpy as np

    parts = {f"{name}/{part.name}": getattr(of, part.name) for name, of in matrices.items() for part in fields(of)}
    with path.open("wb") as file:
        np.savez_compressed(file, **parts)


def read(path: Path) -> dict[str, Packed]:
    """The matrices in ``path`` by name. Raises `ValueError` when it holds none, `OSError` when it cannot be read."""
    import numpy as np

    found: dict[str, dict[str, Any]] = {}
    try:
        with np.load(path, allow_pickle=False) as parts:
            for key in parts.files:
                name, part = key.rsplit("/", 1)
                found.setdefault(name, {})[part] = parts[key]
        return {name: Packed(**of) for name, of in found.items()}
    except (TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path.name} holds no packed matrices, or is cut short") from error


def unpacked(path: Path, threads: int) -> dict[str, NDArray[np.int8]]:
    """The 8-bit matrices in ``path`` by name, computed by so many ``threads``."""
    matrices = read(path)
    with ThreadPoolExecutor(threads, thread_name_prefix="guardrail-loading") as pool:
        return dict(zip(matrices, pool.map(Packed.whole, matrices.values()), strict=True))
