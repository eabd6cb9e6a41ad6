"""Pure values and rules: no clock, no disk, no randomness, nothing but the standard library."""
