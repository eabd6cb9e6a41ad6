"""The promises of docs/ that go beyond single statements: every field, every address, every cell, every switch."""
