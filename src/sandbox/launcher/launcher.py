"""Starts outer jails for the executor, and hands each jail in them its three connections to the executor. Trusted and
small; runs outside of every jail under the executor's own unprivileged id, with an empty environment. No byte of an
execution passes through it.

Speaks JSON, one message a line, with the executor on descriptor 3, and JSON packets with zygotes and slots. Who a jail's
process is, it takes from the kernel (SCM_CREDENTIALS), never from what the jail says.
"""
import json
import os
import resource
import selectors
import signal
import socket
import struct
import subprocess

EXECUTOR = 3
ROLES = ('c', 'o', 'e')
SET_DEATH_SIGNAL = 1
MAX_PACKET = 65536
KEPT_STDERR = 2000
# How a jail ended, as its slot sends it: a word, the status, and `struct rusage`.
END = struct.Struct('=8sq18q')


class Zygote:
    def __init__(self, name, process, control, stderr):
        self.name, self.process, self.control, self.stderr = name, process, control, stderr
        self.said = b''
        # Descriptor of the first process inside.
        self.first = None

    def kill(self):
        """Its first process, and with that all inside; the program that made the outer jail then reaps it and ends."""
        if self.first is None:
            self.process.kill()
        else:
            quietly(lambda: signal.pidfd_send_signal(self.first, signal.SIGKILL))

    def heard(self):
        """What the zygote or one of its slots last wrote on stderr."""
        if not self.stderr.closed:
            self.said = (self.said + (self.stderr.read() or b''))[-KEPT_STDERR:]
        return self.said.decode('utf-8', 'replace')


class Slot:
    def __init__(self, number, zygote, control):
        self.number, self.zygote, self.control = number, zygote, control
        self.jail = None
        # Whether its jail is to be killed as soon as it has a process.
        self.doomed = False


