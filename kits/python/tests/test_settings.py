"""The environment contract: what is accepted, and the sentence for what is not."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.service import TLSConfig

from aiworkflow_worker import SettingsError, WorkerSettings, read_settings
from aiworkflow_worker.settings import read_connection

QUEUE = {"TEMPORAL_TASK_QUEUE": "q"}


def test_a_task_queue_alone_gives_the_defaults_of_a_worker_resource() -> None:
    assert read_settings(QUEUE) == WorkerSettings(
        task_queue="q", identity=None, slots=1, heartbeat=timedelta(seconds=5), grace=timedelta(seconds=300)
    )


def test_every_variable_is_read() -> None:
    environ = QUEUE | {
        "AIWORKFLOW_IDENTITY": "pod-1",
        "AIWORKFLOW_SLOTS": "4",
        "AIWORKFLOW_HEARTBEAT_SECONDS": "1",
        "AIWORKFLOW_GRACE_SECONDS": "0.5",
    }
    assert read_settings(environ) == WorkerSettings(
        task_queue="q", identity="pod-1", slots=4, heartbeat=timedelta(seconds=1), grace=timedelta(milliseconds=500)
    )


@pytest.mark.parametrize(
    "name",
    ["AIWORKFLOW_IDENTITY", "AIWORKFLOW_SLOTS", "AIWORKFLOW_HEARTBEAT_SECONDS", "AIWORKFLOW_GRACE_SECONDS"],
)
def test_an_empty_variable_counts_as_absent(name: str) -> None:
    assert read_settings(QUEUE | {name: ""}) == read_settings(QUEUE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AIWORKFLOW_SLOTS", "1"),
        ("AIWORKFLOW_SLOTS", "10000"),
        ("AIWORKFLOW_HEARTBEAT_SECONDS", "1"),
        ("AIWORKFLOW_HEARTBEAT_SECONDS", "60"),
        ("AIWORKFLOW_GRACE_SECONDS", "0"),
        ("AIWORKFLOW_GRACE_SECONDS", "604800"),
        ("AIWORKFLOW_IDENTITY", "x" * 1000),
    ],
)
def test_a_value_at_its_limit_is_accepted(name: str, value: str) -> None:
    read_settings(QUEUE | {name: value})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TEMPORAL_TASK_QUEUE", "", "TEMPORAL_TASK_QUEUE is not set; it names the task queue to poll"),
        ("AIWORKFLOW_SLOTS", "0", "AIWORKFLOW_SLOTS must be a whole number from 1 to 10000, not '0'"),
        ("AIWORKFLOW_SLOTS", "10001", "AIWORKFLOW_SLOTS must be a whole number from 1 to 10000, not '10001'"),
        ("AIWORKFLOW_SLOTS", "-1", "AIWORKFLOW_SLOTS must be a whole number from 1 to 10000, not '-1'"),
        ("AIWORKFLOW_SLOTS", "1.5", "AIWORKFLOW_SLOTS must be a whole number from 1 to 10000, not '1.5'"),
        ("AIWORKFLOW_SLOTS", " 1", "AIWORKFLOW_SLOTS must be a whole number from 1 to 10000, not ' 1'"),
        ("AIWORKFLOW_SLOTS", "١", r"AIWORKFLOW_SLOTS must be a whole number from 1 to 10000, not '\u0661'"),
        ("AIWORKFLOW_SLOTS", "1\nx", r"AIWORKFLOW_SLOTS must be a whole number from 1 to 10000, not '1\nx'"),
        ("AIWORKFLOW_HEARTBEAT_SECONDS", "0.9", "AIWORKFLOW_HEARTBEAT_SECONDS must be a number of seconds from 1 to 60, not '0.9'"),
        ("AIWORKFLOW_HEARTBEAT_SECONDS", "61", "AIWORKFLOW_HEARTBEAT_SECONDS must be a number of seconds from 1 to 60, not '61'"),
        ("AIWORKFLOW_HEARTBEAT_SECONDS", "1s", "AIWORKFLOW_HEARTBEAT_SECONDS must be a number of seconds from 1 to 60, not '1s'"),
        ("AIWORKFLOW_HEARTBEAT_SECONDS", "nan", "AIWORKFLOW_HEARTBEAT_SECONDS must be a number of seconds from 1 to 60, not 'nan'"),
        ("AIWORKFLOW_GRACE_SECONDS", "1e3", "AIWORKFLOW_GRACE_SECONDS must be a number of seconds from 0 to 604800, not '1e3'"),
        ("AIWORKFLOW_GRACE_SECONDS", "604801", "AIWORKFLOW_GRACE_SECONDS must be a number of seconds from 0 to 604800, not '604801'"),
        ("AIWORKFLOW_IDENTITY", "ü" * 501, "AIWORKFLOW_IDENTITY must have at most 1000 bytes"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_limit(name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(QUEUE | {name: value})
    assert str(raised.value) == sentence


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(QUEUE | {"AIWORKFLOW_SLOTS": "9" * 100_000})
    assert len(str(raised.value)) < 120


def test_without_a_temporal_environment_the_local_default_is_meant() -> None:
    assert read_connection({}) == {"target_host": "localhost:7233"}


def test_the_standard_temporal_environment_is_read(tmp_path: Path) -> None:
    for name in ("ca", "crt", "key"):
        (tmp_path / name).write_text(f"the {name}")
    environ = {
        "TEMPORAL_ADDRESS": "temporal:7233",
        "TEMPORAL_NAMESPACE": "team-a",
        "TEMPORAL_API_KEY": "secret",
        "TEMPORAL_TLS": "true",
        "TEMPORAL_TLS_SERVER_NAME": "name",
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(tmp_path / "ca"),
        "TEMPORAL_TLS_CLIENT_CERT_PATH": str(tmp_path / "crt"),
        "TEMPORAL_TLS_CLIENT_KEY_PATH": str(tmp_path / "key"),
        "TEMPORAL_GRPC_META_X_TENANT": "a",
    }
    assert read_connection(environ) == {
        "target_host": "temporal:7233",
        "namespace": "team-a",
        "api_key": "secret",
        "tls": TLSConfig(
            domain="name", server_root_ca_cert=b"the ca", client_cert=b"the crt", client_private_key=b"the key"
        ),
        "rpc_metadata": {"x-tenant": "a"},
    }


@pytest.mark.parametrize(
    ("environ", "tls"),
    [
        ({"TEMPORAL_API_KEY": "secret"}, True),
        ({"TEMPORAL_API_KEY": "secret", "TEMPORAL_TLS": "false"}, False),
        ({"TEMPORAL_TLS": "1"}, TLSConfig()),
        ({"TEMPORAL_TLS": "FALSE"}, False),
        ({"TEMPORAL_TLS": ""}, None),
        ({"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "", "TEMPORAL_API_KEY": ""}, None),
    ],
)
def test_tls_is_on_for_an_api_key_or_when_said_so(environ: dict[str, str], tls: object) -> None:
    assert read_connection(environ).get("tls") == tls


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"TEMPORAL_TLS": "yes"}, "TEMPORAL_TLS must be true or false, not 'yes'"),
        (
            {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/nowhere/ca.crt"},
            "The file /nowhere/ca.crt that a TEMPORAL_* variable names cannot be read: No such file or directory",
        ),
        (
            {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/nowhere/ca.crt", "TEMPORAL_TLS_SERVER_CA_CERT_DATA": "x"},
            "The TEMPORAL_* variables cannot be used: Invalid configuration: Cannot specify both "
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH and TEMPORAL_TLS_SERVER_CA_CERT_DATA",
        ),
        ({"TEMPORAL_PROFILE": "prod"}, "The TEMPORAL_* variables cannot be used: Profile 'prod' not found"),
    ],
)
def test_a_wrong_temporal_environment_is_told_in_one_sentence(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_connection(environ)
    assert str(raised.value) == sentence
