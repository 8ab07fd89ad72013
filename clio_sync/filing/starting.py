"""May a new document be begun? What is begun is finished first, and a place known to be closed is not tried.

Neither question asks Clio.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q

from clio_sync import limits, sightings
from clio_sync.api.errors import RateLimited
from clio_sync.clock import database_now
from clio_sync.filing.work import Stopped, Work
from clio_sync.models import Connection, Delivery, RateState
from clio_sync.problems import Problem
from clio_sync.sightings import Sighting

State, Hold = Delivery.State, Delivery.Hold

AHEAD: Final = timedelta(seconds=30)
"""No more is begun than can be confirmed in this time, so that no signed address grows old in a queue."""
LEAST: Final = 4
PAUSE: Final = 5.0
BEGUN: Final = (State.RESERVING, State.RESERVED, State.TRANSFERRED, State.CONFIRMING)


def require_room(work: Work) -> None:
    """Raises RateLimited while this connection has as much under way as its pace lets it finish soon.

    What waits for a person, for the connection or for a pause of its own does not count, so nothing that
    stands still keeps others out. Workers that look in the same moment may each begin one more.
    """
    room = room_of(work.delivery.connection)
    moving = Q(hold__in=[Hold.NONE, Hold.LIMIT], connection=work.delivery.connection_id, state__in=BEGUN)
    if len(Delivery.objects.filter(moving).values_list("pk")[:room]) >= room:
        raise RateLimited(retry_after=PAUSE)


def room_of(connection: Connection) -> int:
    """How many confirmations fit into `AHEAD`."""
    state = RateState.objects.filter(connection=connection).first() or RateState(connection=connection)
    return max(LEAST, int(AHEAD / limits.pace(state, database_now())))


def require_open_matter(work: Work) -> None:
    """Raises Stopped if somebody has just seen that the matter is closed, or that it is not to be seen.

    It counts once: when a person says try again, Clio itself is tried.
    """
    place = (work.delivery.connection_id, work.destination.matter_id)
    seen = sightings.last(*place)
    if seen in _PROBLEMS:
        sightings.forget(*place)
        raise Stopped(_PROBLEMS[seen])


_PROBLEMS: Final = {
    Sighting.CLOSED: Problem.MATTER_CLOSED,
    Sighting.GONE: Problem.PLACE_NOT_FOUND,
}
