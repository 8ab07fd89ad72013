"""The web server's access log without what nobody may read there.

An address can hold a client's name that somebody searched for, Clio's code on the way back from consent, or
the key of a link with which to choose a password. A log is kept longer and read by more people than these.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from gunicorn.glogging import Logger

_RESET_KEY: Final = re.compile(r"(/password/reset/key/)[^/]+")


class WithoutSecrets(Logger):  # type: ignore[misc]
    """For gunicorn's `--logger-class`: no query, no referrer, no key of a link."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        path = _RESET_KEY.sub(r"\1…", str(environ.get("PATH_INFO", "")))
        told = {"U": path, "r": f"{environ.get('REQUEST_METHOD')} {path}", "q": "", "f": "-"}
        kept = {name: value for name, value in atoms.items() if not name.startswith("{")}
        return kept | told
