"""Patients, specialists, their specialties and their hours."""
