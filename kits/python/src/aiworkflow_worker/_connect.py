"""The first connection: waited for, because a pod may be up before its Temporal is."""

import asyncio
import logging
from datetime import timedelta

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from aiworkflow_worker.settings import SettingsError, WorkerSettings

_log = logging.getLogger("aiworkflow_worker")

_CORE_LOG_LEVELS = TelemetryFilter(core_level="WARN", other_level="ERROR")
_ATTEMPT_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 5.0


class ConnectError(Exception):
    """Temporal could not be reached in time; the text is one sentence with address, time and last cause."""


async def connect(
    settings: WorkerSettings,
    connection: ClientConnectConfig,
    data_converter: DataConverter,
    within: timedelta,
) -> Client:
    """Connects, again and again with growing pauses, for at most `within`.

    Raises ConnectError after that, and SettingsError at once for an address that is none.
    """
    # The SDK's core prints to stdout in a format of its own; forwarded, its lines look like all others.
    core_log = LoggingConfig(_CORE_LOG_LEVELS, forwarding=LogForwardingConfig(_log))
    runtime = Runtime(telemetry=TelemetryConfig(logging=core_log), worker_heartbeat_interval=settings.heartbeat)
    deadline = asyncio.get_running_loop().time() + within.total_seconds()
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            attempt = Client.connect(
                **connection, data_converter=data_converter, identity=settings.identity, runtime=runtime
            )
            return await asyncio.wait_for(attempt, _ATTEMPT_SECONDS)
        except ValueError as error:
            raise SettingsError(f"TEMPORAL_ADDRESS must be <host>:<port>: {error}") from error
        except (RuntimeError, TimeoutError) as error:
            cause = str(error) or f"no answer in {_ATTEMPT_SECONDS:g} s"
        if asyncio.get_running_loop().time() + pause > deadline:
            raise ConnectError(
                f"Could not reach Temporal at {connection['target_host']} within {within.total_seconds():g} s: {cause}"
            )
        _log.warning("Temporal at %s is not there yet, next try in %g s: %s", connection["target_host"], pause, cause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
