"""Finishing a film: the watermark touches its box alone, the sound keeps its time, a broken clip is refused."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from filmgate.domain.errors import OutputUnusable
from filmgate.domain.spec import AspectRatio, Spec
from filmgate.media.encode import Encoder
from filmgate.media.finish import finish
from filmgate.media.probe import probe, starts_fast
from filmgate.media.watermark import watermark

SPEC = Spec(prompt="x", model="veo3", seconds=4, seed=12345)
CLICK_S = 2.0


def clip(path: Path, width: int = 1280, height: int = 720, *, sound: bool = True, seconds: int = 4) -> Path:
    """A moving gradient, and a click at two seconds."""
    ramp = np.linspace(40, 200, width, dtype=np.uint8)[None, :, None].repeat(height, 0).repeat(4, 2)
    with Encoder(path, width, height, sound=sound) as film:
        for number in range(24 * seconds):
            film.frame_bgra(np.roll(ramp, number * 4, axis=1))
        if sound:
            samples = np.zeros((48000 * seconds, 2), np.float32)
            at = round(CLICK_S * 48000)
            samples[at : at + 480] = 0.8 * np.sin(np.arange(480) * 0.4)[:, None]
            film.audio(samples)
    return path


def ignore(fraction: float, stage: str) -> None:
    """Progress is not looked at here."""


def pictures(path: Path) -> npt.NDArray[np.int16]:
    """Every twelfth picture's luma."""
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
    return np.stack(frames[::12]).astype(np.int16)


def click_at(path: Path) -> float:
    with av.open(str(path)) as film:
        parts = [(float(frame.time or 0), frame.to_ndarray()) for frame in film.decode(audio=0)]
    start, loudest = max(parts, key=lambda part: float(np.abs(part[1]).max()))
    return start + int(np.abs(loudest).max(axis=0).argmax()) / 48000


def test_a_good_clip_is_stored_as_it_is(tmp_path: Path) -> None:
    made = clip(tmp_path / "clip.mp4").read_bytes()
    film, poster = finish(tmp_path / "clip.mp4", SPEC, tmp_path, ignore)
    assert film.path.read_bytes() == made
    assert (poster.width, poster.height) == (1280, 720)


def test_a_watermark_changes_its_box_and_nothing_else(tmp_path: Path) -> None:
    spec = Spec(prompt="x", model="veo3", seconds=4, seed=12345, watermark="MyBrand")
    plain = pictures(clip(tmp_path / "clip.mp4"))
    film, _ = finish(tmp_path / "clip.mp4", spec, tmp_path, ignore)
    difference = np.abs(pictures(film.path) - plain)
    mark = watermark("MyBrand", 1280, 720)
    rows = slice(mark.top, mark.top + mark.text.shape[0])
    columns = slice(mark.left, mark.left + mark.text.shape[1])
    assert difference[:, rows, columns].mean() > 10
    difference[:, rows, columns] = 0
    assert difference.mean() < 2
    assert starts_fast(film.path)
    assert click_at(film.path) == pytest.approx(CLICK_S, abs=0.01)


