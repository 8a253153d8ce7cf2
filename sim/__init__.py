"""bufferzone."""
