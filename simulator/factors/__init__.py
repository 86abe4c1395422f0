"""The common state: global, country and sector drivers, and how buyers depend on them."""
