"""One thread a worker: workers share the cores, and threads of small networks wait longer than they work."""

import os
from functools import cache

VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


@cache
def use_one_thread() -> None:
    """Let linear algebra and OpenMP use one thread in this process and in those it starts from now on.

    What is loaded already is told through threadpoolctl (scikit-learn's, which librosa needs); networks of madmom's get
    one thread when they are loaded.
    """
    for name in VARIABLES:
        os.environ[name] = "1"
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(1)
