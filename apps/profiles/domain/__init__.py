"""The arithmetic of profiles: plain Python that knows neither database nor web."""