class Launcher:
    def __init__(self):
        self.executor = socket.socket(fileno=EXECUTOR)
        self.selector = selectors.EpollSelector()
        self.handlers = {}
        self.buffer = b''
        self.path = ''
        self.zygotes = {}
        self.slots = {}
        # Jail number to the descriptor of its process.
        self.processes = {}

    def tell(self, **message):
        self.executor.sendall(json.dumps(message).encode() + b'\n')

    def watch(self, stream, handle):
        self.selector.register(stream.fileno(), selectors.EVENT_READ, handle)
        self.handlers[stream.fileno()] = handle

    def leave(self, stream):
        """No more of a stream."""
        del self.handlers[stream.fileno()]
        self.selector.unregister(stream.fileno())
        stream.close()

    def run(self):
        self.watch(self.executor, self.from_executor)
        while True:
            for key, _ in self.selector.select():
                # One handled before may have left it, and another may have its number.
                if self.handlers.get(key.fd) is key.data:
                    key.data()

    def from_executor(self):
        data = self.executor.recv(1 << 20)
        if not data:
            self.end()
        *lines, self.buffer = (self.buffer + data).split(b'\n')
        for line in lines:
            message = json.loads(line)
            getattr(self, 'do_' + message['type'])(message)

    def end(self):
        """Ends with everything that was started, and leaves nothing for the machine's init to reap."""
        for zygote in self.zygotes.values():
            zygote.kill()
        for zygote in self.zygotes.values():
            zygote.process.wait()
        os._exit(0)

    def do_hello(self, message):
        self.path = message['path']

    def do_zygote(self, message):
        """Starts an outer jail: a program with arguments, and descriptors that hold given bytes."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        given = {int(number): bytes.fromhex(content) for number, content in message['files'].items()}
        held = {number: filled(content) for number, content in given.items()}
        held[EXECUTOR] = theirs.detach()
        # Every number that is needed is moved out of the way first: dup2 must not overwrite one that is still to be placed.
        moved = {number: fcntl_dup(descriptor) for number, descriptor in held.items()}
        process = subprocess.Popen(
            [message['program'], *message['arguments']],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0, env={}, cwd='/',
            close_fds=False, preexec_fn=lambda: place(moved),
        )
        for descriptor in (*held.values(), *moved.values()):
            os.close(descriptor)
        os.set_blocking(process.stderr.fileno(), False)
        zygote = Zygote(message['zygote'], process, ours, process.stderr)
        self.zygotes[zygote.name] = zygote
        self.watch(ours, lambda: self.from_zygote(zygote))
        self.watch(zygote.stderr, lambda: self.stderr_of(zygote))
        ours.send(json.dumps(message['plan']).encode())

    def stderr_of(self, zygote):
        data = zygote.stderr.read()
        if data is not None:
            zygote.said = (zygote.said + data)[-KEPT_STDERR:]
        if data == b'':
            self.leave(zygote.stderr)

    def from_zygote(self, zygote):
        data, pid = packet(zygote.control)
        if data is None:
            return self.lose(zygote, '')
        message = json.loads(data)
        if 'failed' in message:
            return self.lose(zygote, message['failed'])
        try:
            zygote.first = os.pidfd_open(pid)
        except OSError:
            return self.lose(zygote, 'it ended at its start')
        self.tell(type='zygote-ready', zygote=zygote.name, pid=pid)

    def lose(self, zygote, why):
        self.leave(zygote.control)
        zygote.kill()
        zygote.process.wait()
        if zygote.first is not None:
            os.close(zygote.first)
        why = why or zygote.heard()
        if not zygote.stderr.closed:
            self.leave(zygote.stderr)
        if self.zygotes.get(zygote.name) is zygote:
            del self.zygotes[zygote.name]
        for slot in [each for each in self.slots.values() if each.zygote is zygote]:
            self.lose_slot(slot)
        self.tell(type='zygote-lost', zygote=zygote.name, why=why)

    def do_end(self, message):
        zygote = self.zygotes.get(message['zygote'])
        if zygote is not None:
            self.lose(zygote, 'ended')

    def do_slot(self, message):
        zygote = self.zygotes.get(message['zygote'])
        if zygote is None:
            return self.tell(type='slot-lost', slot=message['slot'], why='its zygote is gone')
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with theirs:
            try:
                socket.send_fds(zygote.control, [json.dumps({'slot': message['slot']}).encode()], [theirs.fileno()])
            except OSError:
                ours.close()
                return self.tell(type='slot-lost', slot=message['slot'], why='its zygote is gone')
        slot = Slot(message['slot'], zygote, ours)
        self.slots[slot.number] = slot
        self.watch(ours, lambda: self.from_slot(slot))

    def do_go(self, message):
        slot = self.slots.get(message['slot'])
        if slot is not None:
            quietly(lambda: slot.control.send(b'{}'))

    def from_slot(self, slot):
        data, pid = packet(slot.control)
        if data is None:
            return self.lose_slot(slot)
        jail = slot.jail
        if len(data) == END.size and data.startswith(b'ended'):
            slot.jail = None
            self.forget(jail)
            return self.tell(type='ended', jail=jail, **end_of(data))
        message = json.loads(data)
        if 'slot' in message:
            return self.tell(type='slot-ready', slot=slot.number, pid=pid)
        # Else it is born.
        if jail is None or jail in self.processes:
            return self.lose_slot(slot)
        try:
            self.processes[jail] = os.pidfd_open(pid)
        except OSError:
            # It ended with its slot, which was killed, and is reaped already.
            return self.lose_slot(slot)
        if slot.doomed:
            self.signal(jail)
        self.tell(type='born', jail=jail, pid=pid)

    def lose_slot(self, slot):
        self.leave(slot.control)
        del self.slots[slot.number]
        self.tell(type='slot-lost', slot=slot.number, why=slot.zygote.heard())
        jail = slot.jail
        if jail is not None:
            self.signal(jail)
            self.forget(jail)
            self.tell(type='ended', jail=jail, exitCode=None, cpuMs=0, maxRssBytes=0)

    def do_close(self, message):
        slot = self.slots.get(message['slot'])
        if slot is not None:
            self.lose_slot(slot)

    def do_jail(self, message):
        slot, jail = self.slots.get(message['slot']), message['jail']
        if slot is None or slot.jail is not None:
            return self.tell(type='ended', jail=jail, exitCode=None, cpuMs=0, maxRssBytes=0)
        connections = []
        try:
            for role in ROLES:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                connections.append(connection)
                connection.connect(self.path)
                connection.sendall((message['nonce'] + role).encode())
            order = {name: message[name] for name in ('codeBytes', 'scratchBytes')}
            slot.jail, slot.doomed = jail, False
            socket.send_fds(slot.control, [json.dumps(order).encode()], [each.fileno() for each in connections])
        except OSError:
            slot.jail = None
            self.tell(type='ended', jail=jail, exitCode=None, cpuMs=0, maxRssBytes=0)
            self.lose_slot(slot)
        finally:
            for connection in connections:
                connection.close()

    def do_kill(self, message):
        jail = message['jail']
        self.signal(jail)
        if jail not in self.processes:
            # It may come before the process: what is not born must not live.
            for slot in self.slots.values():
                slot.doomed = slot.doomed or slot.jail == jail

    def do_limit(self, message):
        """Lowers a limit of a running process for good."""
        descriptor = self.processes.get(message['jail'])
        if descriptor is not None:
            pid = message['pid']
            quietly(lambda: resource.prlimit(pid, message['resource'], (message['value'], message['value'])))

    def signal(self, jail):
        descriptor = self.processes.get(jail)
        if descriptor is not None:
            quietly(lambda: signal.pidfd_send_signal(descriptor, signal.SIGKILL))

    def forget(self, jail):
        descriptor = self.processes.pop(jail, None)
        if descriptor is not None:
            os.close(descriptor)


def quietly(action):
    """For what may come too late: the process or the other end is gone, and is told of in its own way."""
    try:
        action()
    except OSError:
        pass


def packet(control):
    """The bytes of a message and the process that the kernel says sent it; None at the end."""
    try:
        data, ancillary, _, _ = control.recvmsg(MAX_PACKET, socket.CMSG_SPACE(12) + socket.CMSG_SPACE(64))
    except ConnectionError:
        return None, 0
    if not data:
        return None, 0
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return data, struct.unpack('3i', content[:12])[0]
    return None, 0


def end_of(data):
    _, status, *usage = END.unpack(data)
    return {
        'exitCode': os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status),
        'cpuMs': (usage[0] + usage[2]) * 1000 + (usage[1] + usage[3]) / 1000,
        'maxRssBytes': usage[4] * 1024,
    }


def filled(content):
    """A descriptor from which the bytes can be read, once."""
    descriptor = os.memfd_create('given')
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def fcntl_dup(descriptor):
    import fcntl
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 64)


def prefer_for_oom_kill():
    """Has the kernel end what jails are made in before the executor; a jail is asked to be ended before both."""
    with open('/proc/self/oom_score_adj', 'w') as score:
        score.write('500')


def place(moved):
    import ctypes
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    quietly(prefer_for_oom_kill)
    for number, descriptor in moved.items():
        os.dup2(descriptor, number, inheritable=True)


if __name__ == '__main__':
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Launcher().run()
