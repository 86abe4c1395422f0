"""Random examples are the same in every run, here as in continuous integration: a red test means a defect."""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")
