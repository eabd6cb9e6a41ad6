"""How fast the diffusers engine is on this machine's GPU, and what it adds to the pipeline that it calls.

Architectures are those of the published models, with random weights: what a step costs does not depend on what the
weights are. The text encoder is one layer of the real width, since it runs once per film. Without a GPU there is
nothing to measure, and that is said.

    python benchmarks/diffusers_gpu.py [--model wan-2.2-ti2v-5b] [--seconds 4] [--steps 20]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from measure import Row, calibration, show

BOUND = 1.02  #: the engine's time over that of the pipeline called bare
RUNS = 3

_VAE_48 = {
    "base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "is_residual": True, "in_channels": 12, "out_channels": 12,
    "patch_size": 2, "scale_factor_spatial": 16, "latents_mean": [0.0] * 48, "latents_std": [1.0] * 48,
}  # fmt: skip
_XXL = {"d_model": 4096, "num_heads": 64, "d_ff": 10240}  #: of the real text encoder
#: The transformer, the VAE, and whether time steps are expanded.
MODELS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], bool]] = {
    "wan-2.2-ti2v-5b": (
        {"num_attention_heads": 24, "in_channels": 48, "out_channels": 48, "ffn_dim": 14336, "num_layers": 30},
        _VAE_48,
        True,
    ),
    "wan-2.1-t2v-1.3b": ({"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}, {}, False),
}


def build(name: str, folder: Path, device: str = "cuda") -> None:
    """The model with random weights in 16 bits, saved as a published one is."""
    import torch
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    from support.tiny import WORDS, tokenizer

    transformer, vae, expand = MODELS[name]
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            parts = {
                "transformer": WanTransformer3DModel(**transformer),
                "vae": AutoencoderKLWan(**vae),
                "text_encoder": UMT5EncoderModel(UMT5Config(vocab_size=WORDS, num_layers=1, **_XXL)),
            }
    finally:
        torch.set_default_dtype(torch.float32)
    flow = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0)
    pipe = WanPipeline(tokenizer=tokenizer(), scheduler=flow, expand_timesteps=expand, **parts)
    pipe.save_pretrained(folder, safe_serialization=True)


def timed(work: Callable[[], object]) -> float:
    import torch

    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def measure(name: str, seconds: int, steps: int, room: Path) -> list[Row]:
    import torch

    from filmgate.domain.spec import Spec
    from filmgate.engines.diffusers import DiffusersEngine
    from filmgate.engines.diffusers.calls import call_of
    from filmgate.engines.diffusers.device import chosen
    from filmgate.engines.diffusers.model import loaded
    from filmgate.engines.diffusers.orders import take_of
    from filmgate.engines.diffusers.recipes import RECIPES
    from filmgate.ports import Job

    build(name, room / "weights")
    config = DiffusersEngine.Config(repo=str(room / "weights"), recipe=name)
    engine = DiffusersEngine(config)
    ticks: list[tuple[float, str]] = []

    def report(fraction: float, stage: str) -> None:
        ticks.append((time.perf_counter(), stage))

    spec = Spec("a dog in a park", "veo3", seconds=seconds, seed=12345)
    job = Job("task", 1, spec, room, report, lambda: False, options={"steps": steps})
    engine.load()
    torch.cuda.reset_peak_memory_stats()
    ours = [timed(partial(engine.render, job)) for _ in range(RUNS)]
    peak = torch.cuda.max_memory_allocated() / 2**30
    marks = [at for at, stage in ticks if stage.startswith("denoising")]
    step = statistics.median(after - before for before, after in pairwise(marks))
    engine.close()
    del engine
    model = loaded(config, RECIPES[name], room / "weights", chosen(config))
    pipe = model.pipeline("WanPipeline")
    bare = [timed(lambda: encoded(pipe(**call_of(pipe, take_of(job, RECIPES[name]))), room)) for _ in range(RUNS)]
    return [
        Row("seconds for one step", step, float("inf"), "s"),
        Row(f"a film of {seconds} s in {steps} steps", statistics.median(ours), float("inf"), "s"),
        Row("memory of the GPU at the peak", peak, float("inf"), "GiB"),
        Row("the engine over the pipeline called bare", statistics.median(ours) / statistics.median(bare), BOUND, "x"),
    ]


def encoded(made: Any, room: Path) -> None:
    """What a script would do with the pictures: the same encoder, and nothing else."""
    import numpy as np

    from filmgate.media.encode import Encoder

    frames = made.frames[0]
    height, width = frames.shape[-2:]
    with Encoder(room / "bare.mp4", width, height, sound=False, crf=17.0) as encoder:
        for frame in frames:
            rgb = frame.float().mul(255).byte().permute(1, 2, 0).cpu().numpy()
            encoder.frame_bgra(np.dstack((rgb[:, :, ::-1], np.full(rgb.shape[:2], 255, np.uint8))))


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--model", choices=MODELS, default="wan-2.2-ti2v-5b")
    asked.add_argument("--seconds", type=int, choices=(4, 6, 8), default=4)
    asked.add_argument("--steps", type=int, default=20)
    given = asked.parse_args()
    if any(find_spec(name) is None for name in ("torch", "diffusers", "transformers", "accelerate")):
        print("diffusers_gpu: torch and the extra diffusers are not installed, so nothing was measured")
        return 0
    import torch

    if not torch.cuda.is_available():
        print("diffusers_gpu: torch finds no GPU on this machine, so nothing was measured")
        return 0
    print(f"diffusers_gpu: {torch.cuda.get_device_name()}, torch {torch.__version__}, {given.model}")
    with tempfile.TemporaryDirectory() as room:
        rows = measure(given.model, given.seconds, given.steps, Path(room))
    return 0 if show("Films by diffusers", rows, [calibration()]) else 1


if __name__ == "__main__":
    sys.exit(main())
