"""The ways a connection can end, and waiting for its other end."""

import select
import socket
import ssl
import struct
import time

DRAIN_SECONDS = 2.0
_POLL_SECONDS = 0.05


def finish(sock, how, stopped):
    """End the connection: close_notify, fin, rst, or hang until the client goes."""
    try:
        if how == "rst":
            reset(sock)
            return
        if how == "hang":
            wait_for_hangup(sock, stopped)
        elif how == "close_notify":
            _say_close_notify(sock)
        _half_close(sock, stopped)
    except OSError:
        pass
    finally:
        sock.close()


def reset(sock):
    """Close with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    sock.close()


def wait_for_hangup(sock, stopped):
    """Read nothing and say nothing until the client has closed its side."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    while not stopped.is_set():
        if poll.poll(_POLL_SECONDS * 1000):
            return


def shutdown_now(sock):
    """End a connection from another thread; wakes the one that uses it."""
    try:
        # The base class: SSLSocket.shutdown would pull TLS away under the owner.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass


def _say_close_notify(sock):
    if not isinstance(sock, ssl.SSLSocket):
        return
    sock.settimeout(0)
    try:
        sock.unwrap()
    except (OSError, ValueError):
        pass  # the alert is out; the client's own need not be waited for


def _half_close(sock, stopped):
    """Send FIN, then read on for a while: closing with unread data would send RST."""
    socket.socket.shutdown(sock, socket.SHUT_WR)
    sock.settimeout(_POLL_SECONDS)
    end = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < end and not stopped.is_set():
        try:
            if not socket.socket.recv(sock, 65536):
                return
        except TimeoutError:
            continue
