"""The classic example: a durable workflow around one model call."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities import run_inference


@workflow.defn
class AIWorkflow:
    """Runs the model on a prompt; a crashed or slow attempt is tried again, on any pod of the pool."""

    @workflow.run
    async def run(self, prompt: str) -> str:
        return await workflow.execute_activity(
            run_inference,
            prompt,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=3),
        )
