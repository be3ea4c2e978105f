"""The booking page: a clinic's services, free times and bookings for everybody, without account, cookie or script."""
