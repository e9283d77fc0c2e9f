"""The environment contract of a pod: what is read, within which limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig

DEFAULT_ADDRESS = "localhost:7233"
MAX_SLOTS = 10_000
"""The same as that of `scaling.tasksPerReplica` of a Worker."""
MAX_GRACE_SECONDS = 7 * 24 * 3600
"""A week."""
MAX_IDENTITY_BYTES = 1000
"""Temporal refuses longer identifiers."""


class SettingsError(Exception):
    """The environment cannot be used; the text is one sentence that names the variable and its limit."""


@dataclass(frozen=True)
class WorkerSettings:
    """What the environment says about this worker, checked.

    identity: None leaves the SDK's own, `<pid>@<host name>`.
    slots: activities that run at once, and as many local activities.
    heartbeat: how often the worker reports its used slots to Temporal, 1 to 60 s.
    grace: how long running activities may go on after SIGTERM before they are cancelled.
    """

    task_queue: str
    identity: str | None = None
    slots: int = 1
    heartbeat: timedelta = timedelta(seconds=5)
    grace: timedelta = timedelta(minutes=5)


def read_settings(environ: Mapping[str, str]) -> WorkerSettings:
    """Reads TEMPORAL_TASK_QUEUE and the AIWORKFLOW_* variables; an empty variable counts as absent.

    Raises SettingsError for the first value that is missing or out of its limits.
    """
    return WorkerSettings(
        task_queue=_task_queue(environ),
        identity=_identity(environ),
        slots=_slots(environ),
        heartbeat=_seconds(environ, "AIWORKFLOW_HEARTBEAT_SECONDS", WorkerSettings.heartbeat, (1, 60)),
        grace=_seconds(environ, "AIWORKFLOW_GRACE_SECONDS", WorkerSettings.grace, (0, MAX_GRACE_SECONDS)),
    )


def read_connection(environ: Mapping[str, str]) -> ClientConnectConfig:
    """Reads the standard Temporal environment and configuration file, certificate files included.

    Differs from `temporalio.envconfig` in two points: an empty variable counts as absent, and a TEMPORAL_TLS that is
    no boolean is refused; `temporalio.envconfig` turns TLS on for both. Raises SettingsError.
    """
    given = {name: value for name, value in environ.items() if value}
    tls = given.get("TEMPORAL_TLS")
    if tls is not None and tls.lower() not in ("true", "false", "1", "0"):
        raise SettingsError(f"TEMPORAL_TLS must be true or false, not {_shown(tls)}")
    try:
        connection = ClientConfigProfile.load(override_env_vars=given).to_client_connect_config()
    except OSError as error:
        reason = f"The file {error.filename} that a TEMPORAL_* variable names cannot be read: {error.strerror}"
        raise SettingsError(reason) from error
    except RuntimeError as error:
        raise SettingsError(f"The TEMPORAL_* variables cannot be used: {error}") from error
    connection.setdefault("target_host", DEFAULT_ADDRESS)
    return connection


def _task_queue(environ: Mapping[str, str]) -> str:
    name = environ.get("TEMPORAL_TASK_QUEUE", "")
    if not name:
        raise SettingsError("TEMPORAL_TASK_QUEUE is not set; it names the task queue to poll")
    return name


def _identity(environ: Mapping[str, str]) -> str | None:
    identity = environ.get("AIWORKFLOW_IDENTITY", "")
    if len(identity.encode()) > MAX_IDENTITY_BYTES:
        raise SettingsError(f"AIWORKFLOW_IDENTITY must have at most {MAX_IDENTITY_BYTES} bytes")
    return identity or None


def _slots(environ: Mapping[str, str]) -> int:
    text = environ.get("AIWORKFLOW_SLOTS", "")
    if not text:
        return WorkerSettings.slots
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_SLOTS:
        raise SettingsError(f"AIWORKFLOW_SLOTS must be a whole number from 1 to {MAX_SLOTS}, not {_shown(text)}")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, default: timedelta, limits: tuple[int, int]) -> timedelta:
    text = environ.get(name, "")
    if not text:
        return default
    low, high = limits
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or not low <= float(text) <= high:
        raise SettingsError(f"{name} must be a number of seconds from {low} to {high}, not {_shown(text)}")
    return timedelta(seconds=float(text))


def _shown(text: str) -> str:
    """The text in quotes, with control characters escaped, short enough for one line."""
    return ascii(text if len(text) <= 40 else text[:40] + "…")
