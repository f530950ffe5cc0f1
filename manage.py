#!/usr/bin/env python
"""Django's command line for this site; `python manage.py serve` starts everything."""

from mlxsite.__main__ import main

if __name__ == "__main__":
    main()
