"""Whole pipelines of diffusers with a few thousand random weights each, made here and saved as published ones are.

What they make is noise, of the right shape, in a second on a CPU; everything else is as it is with real weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLCogVideoX,
    AutoencoderKLHunyuanVideo15,
    AutoencoderKLLTX2Audio,
    AutoencoderKLLTX2Video,
    AutoencoderKLWan,
    CogVideoXDDIMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideo15Pipeline,
    HunyuanVideo15Transformer3DModel,
    Kandinsky6SRLatentUpscalerBank,
    Kandinsky6SRPipeline,
    Kandinsky6SRTransformer3DModel,
    Kandinsky6SRVAE,
    LTX2Pipeline,
    LTX2VideoTransformer3DModel,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from diffusers.guiders import ClassifierFreeGuidance
from diffusers.pipelines.ltx2.connectors import LTX2TextConnectors
from diffusers.pipelines.ltx2.latent_upsampler import LTX2LatentUpsamplerModel
from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import (
    ByT5Tokenizer,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    PreTrainedTokenizerFast,
    Qwen2_5_VLTextConfig,
    Qwen2_5_VLTextModel,
    T5Config,
    T5EncoderModel,
    UMT5Config,
    UMT5EncoderModel,
)

_SEED = 20261128
_CHAT = "{% for message in messages %}{{ message['content'] if message['content'] is string else '' }}{% endfor %}"
_SPECIAL = ("<pad>", "</s>", "<s>", "<unk>")
WORDS = 256 + len(_SPECIAL)


def tokenizer() -> PreTrainedTokenizerFast:
    """A token for each byte: it reads any text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate((*_SPECIAL, *alphabet))}
    made = Tokenizer(BPE(vocab=words, merges=[], unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", bos_token="<s>", unk_token="<unk>"
    )
    fast.chat_template = _CHAT
    return fast


# ---- Wan ------------------------------------------------------------------------------------------------------------


def _umt5() -> UMT5EncoderModel:
    return UMT5EncoderModel(
        UMT5Config(vocab_size=WORDS, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, pad_token_id=0)
    )


def _wan_vae() -> AutoencoderKLWan:
    """8 x 8 x 4, as that of the 14B models."""
    return AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)


def _wan_vae_5b() -> AutoencoderKLWan:
    """16 x 16 x 4 with 48 channels, as that of TI2V-5B."""
    return AutoencoderKLWan(
        base_dim=4, decoder_base_dim=4, z_dim=48, dim_mult=[1, 1, 1, 1], num_res_blocks=1, is_residual=True,
        in_channels=12, out_channels=12, patch_size=2, scale_factor_spatial=16,
        latents_mean=[0.0] * 48, latents_std=[1.0] * 48,
    )  # fmt: skip


def _wan_transformer(channels: int, out: int, kind: type[Any] = WanTransformer3DModel, **more: Any) -> Any:
    return kind(
        num_attention_heads=2, attention_head_dim=12, in_channels=channels, out_channels=out, text_dim=16, freq_dim=16,
        ffn_dim=16, num_layers=2, rope_max_seq_len=64, **more,
    )  # fmt: skip


def _flow() -> UniPCMultistepScheduler:
    return UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=3.0
    )


def wan_ti2v() -> WanPipeline:
    return WanPipeline(
        tokenizer=tokenizer(), text_encoder=_umt5(), vae=_wan_vae_5b(), scheduler=_flow(),
        transformer=_wan_transformer(48, 48), expand_timesteps=True,
    )  # fmt: skip


def wan_t2v_two_experts() -> WanPipeline:
    return WanPipeline(
        tokenizer=tokenizer(), text_encoder=_umt5(), vae=_wan_vae(), scheduler=_flow(),
        transformer=_wan_transformer(16, 16), transformer_2=_wan_transformer(16, 16), boundary_ratio=0.875,
    )  # fmt: skip


def wan_i2v_two_experts() -> WanImageToVideoPipeline:
    return WanImageToVideoPipeline(
        tokenizer=tokenizer(), text_encoder=_umt5(), vae=_wan_vae(), scheduler=_flow(),
        transformer=_wan_transformer(36, 16), transformer_2=_wan_transformer(36, 16), boundary_ratio=0.9,
    )  # fmt: skip


def wan_vace() -> WanVACEPipeline:
    transformer = _wan_transformer(16, 16, WanVACETransformer3DModel, vace_layers=[0], vace_in_channels=96)
    return WanVACEPipeline(
        tokenizer=tokenizer(), text_encoder=_umt5(), vae=_wan_vae(), scheduler=_flow(), transformer=transformer
    )


# ---- LTX-2 ----------------------------------------------------------------------------------------------------------

_GEMMA_SIZE, _GEMMA_LAYERS = 16, 2


def _gemma() -> Gemma3ForConditionalGeneration:
    text = {
        "vocab_size": WORDS, "hidden_size": _GEMMA_SIZE, "intermediate_size": 16, "num_hidden_layers": _GEMMA_LAYERS,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "pad_token_id": 0,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
        "image_size": 28, "patch_size": 14,
    }  # fmt: skip
    return Gemma3ForConditionalGeneration(Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4))


def _ltx_vae() -> AutoencoderKLLTX2Video:
    """32 x 32 x 8, as the real one."""
    return AutoencoderKLLTX2Video(
        latent_channels=8, block_out_channels=(8, 16, 32, 64), decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1), decoder_layers_per_block=(1, 1, 1, 1),
        spatial_compression_ratio=32, temporal_compression_ratio=8,
    )  # fmt: skip


