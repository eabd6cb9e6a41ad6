"""Say what a film is: ``describe.py WORDS FILE`` prints the words and what a player would find in the file."""

from __future__ import annotations

import sys
from pathlib import Path

import av

CODECS = {"h264": "H.264", "aac": "AAC"}


def describe(path: Path) -> str:
    """ "8.0 s, 1280x720, H.264 and AAC, 24 fps, 2.1 MB". Raises av.FFmpegError for a file that is no film."""
    with av.open(path) as film:
        picture = film.streams.video[0]
        codecs = " and ".join(CODECS.get(each.codec_context.name, each.codec_context.name) for each in film.streams)
        seconds = (film.duration or 0) / av.time_base
        shape = f"{picture.codec_context.width}x{picture.codec_context.height}"
        return f"{seconds:.1f} s, {shape}, {codecs}, {float(picture.average_rate or 0):g} fps, {_size(path)}"


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    words, file = sys.argv[1:]
    print(words, describe(Path(file)))
