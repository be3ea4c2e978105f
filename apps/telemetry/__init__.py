"""What the platform notices about its own use, by id and without clinical rows."""
