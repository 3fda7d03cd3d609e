"""A kubeconfig that is none is told in one line, not by a traceback."""

from pathlib import Path

import pytest

from batchaccess.kube.client import NO_CONFIGURATION, KubeClient
from batchaccess.ports import PortError


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty file"),
        pytest.param("[]", id="a list"),
        pytest.param("words", id="words"),
        pytest.param("a: [", id="no YAML"),
        pytest.param("clusters: 3", id="a number of clusters"),
        pytest.param("{}", id="nothing in it"),
    ],
)
async def test_a_file_that_is_no_kubeconfig_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(PortError) as raised:
        await KubeClient.connect(path)
    assert raised.value.code == NO_CONFIGURATION
    assert str(path) in str(raised.value)
