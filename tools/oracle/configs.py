"""The small random models of the oracle: Stable Diffusion's architectures at sizes that a fixture can hold."""

TEXT_QUICK_GELU = dict(
    hidden_size=32,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=4,
    vocab_size=100,
    max_position_embeddings=16,
    hidden_act="quick_gelu",
    layer_norm_eps=1e-5,
    projection_dim=32,
    bos_token_id=98,
    eos_token_id=99,
    pad_token_id=99,
)

# as Stable Diffusion 2: the exact GELU, heads that do not divide 8, "!" (id 0) as padding
TEXT_GELU = TEXT_QUICK_GELU | dict(
    hidden_size=48,
    intermediate_size=192,
    num_hidden_layers=3,
    num_attention_heads=3,
    hidden_act="gelu",
    projection_dim=48,
    pad_token_id=0,
)

UNET_SD1 = dict(
    sample_size=8,
    in_channels=4,
    out_channels=4,
    block_out_channels=[32, 64],
    layers_per_block=1,
    down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
    mid_block_type="UNetMidBlock2DCrossAttn",
    up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"],
    cross_attention_dim=32,
    attention_head_dim=4,  # the number of heads: what diffusers' config means by it
    norm_num_groups=8,
    use_linear_projection=False,
)

UNET_SD2 = dict(
    sample_size=8,
    in_channels=4,
    out_channels=4,
    block_out_channels=[16, 32, 32],
    layers_per_block=2,
    down_block_types=["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    mid_block_type="UNetMidBlock2DCrossAttn",
    up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    cross_attention_dim=48,
    attention_head_dim=[2, 4, 4],
    norm_num_groups=8,
    use_linear_projection=True,
    transformer_layers_per_block=1,
    upcast_attention=False,
)

# as a distilled model: no middle block (BK-SDM tiny), guidance scale as an embedding (LCM)
UNET_LCM = UNET_SD1 | dict(mid_block_type=None, time_cond_proj_dim=16)

# the bundled autoencoder's levels, narrower
TINY_F4 = dict(
    in_channels=3,
    out_channels=3,
    encoder_block_out_channels=[16, 16, 16],
    decoder_block_out_channels=[16, 16, 16],
    num_encoder_blocks=[1, 2, 2],
    num_decoder_blocks=[3, 2, 1],
    act_fn="relu",
    latent_channels=4,
    upsampling_scaling_factor=2,
    scaling_factor=1.0,
    shift_factor=0.0,
)

# TAESD's levels, narrower
TINY_F8 = TINY_F4 | dict(
    encoder_block_out_channels=[8, 8, 8, 8],
    decoder_block_out_channels=[8, 8, 8, 8],
    num_encoder_blocks=[1, 3, 3, 3],
    num_decoder_blocks=[3, 3, 3, 1],
)

# madebyollin/taesd as it is published
TAESD = TINY_F8 | dict(
    encoder_block_out_channels=[64, 64, 64, 64],
    decoder_block_out_channels=[64, 64, 64, 64],
    force_upcast=False,
    latent_magnitude=3,
    latent_shift=0.5,
)

KL_F2 = dict(
    in_channels=3,
    out_channels=3,
    down_block_types=["DownEncoderBlock2D"] * 2,
    up_block_types=["UpDecoderBlock2D"] * 2,
    block_out_channels=[16, 32],
    layers_per_block=1,
    act_fn="silu",
    latent_channels=4,
    norm_num_groups=8,
    sample_size=16,
    scaling_factor=0.18215,
)

KL_F4 = KL_F2 | dict(
    down_block_types=["DownEncoderBlock2D"] * 3,
    up_block_types=["UpDecoderBlock2D"] * 3,
    block_out_channels=[16, 32, 32],
    layers_per_block=2,
)

KL_F8 = KL_F2 | dict(
    down_block_types=["DownEncoderBlock2D"] * 4,
    up_block_types=["UpDecoderBlock2D"] * 4,
    block_out_channels=[8, 16, 32, 32],
    layers_per_block=2,
    norm_num_groups=4,
)

# the real structures at a sixteenth of their width, so that every level is there
_FOUR_LEVELS = dict(
    sample_size=8,
    in_channels=4,
    out_channels=4,
    down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    mid_block_type="UNetMidBlock2DCrossAttn",
    up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    layers_per_block=2,
    norm_num_groups=4,
)
UNET_SD1_DEEP = _FOUR_LEVELS | dict(
    block_out_channels=[16, 32, 64, 64], cross_attention_dim=24, attention_head_dim=8, use_linear_projection=False
)
UNET_SD2_DEEP = _FOUR_LEVELS | dict(
    block_out_channels=[20, 40, 80, 80], cross_attention_dim=32, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True
)
# BK-SDM: one layer a block; "small" without middle block, "tiny" without the last level too (tiny-sd is built so as well)
UNET_BK_BASE = UNET_SD1_DEEP | dict(layers_per_block=1)
UNET_BK_SMALL = UNET_BK_BASE | dict(mid_block_type=None)
_THREE_LEVELS = dict(
    mid_block_type=None,
    layers_per_block=1,
    down_block_types=["CrossAttnDownBlock2D"] * 3,
    up_block_types=["CrossAttnUpBlock2D"] * 3,
)
UNET_BK_TINY = UNET_SD1_DEEP | _THREE_LEVELS | dict(block_out_channels=[16, 32, 64])
UNET_BK_TINY_V2 = UNET_SD2_DEEP | _THREE_LEVELS | dict(block_out_channels=[20, 40, 80], attention_head_dim=[5, 10, 20])

TEXT_OPEN_CLIP = TEXT_GELU | dict(hidden_size=32, intermediate_size=128, num_attention_heads=4, projection_dim=16, num_hidden_layers=2)
