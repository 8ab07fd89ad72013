"""Documents filed by real workers, each meeting its own planned misfortune, all at the same time.

    python -m bench.crash --on production --only S1,S5 --runs 50

`plans` says what shall happen to a document, `points` lists it for every crash point, `hooks` makes it happen
inside the workers, `desk` submits, approves and watches over it, `verdict` asks the sandbox what came of it.
"""
