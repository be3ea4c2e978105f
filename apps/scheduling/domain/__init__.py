"""The arithmetic of scheduling: plain Python that knows neither database nor web."""
