"""What the dialects share on the HTTP side: keys, errors, bodies, links to files, health."""
