"""Measures: scenario rows to estimates with their errors."""
