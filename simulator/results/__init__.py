"""Results of a run: labelled arrays with units, their files and provenance."""
