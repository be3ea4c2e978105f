"""`manage.py up`: everything in one terminal, and nothing left behind."""
