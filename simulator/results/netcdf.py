"""A labelled dataset as a NetCDF-4 file, written with h5py.

xarray writes the same in three times as long: it looks up every dimension of every variable in the file again.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

#: What dates are counted from, as the file says it.
DATES = {"units": "days since 1970-01-01", "calendar": "proleptic_gregorian"}
#: Mostly zeros and full doubles: more effort and shuffling cost time and gain nothing.
PACKED = {"compression": "gzip", "compression_opts": 1}


def write_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset whose dimensions all have coordinates, NaNs as they are.

    NetCDF-4 is HDF5 in which dimensions are scales that variables are attached to, and everything is kept in the order
    it was made in.

    Raises:
        OSError: when the file cannot be written.
    """
    import h5py

    with _Patient(path, "w+") as content:
        with h5py.File(content, "w", track_order=True) as file:
            _fill(file, dataset)
        if content.error is not None:
            raise content.error


class _Patient(io.FileIO):
    """A file that takes what it cannot write as written, and remembers the error.

    HDF5 goes on with a write that failed until its file is closed, and then the process crashes.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of it, or nothing any more once something has failed."""
        left = memoryview(data).cast("B")
        length = len(left)
        try:
            while self.error is None and len(left):
                left = left[super().write(left) or 0 :]
        except OSError as error:
            self.error = error
        return length

    def truncate(self, size: int | None = None) -> int:
        """Cut or lengthen the file."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0


def _fill(file: Any, dataset: xr.Dataset) -> None:
    """Write variables, their attributes and dimensions."""
    import h5py

    made = {}
    for name, variable in dataset.variables.items():
        values, attributes = variable.values, dict(variable.attrs)
        how: dict[str, Any] = {}
        if values.dtype.kind in "OU":
            values, how = values.astype(object), {"dtype": h5py.string_dtype()}
        elif values.dtype.kind == "M":
            values = values.astype("datetime64[D]").astype(np.int64)
            attributes |= DATES
        elif values.size > 1:
            how = dict(PACKED)
        made[name] = file.create_dataset(str(name), data=values, track_order=True, **how)
        made[name].attrs.update(attributes)
    for number, name in enumerate(dataset.sizes):
        made[name].make_scale(str(name))
        made[name].attrs["_Netcdf4Dimid"] = np.int32(number)
    for name, variable in dataset.variables.items():
        if name not in dataset.sizes:
            for axis, dimension in enumerate(variable.dims):
                made[name].dims[axis].attach_scale(made[dimension])
    file.attrs.update(dataset.attrs)
