"""Where: the line as a ruler, its ground, roads and daylight."""
