"""The checks of `manage.py doctor`: the machine, the settings, and a run of one model."""
