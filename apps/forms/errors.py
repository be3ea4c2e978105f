"""What can be refused and why: forms."""
