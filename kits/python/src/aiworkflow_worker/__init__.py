"""Runs Temporal workflows and activities as a pod of an aiworkflow.dev Worker pool.

    from aiworkflow_worker import run_worker

    if __name__ == "__main__":
        run_worker(workflows=[MyWorkflow], activities=[my_activity])

Everything else comes from the environment that the operator gives the pod; see the README.
"""

from aiworkflow_worker._loading import end_on_sigterm_while_loading
from aiworkflow_worker._run import run_worker
from aiworkflow_worker.settings import SettingsError, WorkerSettings, read_settings

__all__ = ["SettingsError", "WorkerSettings", "read_settings", "run_worker"]

end_on_sigterm_while_loading()
