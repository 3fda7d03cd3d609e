"""What kopf is used for: watching. Its events feed the live catalogue, which tells who has to wake; nothing is decided.

Only `on.event` handlers: timers, daemons and create or update handlers make kopf write finalizers and annotations into
objects, stop for good with one refused PATCH, and drop events when a PATCH fails.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import kopf
from kopf._core.engines.peering import Identity

from batchaccess.core.model import JsonObject
from batchaccess.kube.client import ApiAccess
from batchaccess.kube.resources import GROUP, WATCHED, Resource

ReadAccess: TypeAlias = Callable[[], Awaitable[ApiAccess]]
"""Reads address and credentials of the API server; called at the start and after each 401."""


_log = logging.getLogger(__name__)


class Observer(Protocol):
    """Takes in what the watches deliver; must not block or raise."""

    def observe(self, resource: Resource, raw: JsonObject, *, event_type: str | None) -> None:
        """One object; `event_type` is ADDED, MODIFIED, DELETED, or None where a watch was opened anew."""
        ...


class EndlessBackoffs:
    """Seconds between the attempts of a failing request: growing, then the last one for ever.

    kopf ends the whole operator when a watch is answered 5xx or 403 for longer than its backoffs last (54 s by
    default). It iterates them anew for every request, so this is an iterable, not an iterator.
    """

    def __init__(self, growing: tuple[float, ...] = (1, 1, 2, 3, 5, 8, 13, 21)) -> None:
        self._growing = growing

    def __iter__(self) -> Iterator[float]:
        yield from self._growing
        while True:
            yield self._growing[-1]


REGISTRY_PREFIX: Final = f"operator.{GROUP}"
"""Prefix of every annotation and finalizer kopf could ever write; it writes none."""


def settings() -> kopf.OperatorSettings:
    """Settings of kopf for watching only."""
    settings = kopf.OperatorSettings()
    settings.networking.error_backoffs = EndlessBackoffs()
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.trust_env = True
    # An int, though typed float: the API server refuses `timeoutSeconds=600.0` (strconv.ParseInt).
    settings.watching.server_timeout = 600
    settings.watching.client_timeout = 660
    settings.watching.connect_timeout = 10
    # Bookmarks come every minute. A watch on which nothing arrives for longer is opened anew, from where it was.
    settings.watching.inactivity_timeout = 70
    # The worker of an object lingers for the idle timeout, and only then makes room for that of another one. With a
    # limit of 64 and a second of lingering, ten thousand objects took minutes to be noticed, their events in memory.
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 0.1
    # Without it kopf also watches CRDs and namespaces, for which the operator has no other need of permission. What
    # it costs: CRDs that appear later are not noticed, which is why `app` waits for them before it starts kopf.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.persistence.finalizer = f"{REGISTRY_PREFIX}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=REGISTRY_PREFIX)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=REGISTRY_PREFIX)
    settings.background.cancellation_polling = 10
    settings.process.ultimate_exiting_timeout = 60
    return settings


def register(registry: kopf.OperatorRegistry, observer: Observer, access: ReadAccess) -> None:
    """Watch the three kinds and the namespaces, and log in with the credentials of our own client."""

    async def login(**_: Any) -> kopf.ConnectionInfo:  # noqa: ANN401 kopf passes whatever it likes
        return _connection_info(await access())

    kopf.on.login(registry=registry)(login)
    for resource in WATCHED:
        _watch(registry, resource, observer)


class Watches:
    """The running watches: kopf, embedded in our event loop.

    `kopf.operator` would cancel every task of the loop that was born after it, a sweep in the middle of a write among
    them, as soon as one of its own tasks fails. So its root tasks are spawned and watched here, and are torn down only
    when `stop` says so, with everybody else's tasks left alone.
    """

    def __init__(self, registry: kopf.OperatorRegistry, settings: kopf.OperatorSettings) -> None:
        self._registry = registry
        self._settings = settings
        self._stop = asyncio.Event()
        self._roots: Collection[asyncio.Task[Any]] = ()

    async def start(self) -> None:
        """Begin to watch. Takes over the loop's handlers of SIGTERM, SIGINT and stray exceptions: set yours later."""
        asyncio.get_running_loop().set_exception_handler(_tell_stray_exception)
        self._roots = await kopf.spawn_tasks(
            registry=self._registry,
            settings=self._settings,
            identity=_IDENTITY,
            clusterwide=True,
            standalone=True,
            stop_flag=self._stop,
        )

    async def ended(self) -> str:
        """Wait until kopf ends, which it never does by itself unless something is wrong; what is wrong."""
        done, _ = await asyncio.wait(self._roots, return_when=asyncio.FIRST_COMPLETED)
        failures = [repr(error) for task in done if not task.cancelled() and (error := task.exception()) is not None]
        return "; ".join(failures) or "a task of kopf ended"

    async def stop(self) -> None:
        """End the watches; harmless if they never started or ended by themselves."""
        if not self._roots:
            return
        self._stop.set()
        roots, self._roots = self._roots, ()
        others = {task for task in asyncio.all_tasks() if not _is_of_kopf(task)}
        try:
            await kopf.run_tasks(roots, ignored=others)
        except Exception as error:  # noqa: BLE001 run_tasks raises again what `ended` has told already
            _log.debug("kopf ended with %r", error)


def _tell_stray_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """When one watch fails for good kopf looks no more at the others, which often fail with it: that is no news."""
    task = context.get("future")
    if isinstance(task, asyncio.Task) and _is_of_kopf(task):
        _log.debug("another task of kopf ended with %r", context.get("exception"))
    else:
        loop.default_exception_handler(context)


_KOPF: Final = str(Path(kopf.__file__).parent)

# Nobody reads it where kopf has no peers. Without one, kopf asks the system for the name of its user, and ends the
# operator where that user has none, as the user of the image.
_IDENTITY: Final = Identity("batchaccess")


def _is_of_kopf(task: asyncio.Task[Any]) -> bool:
    """Whether a task runs code of kopf; watches that it left behind when one of them failed have to go as well."""
    coroutine = task.get_coro()
    return inspect.iscoroutine(coroutine) and coroutine.cr_code.co_filename.startswith(_KOPF)


def _watch(registry: kopf.OperatorRegistry, resource: Resource, observer: Observer) -> None:
    async def observe(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 kopf passes whatever it likes
        observer.observe(resource, event["object"], event_type=event["type"])

    kopf.on.event(
        group=resource.group, version=resource.version, plural=resource.plural, registry=registry, id=resource.plural
    )(observe)


def _connection_info(access: ApiAccess) -> kopf.ConnectionInfo:
    scheme, _, token = (access.authorization or "").partition(" ")
    return kopf.ConnectionInfo(
        server=access.server,
        ca_path=access.ca_path,
        insecure=access.insecure,
        scheme=scheme or None,
        token=token or None,
        certificate_path=access.certificate_path,
        private_key_path=access.private_key_path,
        trust_env=True,
    )
