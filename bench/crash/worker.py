"""The product's Celery workers, with the harness's hooks: `python -m bench.crash.worker worker ...`."""

from __future__ import annotations

import importlib
import sys

import django

from clio_sync.api.outbound import only_origin, outbound_client
from portal.celery import app


def main() -> None:
    django.setup()
    importlib.import_module("bench.crash.hooks").install()
    # What takes long is done before the pool forks: a child is killed every second here.
    outbound_client(only_origin("http://127.0.0.1")).close()
    app.conf.worker_lost_wait = 0.5  # instead of ten seconds in which a killed child might still answer
    app.start(sys.argv[1:])


if __name__ == "__main__":
    main()
