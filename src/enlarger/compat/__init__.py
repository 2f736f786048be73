"""What earlier Python programs call: `UpscaleManager` with its functions, and the module `sr_vulkan`."""

from enlarger.compat.upscale_manager import (
    UpscaleManager,
    get_available_models,
    get_model_id,
    is_available,
    upscale_image,
    upscale_image_async,
)

__all__ = [
    "UpscaleManager",
    "get_available_models",
    "get_model_id",
    "is_available",
    "upscale_image",
    "upscale_image_async",
]
