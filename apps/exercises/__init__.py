"""The library of exercises: the clinic's own and the one that all clinics share."""
