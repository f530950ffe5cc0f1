"""What `manage.py doctor` does beyond the checks of health: a run of one model."""
