# class:     network (UDP too)
# attack:    TCP, UDP, name look-ups and local sockets
# contained: there is no network
# added to:  stub
# ends:      by itself
# suite:     model: not started, train: not started, boundary: not started
# verdict:   model: not started, train: not started, boundary: not started

import socket

REACHED = []
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
for family, kind in ((socket.AF_INET, TCP), (socket.AF_INET, UDP), (socket.AF_INET6, TCP)):
    for host in ("127.0.0.1", "::1", "8.8.8.8"):
        try:
            with socket.socket(family, kind) as connection:
                connection.settimeout(0.2)
                connection.connect((host, {port}))
                connection.send(b"the secrets")
                REACHED.append(host)
        except OSError:
            pass
try:
    REACHED.append(socket.getaddrinfo("example.org", 80))
except OSError:
    pass
if REACHED:
    raise SystemExit(f"reached {REACHED}")
