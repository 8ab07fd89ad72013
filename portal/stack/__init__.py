"""The whole portal on one machine: web, worker, beat, database, broker and a local Clio, supervised.

`make run`, `make demo` and the journeys start it; production starts the same parts by `docker-compose.yml`.
The supervisor imports no Django: the parts are processes of their own, and it outlives their mistakes.
"""
