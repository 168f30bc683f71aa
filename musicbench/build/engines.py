"""Run a function over many jobs: in this process, in others on this machine, or on a Ray cluster. The one pool of processes.

The function takes a job's arguments and `on_step`, to be called after each step of its work; results come in the order
of the jobs.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from musicbench import InputError

KILLED = "a worker was killed, perhaps for memory; run the same command again, with fewer --workers"


@dataclass(frozen=True)
class Engine:
    """What runs jobs: "local", `workers` processes on this machine, or "ray", the Ray cluster at `address`.

    Without an address "ray" is a cluster of `workers` on this machine.
    """

    name: str = "local"
    workers: int = 1
    address: str | None = None

    def run(
        self,
        task: Callable,
        jobs: Sequence[tuple],
        *,
        on_progress: Callable[[int], None] = lambda steps: None,
        steps_of: Callable[[Any], int] = lambda result: 1,
        killed: Callable[[tuple], Any] | None = None,
    ) -> list:
        """Return [task(*job) for job in jobs].

        on_progress(steps done) is called now and then; steps_of(result): how many steps a finished job took, for Ray,
        whose tasks do not tell. What a task raises stops everything and is raised here. When a local worker is killed,
        jobs that are not done are run one by one; killed(job) is the result of one whose worker is killed then, too.
        Raises InputError for an unknown engine.
        """
        if self.name == "ray":
            return _on_ray(task, jobs, self.workers, self.address, on_progress, steps_of)
        if self.name != "local":
            raise InputError(f"unknown engine {self.name!r}; give local or ray")
        if self.workers == 1:
            return _here(task, jobs, on_progress)
        return _in_processes(task, jobs, self.workers, on_progress, killed)


def _here(task, jobs, on_progress):
    steps = 0

    def on_step():
        nonlocal steps
        steps += 1
        on_progress(steps)

    return [task(*job, on_step=on_step) for job in jobs]


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
    results = _run_pool(task, dict(enumerate(jobs)), workers, on_progress)
    if len(results) < len(jobs) and not killed:
        raise InputError(KILLED)
    for index, job in enumerate(jobs):
        if index not in results:
            results |= _run_pool(task, {index: job}, 1) or {index: killed(job)}
    return [results[index] for index in range(len(jobs))]


def _run_pool(task, jobs, workers, on_progress=lambda steps: None):
    """Return {index: result} of the jobs {index: job} that were done when all were, or when a worker was killed."""
    from concurrent.futures import wait
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    counter, results = get_context("spawn").Value("l", 0), {}
    with processes(workers, _share, counter) as pool, suppress(BrokenProcessPool):  # while jobs are still being given to it
        waiting = {pool.submit(_work, task, job): index for index, job in jobs.items()}
        while waiting:
            done, _ = wait(waiting, timeout=0.5, return_when="FIRST_COMPLETED")
            on_progress(counter.value)
            for future in done:
                index = waiting.pop(future)
                with suppress(BrokenProcessPool):
                    results[index] = future.result()
    return results


def _on_ray(task, jobs, workers, address, on_progress, steps_of):
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray: Any = import_module("ray")  # types are checked without it, too
    except ImportError:
        raise InputError("the Ray engine needs ray; pip install ray, or leave --engine out") from None
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    try:
        if host and port.isdigit():  # ray itself waits for minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address, log_to_driver=False, **({} if address else {"num_cpus": workers, "include_dashboard": False}))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"no Ray cluster at {address} ({str(error).splitlines()[0]}); check --address, or leave it out") from None
    try:
        remote = ray.remote(num_cpus=1)(task)
        waiting = {remote.remote(*job): index for index, job in enumerate(jobs)}
        results, steps = [None] * len(jobs), 0
        while waiting:
            ready, _ = ray.wait(list(waiting), timeout=0.5)
            for ref in ready:
                index = waiting.pop(ref)
                results[index] = ray.get(ref)
                steps += steps_of(results[index])
            on_progress(steps)
        return results
    except ray.exceptions.RayTaskError as error:
        raise error.as_instanceof_cause() from None
    finally:
        ray.shutdown()
