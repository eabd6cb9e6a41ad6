"""Engines: what turns a Spec into a Clip, and the slots (child processes) in which they run."""
