"""Whole readings of everything, beside the watches: what a watch dropped is found at the next one at the latest."""

from dataclasses import dataclass

from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.listing import list_all
from batchaccess.kube.resources import WATCHED, Resource
from batchaccess.ports import PortError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlistable:
    """A kind that could not be listed, and why."""

    resource: Resource
    error: PortError

    @property
    def explanation(self) -> str:
        """What is wrong and what to do about it, in one line."""
        kind = self.resource.kind
        match self.error.status:
            case 404:
                return f"the API server does not know {kind}: install the CRDs (batchaccess crds | kubectl apply -f -)"
            case 403:
                return (
                    f"listing {kind} is forbidden: bind the ClusterRole of deploy/kustomize/base to the "
                    f"operator's ServiceAccount ({self.error.message})"
                )
            case _:
                return f"{kind} could not be listed: {self.error.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResyncResult:
    """What a whole reading brought: `news` are objects that the watches had not told us about."""

    news: int
    failures: tuple[Unlistable, ...]


async def resync(client: KubeClient, live: LiveCatalogue) -> ResyncResult:
    """List every watched kind and take it in; a kind that cannot be listed keeps its last reading."""
    news = 0
    failures: list[Unlistable] = []
    for resource in WATCHED:
        try:
            listing = await list_all(client, resource)
        except PortError as error:
            failures.append(Unlistable(resource=resource, error=error))
        else:
            news += live.replace(resource, listing)
    return ResyncResult(news=news, failures=tuple(failures))
