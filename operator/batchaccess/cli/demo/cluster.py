"""The demo's view of its Kubernetes API: what a person would do with kubectl, which is used where it is installed."""

import asyncio
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import yaml

GROUP_PATH: Final = "/apis/batchaccess.dev/v1alpha1"
_PLURALS: Final = {
    "BatchAccountConnection": f"{GROUP_PATH}/batchaccountconnections",
    "BatchPoolAccess": f"{GROUP_PATH}/batchpoolaccesses",
    "BatchPoolAccessPolicy": f"{GROUP_PATH}/namespaces/{{namespace}}/batchpoolaccesspolicies",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Namespace": "/api/v1/namespaces",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "Event": "/api/v1/events",
}


def manifest(name: str, **values: str) -> str:
    """One of the demo's manifests with its placeholders filled in."""
    text = resources.files("batchaccess.cli.demo").joinpath("manifests", name).read_text(encoding="utf-8")
    return Template(text).substitute(values)


class RefusedError(Exception):
    """The API server refused what was applied; the message is its own."""


class Cluster:
    """One API server, by kubectl for what people do and by HTTP for what the demo looks at."""

    def __init__(self, session: aiohttp.ClientSession, url: str, kubeconfig: Path) -> None:
        self._session = session
        self._url = url
        self._kubeconfig = kubeconfig
        self.kubectl = shutil.which("kubectl")

    async def apply(self, text: str) -> str:
        """Apply YAML documents; what kubectl printed.

        Raises:
            RefusedError: the API server refused one of them.
        """
        if self.kubectl is not None:
            return await self.run_kubectl("apply", "--filename", "-", text=text)
        applied = [await self._apply_one(document) for document in yaml.safe_load_all(text)]
        return "\n".join(applied)

    async def run_kubectl(self, *arguments: str, text: str = "") -> str:
        """Run kubectl as a person would; its output.

        Raises:
            RefusedError: kubectl failed.
        """
        process = await asyncio.create_subprocess_exec(
            self.kubectl or "kubectl",
            "--kubeconfig",
            str(self._kubeconfig),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(text.encode())
        if process.returncode != 0:
            raise RefusedError(err.decode().strip())
        return out.decode().rstrip()

    async def list(self, kind: str, namespace: str = "") -> list[dict[str, Any]]:
        """All objects of a kind."""
        answer = await self._request("GET", _PLURALS[kind].format(namespace=namespace))
        items: list[dict[str, Any]] = answer["items"]
        return items

    async def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        """One object; an empty one if it does not exist."""
        try:
            return await self._request("GET", f"{_PLURALS[kind].format(namespace=namespace)}/{name}")
        except RefusedError:
            return {}

    async def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Delete one object."""
        await self._request("DELETE", f"{_PLURALS[kind].format(namespace=namespace)}/{name}")

    async def annotate(self, kind: str, name: str, annotations: Mapping[str, str], namespace: str = "") -> None:
        """Set annotations of one object."""
        path = f"{_PLURALS[kind].format(namespace=namespace)}/{name}"
        await self._request("PATCH", path, {"metadata": {"annotations": dict(annotations)}}, "merge-patch+json")

    async def writes_of(self, user_agent: str) -> int:
        """How many writes a client has made so far, by the API server's own log."""
        log = await self._request("GET", "/emulator/requests")
        return sum(
            entry["method"] not in ("GET", "HEAD") and user_agent in entry["user_agent"] for entry in log["requests"]
        )

    async def _apply_one(self, document: dict[str, Any]) -> str:
        metadata = document["metadata"]
        path = f"{_PLURALS[document['kind']].format(namespace=metadata.get('namespace', ''))}/{metadata['name']}"
        query = urlencode({"fieldManager": "batchaccess-demo", "force": "true"})
        await self._request("PATCH", f"{path}?{query}", document, "apply-patch+yaml")
        return f"{document['kind'].lower()}/{metadata['name']} applied"

    async def _request(self, method: str, path: str, body: object = None, content_type: str = "json") -> dict[str, Any]:
        headers = {"Content-Type": f"application/{content_type}", "Accept": "application/json"}
        async with self._session.request(method, self._url + path, json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            if response.status >= 400:  # noqa: PLR2004 the first status that is an error
                raise RefusedError(str(answer.get("message", response.reason)))
            return answer


def condition(thing: Mapping[str, Any], type: str) -> tuple[str, str, str]:
    """Status, reason and message of one condition of an object; empty texts if it has none."""
    conditions: list[dict[str, str]] = thing.get("status", {}).get("conditions", [])
    found = next((each for each in conditions if each["type"] == type), dict[str, str]())
    return found.get("status", ""), found.get("reason", ""), found.get("message", "")
