"""Order statistics of many series without sorting them whole."""

import numpy as np

from simulator.jit import kernel, prange, row

#: Values a series is sampled by, to see where most of it lies.
SAMPLE = 64
#: Parts of a series with buckets of their own.
PARTS = 8
#: As many values as are sorted in one go.
HANDFUL = 12


@row
def insert_sorted(values, begin, end, gap):
    """Sort values that are a gap apart, in place."""
    for i in range(begin + gap, end):
        moved = values[i]
        j = i
        while j >= begin + gap and values[j - gap] > moved:
            values[j] = values[j - gap]
            j -= gap
        values[j] = moved


@row
def is_sorted(values, begin, end):
    """Whether values are in order, such as many equal ones."""
    i = begin + 1
    while i < end and values[i] >= values[i - 1]:
        i += 1
    return i >= end


@row
def sort_part(values, begin, end):
    """Sort values in place (Shell sort: quick for a handful, sound for thousands)."""
    gap = min(1, end - begin - 1)
    if end - begin > HANDFUL:
        gap = 0 if is_sorted(values, begin, end) else (end - begin) // 2
    while gap > 0:
        insert_sorted(values, begin, end, gap)
        gap = 1 if gap == 2 else gap * 5 // 11


@row
def to_buckets(values, edge, scale, width, bucket):
    """Bucket of each value; a larger value is never in an earlier one."""
    e1, e2, e3, e4, e5, e6, e7 = edge[1], edge[2], edge[3], edge[4], edge[5], edge[6], edge[7]
    for i in range(values.shape[0]):
        x = values[i]
        part = np.int32(x >= e1) + np.int32(x >= e2) + np.int32(x >= e3) + np.int32(x >= e4)
        bucket[i] = part + np.int32(x >= e5) + np.int32(x >= e6) + np.int32(x >= e7)
    last = width - 1.0
    for i in range(values.shape[0]):
        k = np.uint32(bucket[i])
        place = (values[i] - edge[k]) * scale[k]
        # no number where a part is narrower, or wider, than numbers can say: such a part has one bucket, or two
        place = min(place, last) if place > 0.0 else 0.0
        bucket[i] = np.int32(np.float64(bucket[i]) * width + place)


@row
def pick(values, positions, ordered, edge, scale, bucket, start, found, k):
    """Values at some positions of a series, in rising order, as if it were sorted; into column k of ``found``.

    A sample tells where an eighth of the values begins and ends; each eighth has its own buckets of equal width. Only
    buckets with a position in them are sorted.
    """
    n, n_buckets = values.shape[0], start.shape[0] - 1
    size, width = min(n, SAMPLE), n_buckets // PARTS
    for i in range(size):
        ordered[i] = values[i * n // size]
    sort_part(ordered, 0, size)
    for part in range(PARTS + 1):
        edge[part] = ordered[min(part * size // PARTS, size - 1)]
    for part in range(PARTS):
        scale[part] = width / (edge[part + 1] - edge[part]) if edge[part + 1] > edge[part] else 0.0
    to_buckets(values, edge, scale, np.float64(width), bucket)
    start[:] = 0
    for i in range(n):
        start[bucket[i] + 1] += 1
    for b in range(n_buckets):
        start[b + 1] += start[b]
    for i in range(n):
        ordered[start[bucket[i]]] = values[i]
        start[bucket[i]] += 1
    # now each start is where its bucket ends
    b = 0
    done = -1
    for j in range(positions.shape[0]):
        while start[b] <= positions[j]:
            b += 1
        if b != done:
            sort_part(ordered, start[b - 1] if b > 0 else 0, start[b])
            done = b
        found[j, k] = ordered[positions[j]]


@row
def pick_some(columns, positions, ordered, edge, bucket, start, found, group):
    """Every so manieth series: see :func:`order_statistics`."""
    for k in range(group, columns.shape[0], ordered.shape[0]):
        pick(columns[k], positions, ordered[group], edge[group, 0], edge[group, 1], bucket[group], start[group],
             found, k)  # fmt: skip


@kernel
def order_statistics(columns, positions, ordered, edge, bucket, start, found):
    """Order statistics of series.

    Args:
        columns: float64[series, n], finite.
        positions: int64[m], rising: ranks from 0.
        ordered, edge, bucket, start: working space by group of series, float64[groups, n] and [groups, 2, PARTS + 1],
            int32[groups, n] and [groups, buckets + 1], buckets a multiple of PARTS.
        found: out, float64[m, series].
    """
    for group in prange(ordered.shape[0]):
        pick_some(columns, positions, ordered, edge, bucket, start, found, np.int64(group))
