"""Commands of scheduling, and the demo clinics that `seed_demo` makes."""
