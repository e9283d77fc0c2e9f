"""The worker process of one pod; the operator's environment says where Temporal is and how many slots it has."""

from aiworkflow_worker import run_worker

from activities import run_inference
from workflows import AIWorkflow

if __name__ == "__main__":
    run_worker(workflows=[AIWorkflow], activities=[run_inference])
