"""What only one test process of the machine may use at a time, though many run side by side.

A claim is a name in the abstract namespace of Unix sockets: nobody else can bind it, and it goes with the process,
however that ends. Nothing is left to clean up.
"""
import os
import socket


def claim(kind, count, suits=lambda number: True):
    """A number below `count` that nobody else holds until the socket beside it is closed; and that suits."""
    first = os.getpid() * 7 % count
    for i in range(count):
        number = (first + i) % count
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(f"\0bellwire-tests/{kind}/{number}")
            if suits(number):
                return number, held
        except OSError:
            pass
        held.close()
    raise AssertionError(f"all {count} places for {kind} are taken by what runs now")
