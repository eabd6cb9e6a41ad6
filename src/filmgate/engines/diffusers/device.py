"""Which device a slot has, and what is free on it."""

from __future__ import annotations

import fcntl
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ...domain.errors import EngineUnavailable
from .config import Config

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Device:
    torch: torch.device
    name: str  #: as people call it
    dtype: torch.dtype
    hold: int | None = None  #: a descriptor: while it is open, this process counts as one on that GPU

    @property
    def is_gpu(self) -> bool:
        return str(self.torch.type) == "cuda"

    def free(self) -> int:
        """Bytes."""
        import torch

        if self.is_gpu:
            return int(torch.cuda.mem_get_info(self.torch)[0])
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While weights are loaded: two slots that look at the same free memory would both take it."""
        lock = _opened(f"{self.torch.index or 0}-loading")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def chosen(config: Config) -> Device:
    """The GPU that the fewest slots of this machine have, or the CPU. Raises EngineUnavailable."""
    import torch

    gpus = torch.cuda.device_count() if config.device != "cpu" else 0
    if config.device == "cuda" and not gpus:
        raise EngineUnavailable(
            'torch finds no GPU here: install a driver and a build of torch for it, or write device = "cpu" in the '
            "engine's table, which is very slow."
        )
    if not gpus:
        return Device(torch.device("cpu"), "the CPU", _dtype(config, torch.float32))
    number, hold = _least_used(gpus)
    device = torch.device("cuda", number)
    torch.cuda.set_device(device)
    usual = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return Device(device, f"{torch.cuda.get_device_name(device)} (GPU {number})", _dtype(config, usual), hold)


def attention_of(config: Config, device: Device) -> str:
    """A backend of diffusers. Raises EngineUnavailable for one that is fetched at run time: that is foreign code."""
    if config.attention.endswith("_hub"):
        raise EngineUnavailable(
            f"attention = {config.attention!r} fetches a program when the engine is loaded, which is not done here: "
            "install the package flash-attn or sageattention, and write flash or sage."
        )
    if config.attention != "auto":
        return config.attention
    return "flash" if device.is_gpu and find_spec("flash_attn") else "native"


def _dtype(config: Config, usual: torch.dtype) -> torch.dtype:
    import torch

    named = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
    return named.get(config.dtype, usual)


def _least_used(gpus: int) -> tuple[int, int]:
    """The number of a GPU, and the descriptor of a lock that says so. The system lets go of it with the process."""
    for round_ in itertools.count():
        for number in range(gpus):
            hold = _opened(f"{number}-{round_}")
            try:
                fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return number, hold
            except BlockingIOError:
                os.close(hold)
    raise AssertionError("count() does not end")


def _opened(name: str) -> int:
    """A file to be locked; never a link that somebody else has put there."""
    path = Path(tempfile.gettempdir()) / f"filmgate-{os.getuid()}-gpu-{name}.lock"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
