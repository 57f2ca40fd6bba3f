"""A little network of our own: namespaces joined by a bridge in a namespace, nothing of it touches the host's."""
import contextlib
import ctypes
import os
import subprocess

from claims import claim
from office import free_ports


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def setns(descriptor):
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Network:
    """hosts("pbx", "a") makes namespaces with 192.0.2.1, .2 … and 2001:db8::1, ::2 … on one switch."""

    def __init__(self, *names):
        number, self.held = claim("network", 1000)
        free_ports(1)  # names are claimed in the network one stands in: not first in one of ours, where nobody sees it
        self.tag = f"bwt{number}"
        self.names = names
        self.switch = f"{self.tag}-sw"

    def __enter__(self):
        self._remove()  # what a test left that was killed
        try:
            self._make()
        except BaseException:
            self._remove()
            raise
        return self

    def _make(self):
        ip("netns", "add", self.switch)
        ip("-n", self.switch, "link", "add", "br0", "type", "bridge")
        ip("-n", self.switch, "link", "set", "br0", "up")
        for index, name in enumerate(self.names, 1):
            space = self.namespace(name)
            ip("netns", "add", space)
            ip("-n", self.switch, "link", "add", f"p{index}", "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("-n", self.switch, "link", "set", f"p{index}", "master", "br0", "up")
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
            ip("-n", space, "addr", "add", f"{self.address6(name)}/64", "dev", "eth0", "nodad")

    @contextlib.contextmanager
    def inside(self, name):
        """Sockets that this thread makes meanwhile are of that host."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.namespace(name)}", os.O_RDONLY)
        try:
            setns(there)
            yield
        finally:
            setns(own)
            os.close(own)
            os.close(there)

    def namespace(self, name):
        return f"{self.tag}-{name}"

    def address(self, name):
        return f"192.0.2.{self.names.index(name) + 1}"

    def address6(self, name):
        return f"2001:db8::{self.names.index(name) + 1:x}"

    def _remove(self):
        for name in self.names:
            ip("netns", "del", self.namespace(name), check=False)
        ip("netns", "del", self.switch, check=False)

    def __exit__(self, *_):
        self._remove()
        self.held.close()
