"""Probes of the network."""
import os
import socket

from answers import attempt

ANSWER_SECONDS = 2


def reach(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(ANSWER_SECONDS)
        one.connect(address)
        return one.recv(100).decode()


def datagram(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b'x', (host, port))


def listen(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.bind(address)
        one.listen(1)


def resolve(host):
    try:
        return socket.getaddrinfo(host, 80)[0][4][0]
    except socket.gaierror:
        return 'not found'


OPERATIONS = {
    'socket': lambda family, kind, protocol: attempt(lambda: socket.socket(family, kind, protocol).close()),
    'socketpair': lambda kind: attempt(lambda: [each.close() for each in socket.socketpair(socket.AF_UNIX, kind)] and None),
    'connect': lambda host, port: attempt(reach, socket.AF_INET, (host, port)),
    'connect6': lambda host, port: attempt(reach, socket.AF_INET6, (host, port)),
    'connect-abstract': lambda text: attempt(reach, socket.AF_UNIX, '\0' + text),
    'connect-path': lambda path: attempt(reach, socket.AF_UNIX, path),
    'datagram': lambda host, port: attempt(datagram, host, port),
    'listen': lambda: attempt(listen, socket.AF_INET, ('127.0.0.1', 0)),
    'listen-path': lambda: attempt(listen, socket.AF_UNIX, '/tmp/socket'),
    'resolve': lambda host: attempt(resolve, host),
    'interfaces': lambda: attempt(lambda: [text for _, text in socket.if_nameindex()] or 'none'),
}
