"""The story of the example shop's README goes as it is printed: real servers, called with curl."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from httpx2 import Client, ConnectError

from .conftest import SECRET_IN, SECRET_OUT

PAGE = Path(__file__).parents[2] / "examples" / "fastapi_shop" / "README.md"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def story() -> list[tuple[str, str]]:
    """Return the calls of the page, each with the answer that it shows."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [
        (line.removeprefix("$ "), answer) for line, answer in pairwise(lines) if line.startswith("$ curl ")
    ]


@pytest.fixture(params=["thread", "process"])
def ports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start what the page starts, with either worker, on ports that are free; return these by the page's own."""
    page = PAGE.read_text(encoding="utf-8")
    ports = {"8000": free_port(), "8001": free_port()}
    database = f"sqlite:///{tmp_path / 'shop.db'}"
    environment = {
        **os.environ,
        "SHOP_DATABASE": database,
        "SHOP_SECRET_OUT": SECRET_OUT,
        "SHOP_SECRET_IN": SECRET_IN,
        "SHOP_WEBHOOK_URL": f"http://127.0.0.1:{ports['8001']}/events",
        "SHOP_URL": f"http://127.0.0.1:{ports['8000']}",
        "SHOP_WORKS": "yes" if request.param == "thread" else "no",
    }
    commands = re.findall(r"^\$ (uvicorn .*--port \d+) &$", page, re.MULTILINE)
    assert len(commands) == 2
    commands = [re.sub(r"\d+$", lambda printed: ports[printed[0]], command) for command in commands]
    if request.param == "process":
        commands += re.findall(r"`(amends worker .*)`", page.replace("sqlite:///shop.db", database))
        assert len(commands) == 3
    servers = [
        subprocess.Popen([sys.executable, "-m", *command.split()], cwd=PAGE.parents[1], env=environment)
        for command in commands
    ]
    try:
        for port in ports.values():
            answers(f"http://127.0.0.1:{port}/docs")
        yield ports
    finally:
        for server in servers:
            server.terminate()
        assert {server.wait(timeout=30) for server in servers} <= {0, -signal.SIGTERM}


def answers(address: str) -> None:
    """Wait until a server is there."""
    with Client() as client:
        for _ in range(600):
            try:
                client.get(address)
            except ConnectError:
                time.sleep(0.05)
            else:
                return
    pytest.fail(f"nothing answers at {address}")


def test_the_founding_flow_goes_as_it_is_printed(ports: dict[str, str]) -> None:
    curl = shutil.which("curl")
    if (
        curl is None
        or "--json"
        not in subprocess.run([curl, "--help", "all"], capture_output=True, text=True, check=True).stdout
    ):
        pytest.skip("there is no curl here, or one before 7.82")
    calls = story()
    assert len(calls) == 12
    for command, shown in calls:
        call = re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda printed: ports[printed[0]], command)
        # The worker and the bank are done in a moment.
        for _ in range(300 if '"closed_refunded"' in shown else 1):
            said = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True).stdout
            if INSTANT.sub("…", said) == shown:
                break
            time.sleep(0.1)
        assert INSTANT.sub("…", said) == shown, command
