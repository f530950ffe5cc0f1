"""What `manage.py doctor` looks at: the machine, the settings, and one model that really answers."""
