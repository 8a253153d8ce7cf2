"""What we show: a run folder opened for reading, its figures, and the report that opens offline."""
