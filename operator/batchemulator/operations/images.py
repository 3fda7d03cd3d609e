"""The images pools can be made of: a few, so that clients which offer a choice have one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from batchemulator.operations.lists import list_documents

if TYPE_CHECKING:
    from batchemulator.operations.call import Call
    from batchemulator.wire.messages import JsonObject, Response

_IMAGES = (
    ("almalinux", "8-gen2", "almalinux", "batch.node.el 8", "linux"),
    ("canonical", "22_04-lts", "0001-com-ubuntu-server-jammy", "batch.node.ubuntu 22.04", "linux"),
    ("canonical", "server", "ubuntu-24_04-lts", "batch.node.ubuntu 24.04", "linux"),
    ("microsoftwindowsserver", "2019-datacenter", "windowsserver", "batch.node.windows amd64", "windows"),
    ("microsoftwindowsserver", "2022-datacenter", "windowsserver", "batch.node.windows amd64", "windows"),
)


def list_supported_images(call: Call) -> Response:
    """GET /supportedimages."""
    entries = [(f"{number:03}", partial(_image, *image)) for number, image in enumerate(_IMAGES)]
    return list_documents(call, "supportedimages", entries)


def _image(publisher: str, sku: str, offer: str, agent: str, os_type: str) -> JsonObject:
    return {
        "nodeAgentSKUId": agent,
        "imageReference": {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"},
        "osType": os_type,
        "verificationType": "verified",
    }
