"""The worker of the integration tests: one workflow type for each way a run can behave."""

import asyncio
import time
from datetime import timedelta
from typing import Any

from aiworkflow_worker import run_worker
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

QUICK_RETRIES = RetryPolicy(
    maximum_attempts=3,
    initial_interval=timedelta(milliseconds=100),
    backoff_coefficient=1.0,
)


@activity.defn
def run_inference(prompt: str) -> str:
    return f"Inference result for: {prompt}"


@activity.defn
def make_bytes(size_bytes: int) -> str:
    return "x" * size_bytes


@activity.defn
def always_fail(message: str) -> str:
    """Raises ValueError, caused by KeyError, caused by OSError."""
    try:
        try:
            raise OSError("the model file is truncated")
        except OSError as error:
            raise KeyError("weights") from error
    except KeyError as error:
        raise ValueError(message) from error


@activity.defn
async def sleep(seconds: float) -> str:
    """Sleeps, with heartbeats every half second unless it is local; returns `attempt <n>` of this activity."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        if not activity.info().is_local:
            activity.heartbeat(f"{left:.1f} s left")
        await asyncio.sleep(min(0.5, left))
    return f"attempt {activity.info().attempt}"


@activity.defn
def block(seconds: float) -> str:
    """A synchronous activity whose thread does not react to cancellation before it is over."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            time.sleep(min(0.5, left))
        except BaseException:  # the cancellation arrives here, as an exception in this thread
            continue
    return f"attempt {activity.info().attempt}"


@workflow.defn
class AIWorkflow:
    @workflow.run
    async def run(self, prompt: str) -> str:
        return await workflow.execute_activity(
            run_inference,
            prompt,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=3),
        )


@workflow.defn
class FailingWorkflow:
    """Fails with an activity failure after 3 attempts: ValueError <- KeyError <- OSError."""

    @workflow.run
    async def run(self, message: str = "the model is broken") -> str:
        return await workflow.execute_activity(
            always_fail,
            message,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=QUICK_RETRIES,
        )


@workflow.defn
class LateFailureWorkflow:
    """An activity fails after 3 attempts; the workflow lets `times` others return `size_bytes` each before it fails with it."""

    @workflow.run
    async def run(self, times: int, size_bytes: int) -> None:
        timeout = timedelta(seconds=60)
        try:
            await workflow.execute_activity(
                always_fail,
                "the model is broken",
                start_to_close_timeout=timeout,
                retry_policy=QUICK_RETRIES,
            )
        finally:
            others = [
                workflow.execute_activity(make_bytes, size_bytes, start_to_close_timeout=timeout) for _ in range(times)
            ]
            await asyncio.gather(*others)


@workflow.defn
class FlakyWorkflow:
    """The workflow itself fails on its first attempt; with a workflow retry policy the second returns `attempt 2`."""

    @workflow.run
    async def run(self) -> str:
        attempt = workflow.info().attempt
        if attempt == 1:
            raise ApplicationError("the first attempt always fails", type="FirstAttempt")
        return f"attempt {attempt}"


@workflow.defn
class SleepWorkflow:
    """One activity that sleeps and heartbeats; returns `attempt <n>` of the activity that ended well."""

    @workflow.run
    async def run(self, seconds: float) -> str:
        return await workflow.execute_activity(
            sleep,
            seconds,
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )


@workflow.defn
class BlockWorkflow:
    """As SleepWorkflow, in a thread that ignores cancellation and does not heartbeat."""

    @workflow.run
    async def run(self, seconds: float) -> str:
        return await workflow.execute_activity(
            block,
            seconds,
            start_to_close_timeout=timedelta(hours=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )


@workflow.defn
class LocalSleepWorkflow:
    """Sleeps in a local activity, which shows in no pending activity and no activity slot."""

    @workflow.run
    async def run(self, seconds: float) -> str:
        return await workflow.execute_local_activity(
            sleep,
            seconds,
            start_to_close_timeout=timedelta(hours=1),
        )


@workflow.defn
class TimerWorkflow:
    """Waits on a durable timer: runs, and needs no slot meanwhile."""

    @workflow.run
    async def run(self, seconds: float) -> str:
        await workflow.sleep(seconds)
        return f"slept {seconds:g} s"


@workflow.defn
class ContinueAsNewWorkflow:
    """Continues as new `times` times, after a pause each, then returns `chain of <times + 1>`."""

    @workflow.run
    async def run(self, times: int, pause_seconds: float = 0, done: int = 0) -> str:
        if pause_seconds:
            await workflow.sleep(pause_seconds)
        if done < times:
            workflow.continue_as_new(args=[times, pause_seconds, done + 1])
        return f"chain of {done + 1}"


@workflow.defn
class WaitSignalWorkflow:
    """Waits for the signal `finish(value)` and returns its value; the query `state` answers meanwhile."""

    def __init__(self) -> None:
        self._finished = False
        self._value: Any = None

    @workflow.run
    async def run(self) -> Any:
        await workflow.wait_condition(lambda: self._finished)
        return self._value

    @workflow.signal
    def finish(self, value: Any = "finished") -> None:
        self._finished, self._value = True, value

    @workflow.query
    def state(self) -> str:
        return "finished" if self._finished else "waiting"


@workflow.defn
class RelayWorkflow:
    """Waits for the signal `go`, continues as new, and returns `relayed`."""

    def __init__(self) -> None:
        self._may_go = False

    @workflow.run
    async def run(self, is_last: bool = False) -> str:
        if is_last:
            return "relayed"
        await workflow.wait_condition(lambda: self._may_go)
        workflow.continue_as_new(True)

    @workflow.signal
    def go(self, _: Any = None) -> None:
        self._may_go = True


@workflow.defn
class EchoWorkflow:
    """Returns the list of its arguments as they arrived; with a bare `*args` nothing is converted to a type."""

    @workflow.run
    async def run(self, *args: Any) -> Any:
        return list(args)


@workflow.defn
class BigResultWorkflow:
    """Returns a string of that many bytes."""

    @workflow.run
    async def run(self, size_bytes: int) -> str:
        return "x" * size_bytes


@workflow.defn
class CleanupWorkflow:
    """Waits to be canceled, cleans up for `seconds` in an activity, then ends as Canceled."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        try:
            await workflow.wait_condition(lambda: False)
        finally:
            await workflow.execute_activity(sleep, seconds, start_to_close_timeout=timedelta(hours=1))


@workflow.defn
class DeafWorkflow:
    """Ignores every request to cancel; only Terminate ends it."""

    @workflow.run
    async def run(self) -> None:
        while True:
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                continue


if __name__ == "__main__":
    run_worker(
        workflows=[
            AIWorkflow,
            BigResultWorkflow,
            BlockWorkflow,
            CleanupWorkflow,
            ContinueAsNewWorkflow,
            DeafWorkflow,
            EchoWorkflow,
            FailingWorkflow,
            FlakyWorkflow,
            LateFailureWorkflow,
            LocalSleepWorkflow,
            RelayWorkflow,
            SleepWorkflow,
            TimerWorkflow,
            WaitSignalWorkflow,
        ],
        activities=[always_fail, block, make_bytes, run_inference, sleep],
    )
