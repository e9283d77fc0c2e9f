"""What runs on the GPU. Load the model at import time: the pod polls for work only once that is done."""

from temporalio import activity


@activity.defn
def run_inference(prompt: str) -> str:
    """Replace the body by your model's call; a plain function, so that it may block its thread."""
    return f"Inference result for: {prompt}"
