"""What the list of appointments costs at least: the same answer from raw SQL, without users, policies or rules."""
