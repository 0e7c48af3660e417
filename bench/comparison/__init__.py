"""What `bench.admission` measures against: the usual handler, and a client that costs little."""
