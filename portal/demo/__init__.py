"""The portal's main job, done from outside: people at browsers, a program at the API, nobody at the database.

What it claims it reads from the portal's own pages and from the sandbox's ledger, which knows no portal.
"""
