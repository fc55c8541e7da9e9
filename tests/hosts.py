"""Hosts of our own: network namespaces on a bridge that no other network is joined to (Linux, as root).

A host has an address, runs processes, and can be cut off from the others or lost with all that runs on it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from crmproject.supervision import end_with_parent

from .processes import MANAGE

NETWORK = "10.77.0"


def possible() -> bool:
    """Whether this machine and account can make namespaces."""
    if sys.platform != "linux" or os.getuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"crm-{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode == 0
    if made:
        _ip("netns", "del", name)
    return made


@dataclass
class Host:
    name: str
    address: str
    hub: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def within(self) -> list[str]:
        """What a command is put behind to run here."""
        return ["ip", "netns", "exec", self.name]

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Run `manage.py` with these arguments here."""
        parent = os.getpid()
        process = subprocess.Popen(
            [*self.within, sys.executable, MANAGE, *arguments],
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: end_with_parent(parent),
        )
        self.processes.append(process)
        return process

    def run(self, *arguments: str, timeout: float = 180, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with these arguments here to its end; the caller looks at status and output."""
        command = [*self.within, sys.executable, MANAGE, *arguments]
        return subprocess.run(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def cut_off(self) -> None:
        """Nothing comes through any more, and nobody is told: its cable is pulled at the other end."""
        _ip("-n", self.hub, "link", "set", self.name, "nomaster")

    def join_again(self) -> None:
        _ip("-n", self.hub, "link", "set", self.name, "master", "bridge")

    def lose(self) -> None:
        """As if its power was gone."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.processes.clear()


@contextmanager
def hosts(*names: str) -> Iterator[list[Host]]:
    """Hosts that reach each other and nothing else; the bridge between them is on the first one."""
    prefix = f"crm{os.getpid() % 10_000}"  # the name of a host is that of its cable, too: at most 15 letters
    with ExitStack() as stack:
        made = []
        for number, name in enumerate(names, 1):
            host = Host(f"{prefix}-{name}", f"{NETWORK}.{number}", hub=f"{prefix}-{names[0]}")
            _ip("netns", "add", host.name)
            stack.callback(_ip, "netns", "del", host.name)
            stack.callback(host.lose)
            _ip("-n", host.name, "link", "set", "lo", "up")
            made.append(host)
        hub, *others = made
        _ip("-n", hub.name, "link", "add", "bridge", "type", "bridge")
        _ip("-n", hub.name, "addr", "add", f"{hub.address}/24", "dev", "bridge")
        _ip("-n", hub.name, "link", "set", "bridge", "up")
        for host in others:
            _ip("-n", hub.name, "link", "add", host.name, "type", "veth", "peer", "eth0", "netns", host.name)
            host.join_again()
            _ip("-n", hub.name, "link", "set", host.name, "up")
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", "eth0")
            _ip("-n", host.name, "link", "set", "eth0", "up")
        yield made


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
