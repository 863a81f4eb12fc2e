"""Stands for systemd: holds a listening socket and starts the command of its arguments with it (sd_listen_fds(3)).

Says the socket's port. For each line on standard input it stops the server, starts the next one and says so; at the
end of the input it stops the server. A server that does not stop in good order is an error.
"""

import os
import signal
import socket
import sys

listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(1024)
print(listening.getsockname()[1], flush=True)


def start():
    child = os.fork()
    if child:
        return child
    os.dup2(listening.fileno(), 3)
    os.set_inheritable(3, True)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    os.execv(sys.argv[1], sys.argv[1:])


def stop(child):
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit(f"the server ended with {status}")


server = start()
for _ in sys.stdin:
    stop(server)
    server = start()
    print("restarted", flush=True)
stop(server)
