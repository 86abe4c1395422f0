"""Figures of the report, one file per figure: ``data`` says what is drawn, ``plot_<name>`` draws it."""
