"""Run a function over many jobs: in this process, in others on this machine, or on a Ray cluster. The one pool of processes.

The function takes a job's arguments and `on_step`, to be called after each step of its work. Jobs are taken as they are
needed and results given as they come, so that neither fills the memory.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any

from musicbench import InputError

AHEAD = 3  # jobs of each worker that are taken at a time
TRIES = 3  # of a job under which a worker is killed, before it is given up
KILLED = "a worker was killed, perhaps for memory; run the same command again, with fewer --workers"


@dataclass(frozen=True)
class Engine:
    """What runs jobs: "local", `workers` processes on this machine, or "ray", the Ray cluster at `address`.

    Without an address "ray" is a cluster of `workers` on this machine.
    """

    name: str = "local"
    workers: int = 1
    address: str | None = None

    def each(
        self,
        task: Callable,
        jobs: Iterable[tuple],
        *,
        on_progress: Callable[[int], None] = lambda steps: None,
        steps_of: Callable[[Any], int] = lambda result: 1,
        killed: Callable[[tuple], Any] | None = None,
    ) -> Iterator[tuple[tuple, Any]]:
        """Yield (job, task(*job)) as they are done, in any order; few more jobs than workers are taken at a time.

        on_progress(steps done) is called now and then; steps_of(result): how many steps a finished job took, for Ray,
        whose tasks do not tell. What a task raises stops everything and is raised here. When a worker is killed, its
        job is tried again, `TRIES` times in all, before killed(job) is its result; of local workers it cannot be known
        whose job it was, so those that were being done are done one by one. Raises InputError for an unknown engine.
        """
        if self.name == "ray":
            return _on_ray(task, jobs, self.workers, self.address, on_progress, steps_of, killed)
        if self.name != "local":
            raise InputError(f"unknown engine {self.name!r:.40}; give local or ray")
        if self.workers == 1:
            return _here(task, jobs, on_progress)
        return _in_processes(task, jobs, self.workers, on_progress, killed)


def _here(task, jobs, on_progress):
    steps = 0

    def on_step():
        nonlocal steps
        steps += 1
        on_progress(steps)

    for job in jobs:
        yield job, task(*job, on_step=on_step)


@contextmanager
def processes(workers: int, prepare: Callable | None = None, *arguments: Any) -> Iterator[Any]:
    """Give a pool (concurrent.futures) of processes that are new, each made ready by prepare(*arguments), and end with this one.

    On the way out work that is not done is dropped. Raises InputError when one of them is killed.
    """
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (prepare, *arguments))
    try:
        yield pool
    except BrokenProcessPool:
        raise InputError(KILLED) from None
    finally:
        started = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in started:
            process.terminate()


def end_with_parent() -> None:
    """Let this process, a worker's, end as soon as the one that started it has, even if that was killed.

    Ctrl-C is that one's to handle.
    """
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    def watch():
        parent = parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=watch, daemon=True).start()


def _start_worker(prepare, *arguments):
    end_with_parent()
    if prepare:
        prepare(*arguments)


_steps_done: Any = None  # in a worker: the counter it shares with the main process


def _share(counter):
    global _steps_done
    _steps_done = counter


def _count_step():
    with _steps_done.get_lock():
        _steps_done.value += 1


def _work(task, job):
    return task(*job, on_step=_count_step)


def _in_processes(task, jobs, workers, on_progress, killed):
    from multiprocessing import get_context

    counter, jobs = get_context("spawn").Value("l", 0), iter(jobs)
    while True:
        several = yield from _pooled(task, jobs, workers, AHEAD * workers, counter, on_progress)
        if not several:
            return
        if not killed:
            raise InputError(KILLED)
        one_by_one = iter(several)  # whose worker it was cannot be known
        while lost := (yield from _pooled(task, one_by_one, 1, 1, counter, on_progress)):
            for _ in range(TRIES - 2):
                if not (yield from _pooled(task, iter(lost), 1, 1, counter, on_progress)):
                    break
            else:
                yield lost[0], killed(lost[0])


def _pooled(task, jobs, workers, ahead, counter, on_progress):
    """Yield (job, result) of a pool's work, of which it has up to `ahead` jobs at a time.

    Return those of them that were not done when one of its processes was killed.
    """
    from concurrent.futures import wait
    from concurrent.futures.process import BrokenProcessPool

    waiting, lost = {}, []
    with processes(workers, _share, counter) as pool:
        while True:
            for job in islice(jobs, 0 if lost else ahead - len(waiting)):
                try:
                    waiting[pool.submit(_work, task, job)] = job
                except BrokenProcessPool:
                    lost.append(job)
                    break
            if not waiting:
                return lost
            done, _ = wait(waiting, timeout=0.5, return_when="FIRST_COMPLETED")
            on_progress(counter.value)
            for future in done:
                job = waiting.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    lost.append(job)
                else:
                    yield job, result


def _on_ray(task, jobs, workers, address, on_progress, steps_of, killed):
    """Yield (job, result) of Ray tasks, a job each, so that a worker that dies costs the others nothing and is told by its job.

    (Ray Data's checkpoints are of blocks of rows, and one bad song would end the worker of a whole block again and again.)
    """
    ray = _joined(workers, address)
    errors = ray.exceptions
    try:
        remote, jobs, waiting, steps = ray.remote(num_cpus=1, max_retries=TRIES - 1)(task), iter(jobs), {}, 0
        while True:
            ahead = AHEAD * max(int(ray.cluster_resources().get("CPU", workers)), 1)  # machines come and go
            for job in islice(jobs, max(ahead - len(waiting), 0)):
                waiting[remote.remote(*job)] = job
            if not waiting:
                return
            ray.wait(list(waiting), timeout=0.5)
            ready, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=0)
            on_progress(steps)
            for ref in ready:
                job = waiting.pop(ref)
                try:
                    result = ray.get(ref)
                except (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.NodeDiedError):
                    if not killed:
                        raise InputError(KILLED) from None
                    result = killed(job)
                steps += steps_of(result)
                yield job, result
    except errors.RayTaskError as error:
        raise error.as_instanceof_cause() from None
    finally:
        ray.shutdown()


def _joined(workers, address):
    """Return the module ray, joined to a cluster. Raises InputError where there is none."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not address:
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # its ports are open to the network: only who has the user's token gets in
    os.environ.setdefault("RAY_task_oom_retries", str(TRIES - 1))  # without end, otherwise
    try:
        ray: Any = import_module("ray")  # types are checked without it, too
    except ImportError:
        raise InputError("the Ray engine needs ray; pip install ray, or leave --engine out") from None
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():  # ray itself waits for minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="WARNING",
            **({} if address else {"num_cpus": workers, "include_dashboard": False}),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"no Ray cluster at {address} ({str(error).splitlines()[0]}); check --address, or leave it out") from None
    return ray
