"""RestartiX: the platform that the eight domains under `apps/` stand on."""
