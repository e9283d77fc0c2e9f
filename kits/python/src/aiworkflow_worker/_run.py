"""From the environment to a running worker, and its exit code."""

import asyncio
import atexit
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NoReturn, Unpack

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.worker import Worker, WorkerConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from aiworkflow_worker._connect import ConnectError, connect
from aiworkflow_worker._stop import StopSignal
from aiworkflow_worker.settings import SettingsError, WorkerSettings, read_connection, read_settings

_log = logging.getLogger("aiworkflow_worker")

_CONNECT_WITHIN = timedelta(seconds=60)
# A poll that is cut off at the signal can lose the activity that the server has just handed out: nobody works on it
# until its heartbeat or start-to-close timeout. So where only activities are served, open polls get this long to bring
# a last task; the SDK's core reads it. It would drop a workflow task that comes then, which costs that run 10 s.
_LAST_POLL_MS = "1000"
_CANCEL_SECONDS = 5.0
"""What an activity gets to end once its grace period is over and it has been cancelled."""


def run_worker(
    *,
    data_converter: DataConverter = DataConverter.default,
    connect_within: timedelta = _CONNECT_WITHIN,
    **options: Unpack[WorkerConfig],
) -> NoReturn:
    """Runs a Temporal worker as the environment says, until SIGTERM or SIGINT; drains it, then ends the process.

    `options` are those of `temporalio.worker.Worker` (`workflows`, `activities`, `interceptors`, ...); one that is
    given here wins over the environment. `data_converter` is the client's. `connect_within` bounds the wait for a
    Temporal that is not up yet; after it the container's restart back-off takes over.

    The exit code is 0 after a signal. It is 2, with one sentence, if the environment is wrong; 1, with one sentence,
    if Temporal cannot be reached or refuses the worker, or if an activity outlives the grace period and does not
    react to its cancellation. Functions registered with `atexit` are called.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if not options.get("workflows"):
        os.environ.setdefault("TEMPORAL_POLL_SHUTDOWN_INTERRUPT_WAIT_MS", _LAST_POLL_MS)
    try:
        asyncio.run(_connect_and_serve(options, data_converter, connect_within))
    except SettingsError as error:
        _log.error("%s", error)
        _end(2)
    except (ConnectError, _WorkerError) as error:
        _log.error("%s", error)
        _end(1)
    _end(0)


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
        raise _WorkerError(f"An activity still runs {_CANCEL_SECONDS:g} s after its cancellation; it is given up")
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


def _end(code: int) -> NoReturn:
    """Ends the process without taking the interpreter apart.

    The SDK's own threads may still be returning from their last call into Python; an interpreter that is being
    taken apart then dies of SIGSEGV or SIGABRT, and a good end would look like a crash of the container. A thread
    of an activity that was given up would keep the interpreter from ending at all.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