@pytest.mark.parametrize("background", [16, 90, 160, 235])
def test_before_encoding_only_the_box_changes_and_the_text_stands_out(background: int) -> None:
    luma = np.full((720, 1280), background, np.uint8)
    blue, red = np.full((360, 640), 90, np.uint8), np.full((360, 640), 170, np.uint8)
    mark = watermark("MyBrand", 1280, 720)
    mark.burn(luma, blue, red)
    height, width = mark.text.shape
    box = luma[mark.top : mark.top + height, mark.left : mark.left + width].astype(int)
    letters, around = box[mark.text > 0.8], box[(mark.text == 0) & (mark.shadow > 0.3)]
    assert letters.mean() - around.mean() > 60
    for plane, step, value in ((luma, 1, background), (blue, 2, 90), (red, 2, 170)):
        rows = slice(mark.top // step, (mark.top + height) // step)
        plane[rows, mark.left // step : (mark.left + width) // step] = value
        assert (plane == value).all()


def test_a_silent_film_gets_no_sound_track(tmp_path: Path) -> None:
    spec = Spec(prompt="x", model="veo3", seconds=4, seed=12345, watermark="MyBrand")
    film, _ = finish(clip(tmp_path / "clip.mp4", sound=False), spec, tmp_path, ignore)
    assert not film.has_audio
    assert not probe(film.path).has_audio


def test_a_film_whose_index_is_at_the_end_is_turned_round(tmp_path: Path) -> None:
    source = clip(tmp_path / "source.mp4")
    slow = tmp_path / "slow.mp4"
    with av.open(str(source)) as opened, av.open(str(slow), "w", format="mp4") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in opened.streams}
        for packet in opened.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    assert not starts_fast(slow)
    film, _ = finish(slow, SPEC, tmp_path, ignore)
    assert starts_fast(film.path)
    assert (pictures(film.path) == pictures(source)).all()


def test_a_film_that_does_not_play_everywhere_is_encoded_anew(tmp_path: Path) -> None:
    """VP9 in a Matroska file, as some models write it."""
    foreign = tmp_path / "clip.mkv"
    with av.open(str(foreign), "w") as out:
        stream = out.add_stream("libvpx-vp9", rate=24)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.options = {"cpu-used": "8", "deadline": "realtime"}
        for number in range(96):
            picture = np.full((720, 1280, 3), number, dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    film, _ = finish(foreign, SPEC, tmp_path, ignore)
    found = probe(film.path)
    assert found.plays_everywhere
    assert not found.has_audio
    assert found.seconds == pytest.approx(4, abs=0.05)


def test_the_wrong_shape_or_length_is_refused(tmp_path: Path) -> None:
    made = clip(tmp_path / "clip.mp4")
    upright = Spec(prompt="x", model="veo3", seconds=4, aspect_ratio=AspectRatio.PORTRAIT)
    with pytest.raises(OutputUnusable, match="720x1280"):
        finish(made, upright, tmp_path, ignore)
    with pytest.raises(OutputUnusable, match="8 s were ordered"):
        finish(made, Spec(prompt="x", model="veo3", seconds=8), tmp_path, ignore)


@pytest.mark.parametrize("content", [b"", b"not a film at all", b"\0\0\0\x18ftypmp42" + b"\0" * 64])
def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(OutputUnusable, match="cannot be opened as a film"):
        finish(path, SPEC, tmp_path, ignore)


@pytest.mark.parametrize("name", ["clip.m3u8", "clip.txt", "clip.png"])
def test_what_leads_a_reader_to_other_files_is_refused(name: str, tmp_path: Path) -> None:
    made = clip(tmp_path / "made.mp4")
    content = {
        "clip.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{made}\n#EXT-X-ENDLIST\n".encode(),
        "clip.txt": f"ffconcat version 1.0\nfile {made.name}\n".encode(),
        "clip.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\2\0\0\0" + bytes(64),
    }
    (tmp_path / name).write_bytes(content[name])
    with pytest.raises(OutputUnusable, match="cannot be opened as a film"):
        finish(tmp_path / name, SPEC, tmp_path, ignore)


def test_a_film_that_is_damaged_inside_is_refused(tmp_path: Path) -> None:
    made = bytearray(clip(tmp_path / "clip.mp4").read_bytes())
    start = made.find(b"mdat") + 4
    made[start:] = bytes(len(made) - start)
    (tmp_path / "clip.mp4").write_bytes(made)
    with pytest.raises(OutputUnusable, match="damaged"):
        finish(tmp_path / "clip.mp4", SPEC, tmp_path, ignore)


@pytest.mark.parametrize("text", ["M", "MyBrand", "a very long line " * 20, "line\nbreak", "ümläut ©"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (3840, 2160), (64, 64)])
def test_a_watermark_fits_into_the_picture(text: str, width: int, height: int) -> None:
    mark = watermark(text, width, height)
    assert mark.left % 2 == mark.top % 2 == 0
    assert mark.left + mark.text.shape[1] <= width
    assert mark.top + mark.text.shape[0] <= height
    assert 0 < mark.text.max() <= 1
