"""From the environment to a running worker, and its exit code."""

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Unpack

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.worker import Worker, WorkerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from aiworkflow_worker._connect import ConnectError, connect
from aiworkflow_worker._stop import StopSignal
from aiworkflow_worker.settings import SettingsError, WorkerSettings, read_connection, read_settings

_log = logging.getLogger("aiworkflow_worker")

_CONNECT_WITHIN = timedelta(seconds=60)
_CANCEL_SECONDS = 5.0
"""What an activity gets to end once its grace period is over and it has been cancelled."""


def run_worker(
    *,
    data_converter: DataConverter = DataConverter.default,
    connect_within: timedelta = _CONNECT_WITHIN,
    **options: Unpack[WorkerConfig],
) -> None:
    """Runs a Temporal worker as the environment says, until SIGTERM or SIGINT; drains it, then returns.

    `options` are those of `temporalio.worker.Worker` (`workflows`, `activities`, `interceptors`, ...); one that is
    given here wins over the environment. `data_converter` is the client's. `connect_within` bounds the wait for a
    Temporal that is not up yet; after it the container's restart back-off takes over.

    Exits with 2 and one sentence if the environment is wrong; with 1 and one sentence if Temporal cannot be reached
    or refuses the worker, or if an activity outlives the grace period and does not react to its cancellation.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_connect_and_serve(options, data_converter, connect_within))
    except SettingsError as error:
        _log.error("%s", error)
        sys.exit(2)
    except (ConnectError, _WorkerError) as error:
        _log.error("%s", error)
        sys.exit(1)


class _WorkerError(Exception):
    """The worker ended by itself; the text is one sentence."""


async def _connect_and_serve(options: WorkerConfig, data_converter: DataConverter, connect_within: timedelta) -> None:
    stop = StopSignal()
    settings, connection = read_settings(os.environ), read_connection(os.environ)
    client = await stop.unless(connect(settings, connection, data_converter, connect_within))
    if client is not None:
        await _serve(_worker(client, settings, options), stop)
    _log.info("Stopped by %s", stop.name)


async def _serve(worker: Worker, stop: StopSignal) -> None:
    """Polls until the signal, then drains; raises _WorkerError if the worker ends by itself."""
    config, client = worker.config(), worker.client
    grace = config["graceful_shutdown_timeout"].total_seconds()
    _log.info(
        "Polling task queue %s of Temporal namespace %s at %s as %s: %s slots, %g s of grace",
        worker.task_queue,
        client.namespace,
        client.service_client.config.target_host,
        config["identity"] or client.identity,
        config["max_concurrent_activities"] or "tuned",
        grace,
    )
    polling = asyncio.create_task(worker.run())
    if await stop.before(polling):
        _log.info("%s: no new tasks; running activities have %g s to finish", stop.name, grace)
        draining = asyncio.create_task(worker.shutdown())
        await asyncio.wait({polling}, timeout=grace + _CANCEL_SECONDS)
        draining.cancel()
    if not polling.done():
        _end_beside_running_threads(grace)
    if error := polling.exception():
        raise _WorkerError(f"The worker of task queue {worker.task_queue} ended: {error}") from error


def _worker(client: Client, settings: WorkerSettings, options: WorkerConfig) -> Worker:
    restrictions = SandboxRestrictions.default.with_passthrough_modules("aiworkflow_worker")
    config: WorkerConfig = {
        "client": client,
        "task_queue": settings.task_queue,
        # Synchronous activities and local activities share these threads, so that neither waits for the other.
        "activity_executor": ThreadPoolExecutor(2 * settings.slots, thread_name_prefix="activity"),
        "graceful_shutdown_timeout": settings.grace,
        # The sandbox imports the worker's own module anew for each run; the kit need not be imported with it.
        "workflow_runner": SandboxedWorkflowRunner(restrictions=restrictions),
    }
    if options.get("tuner") is None:
        config["max_concurrent_activities"] = config["max_concurrent_local_activities"] = settings.slots
    config.update(options)
    return Worker(**config)


def _end_beside_running_threads(grace_seconds: float) -> None:
    """Ends the process although an activity's thread still runs: Python itself would wait for that thread."""
    _log.error(
        "An activity still runs %g s after it was cancelled, %g s after the stop: it is given up",
        _CANCEL_SECONDS,
        grace_seconds + _CANCEL_SECONDS,
    )
    logging.shutdown()
    os._exit(1)
