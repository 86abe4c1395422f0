"""What was asked: the study file, checked and turned into frozen models."""
