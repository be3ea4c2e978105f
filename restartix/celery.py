"""The task queue: an alarm clock for work that PostgreSQL remembers, never the only place where it stands.

Celery may lose a task or run it twice (Redis is expendable), so everything that matters lies in the fact table and in
rows with leases; tasks and the beat only start the looking.
Settings and their reasons: docs/adr/0006-facts-and-the-relay.md.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "restartix.settings")

from celery import Celery, signals
from celery.schedules import crontab

from restartix.environment import env
from restartix.kernel.periodic import PeriodicTask, periodic_tasks

if env.debug:
    # In development everything of ours may run as root; tasks are JSON, so nothing is unpickled.
    warnings.filterwarnings("ignore", message=r"\s*You're running the worker with superuser privileges")

app = Celery("restartix", broker=env.redis_url, set_as_current=True)
app.conf.update(
    # A task is acknowledged when it is done, and returns to the queue when its worker is killed.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    task_time_limit=env.task_time_limit,
    task_soft_time_limit=max(env.task_time_limit - 15, 1),
    worker_max_tasks_per_child=1000,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # Longer than the longest task, or a second worker would take it as lost; looked at every 2 s, not every 100 s.
        "visibility_timeout": env.task_time_limit * 2,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "health_check_interval": 25,
        "global_keyprefix": "restartix-queue:",
    },
    task_serializer="json",
    accept_content=["json"],
    enable_utc=True,
    timezone="UTC",
    task_default_queue="default",
    task_routes={"*.webhooks.*": {"queue": "webhooks"}, "*.pdf.*": {"queue": "pdf"}},
)
app.autodiscover_tasks()

#: Queues that one worker serves when nobody divides them.
QUEUES = ("default", "webhooks", "pdf", "telemetry")


@app.task(name="restartix.run_periodic")
def run_periodic(name: str) -> None:
    """Run one periodic task by its name; one that no longer exists is passed over."""
    task = periodic_tasks().get(name)
    if task:
        task.work()


@app.on_after_finalize.connect
def _schedule(sender: Celery, **_: Any) -> None:
    """Let the beat know every periodic task; a run that could not start before the next is due is dropped."""
    sender.conf.beat_schedule = {
        task.name: {
            "task": run_periodic.name,
            "args": (task.name,),
            "schedule": _when(task),
            "options": {"expires": task.every if isinstance(task.every, int | float) else 3600},
        }
        for task in periodic_tasks().values()
    }


def _when(task: PeriodicTask) -> Any:
    return crontab.from_string(task.every) if isinstance(task.every, str) else task.every


@signals.worker_ready.connect
def _say_ready(**_: Any) -> None:
    """Tell `manage.py up` that tasks are taken from now on."""
    if env.worker_ready_file:
        Path(env.worker_ready_file).touch()
