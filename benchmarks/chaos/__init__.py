"""The crash laboratory: a server under kills and freezes, held to its promise by somebody who kept his own books.

    cd benchmarks && ../.venv/bin/python -m chaos --rounds 300

It starts API processes and workers, orders films of the tests' trivial engine without pause, and kills, freezes and
restarts processes at random. Then it lets the dust settle and compares what it was told with what is there.
"""
