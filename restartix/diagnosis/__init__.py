"""What `manage.py doctor` looks at: each finding says how to mend what is wrong."""
