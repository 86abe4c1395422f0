"""Plain-Python twins of simulator.engine."""


def order_statistics(columns, positions, ordered, edge, bucket, start, found):
    for k, values in enumerate(columns):
        in_order = sorted(values.tolist())
        for j, position in enumerate(positions):
            found[j, k] = in_order[position]