def ltx2() -> LTX2Pipeline:
    """It speaks: sound comes with the pictures."""
    audio_vae = AutoencoderKLLTX2Audio(
        base_channels=16, ch_mult=(1, 2, 4), num_res_blocks=1, latent_channels=1, mel_bins=64, resolution=64
    )
    transformer = LTX2VideoTransformer3DModel(
        in_channels=8, out_channels=8, num_attention_heads=2, attention_head_dim=16, cross_attention_dim=32,
        audio_in_channels=16, audio_out_channels=16, audio_num_attention_heads=2, audio_attention_head_dim=8,
        audio_cross_attention_dim=16, num_layers=2, caption_channels=_GEMMA_SIZE, perturbed_attn=True,
    )  # fmt: skip
    connectors = LTX2TextConnectors(
        caption_channels=_GEMMA_SIZE, text_proj_in_factor=_GEMMA_LAYERS + 1,
        video_connector_num_attention_heads=2, video_connector_attention_head_dim=8, video_connector_num_layers=1,
        audio_connector_num_attention_heads=2, audio_connector_attention_head_dim=8, audio_connector_num_layers=1,
    )  # fmt: skip
    vocoder = LTX2Vocoder(in_channels=128, hidden_channels=32, resnet_kernel_sizes=[3], resnet_dilations=[[1]])
    return LTX2Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(), vae=_ltx_vae(), audio_vae=audio_vae, text_encoder=_gemma(),
        tokenizer=tokenizer(), connectors=connectors, transformer=transformer, vocoder=vocoder,
    )  # fmt: skip


def ltx2_upsampler() -> LTX2LatentUpsamplerModel:
    return LTX2LatentUpsamplerModel(in_channels=8, mid_channels=32, num_blocks_per_stage=1)


# ---- HunyuanVideo-1.5, CogVideoX, Kandinsky 6 ------------------------------------------------------------------------


def hunyuan() -> HunyuanVideo15Pipeline:
    qwen = Qwen2_5_VLTextConfig(
        vocab_size=WORDS, hidden_size=16, intermediate_size=16, num_hidden_layers=4, num_attention_heads=2,
        num_key_value_heads=1, rope_parameters={"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
    )  # fmt: skip
    byt5 = T5Config(vocab_size=384, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=65, out_channels=32, num_attention_heads=2, attention_head_dim=16, num_layers=1,
        num_refiner_layers=1, text_embed_dim=16, text_embed_2_dim=16, image_embed_dim=16, rope_axes_dim=(4, 6, 6),
        target_size=64, task_type="t2v",
    )  # fmt: skip
    return HunyuanVideo15Pipeline(
        text_encoder=Qwen2_5_VLTextModel(qwen), tokenizer=tokenizer(), transformer=transformer,
        vae=AutoencoderKLHunyuanVideo15(block_out_channels=(32, 32, 32, 32, 32), layers_per_block=1),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0), text_encoder_2=T5EncoderModel(byt5),
        tokenizer_2=ByT5Tokenizer(), guider=ClassifierFreeGuidance(guidance_scale=6.0),
    )  # fmt: skip


def cogvideox() -> CogVideoXPipeline:
    t5 = T5Config(vocab_size=WORDS, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=4, time_embed_dim=8,
        text_embed_dim=16, num_layers=2, use_rotary_positional_embeddings=True,
    )  # fmt: skip
    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8), latent_channels=4, layers_per_block=1, norm_num_groups=2
    )
    return CogVideoXPipeline(
        tokenizer=tokenizer(), text_encoder=T5EncoderModel(t5), vae=vae, transformer=transformer,
        scheduler=CogVideoXDDIMScheduler(),
    )  # fmt: skip


def kandinsky_sr() -> Kandinsky6SRPipeline:
    transformer = Kandinsky6SRTransformer3DModel(
        in_visual_dim=4, out_visual_dim=4, time_dim=16, patch_size=(1, 1, 1), model_dim=24, ff_dim=32,
        num_visual_blocks=1, axes_dims=(4, 4, 4), tile_sizes=((64, 128), (128, 64)),
    )  # fmt: skip
    vae = Kandinsky6SRVAE(
        latent_channels=4, encoder_block_out_channels=(4, 8, 8), decoder_block_out_channels=(4, 8, 8),
        layers_per_block=1, temporal_compression_ratio=4, temporal_compression_start_level=0,
    )  # fmt: skip
    upscaler = Kandinsky6SRLatentUpscalerBank(
        in_channels=4, stage_channels=(8, 8, 4), num_pre_blocks=1, num_mid_blocks=1, num_post_blocks=1,
        num_x2_adapter_blocks=1, scales=(2, 4),
    )  # fmt: skip
    return Kandinsky6SRPipeline(
        transformer=transformer, vae=vae, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.5),
        latent_upscaler=upscaler,
    )  # fmt: skip


MAKERS: Mapping[str, Callable[[], Any]] = {
    "wan-2.2-ti2v-5b": wan_ti2v,
    "wan-2.2-t2v-a14b": wan_t2v_two_experts,
    "wan-2.2-i2v-a14b": wan_i2v_two_experts,
    "wan-2.1-vace-14b": wan_vace,
    "ltx-2": ltx2,
    "hunyuanvideo-1.5-t2v": hunyuan,
    "cogvideox-t2v": cogvideox,
    "kandinsky-6-sr": kandinsky_sr,
    "latent_upsampler": ltx2_upsampler,
}


def save(name: str, folder: Path) -> Path:
    """The pipeline of this name, in ``folder``; the same weights each time."""
    torch.manual_seed(_SEED)
    MAKERS[name]().save_pretrained(folder, safe_serialization=True)
    return folder
