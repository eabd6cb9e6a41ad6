"""What several tests need: a real server in real processes, real receivers, and tools that may be missing."""
