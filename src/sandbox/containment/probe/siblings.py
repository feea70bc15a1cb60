"""Probes of what executions could see of each other: a holder leaves marks and waits, a seeker looks for them."""
import ctypes
import os
import random
import time

from answers import KEPT, attempt, libc

READ_LOCK, WRITE_LOCK, UNLOCKED = 0, 1, 2
SET_LOCK, GET_LOCK = 6, 5
SHARED_FILE = '/runner/main.py'


def mark(name_of_process):
    set_name = 15
    libc.prctl(set_name, ctypes.c_char_p(name_of_process.encode()), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def bind_abstract(text):
    import socket
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    one.bind('\0' + text)
    one.listen(1)
    KEPT.append(one)


def named_memory(text, create):
    path = '/dev/shm/' + text
    if create:
        with open(path, 'w') as file:
            file.write('mark')
    else:
        os.stat(path)
        return 'found'


def lock_record(test):
    """A read lock of one byte, or the question whether somebody holds one."""
    import fcntl
    import struct
    descriptor = os.open(SHARED_FILE, os.O_RDONLY)
    KEPT.append(descriptor)
    order = struct.pack('hhqqi4x', WRITE_LOCK if test else READ_LOCK, 0, 1, 1, 0)
    answer = fcntl.fcntl(descriptor, GET_LOCK if test else SET_LOCK, order)
    if not test:
        return 'held'
    return 'not seen' if struct.unpack('hhqqi4x', answer)[0] == UNLOCKED else 'seen'


def lock_whole(exclusive):
    import fcntl
    descriptor = os.open(SHARED_FILE, os.O_RDONLY)
    KEPT.append(descriptor)
    fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    return 'held'


def lease(kind):
    import fcntl
    descriptor = os.open(SHARED_FILE, os.O_RDONLY)
    KEPT.append(descriptor)
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, kind)


def leave_marks(text):
    """Whatever can be left is left; what cannot is passed over."""
    for path in ('/tmp/' + text, '/fn/' + text, '/dev/' + text, '/' + text, '/var/tmp/' + text, '/run/' + text):
        attempt(lambda: open(path, 'w').close())
    attempt(named_memory, text, True)
    attempt(bind_abstract, text)
    attempt(lock_record, False)
    attempt(lock_whole, False)
    os.environ['LEFT'] = text
    attempt(lambda: os.chmod('/fn/main.py', 0o644))
    attempt(lambda: open('/fn/main.py', 'a').write('# ' + text))


def hold(name_of_process, text, seconds):
    import mcpworks
    mark(name_of_process)
    leave_marks(text)
    mcpworks.log('held')
    time.sleep(seconds)


def search(text):
    """Directories in which a mark can be found."""
    found = []
    for directory in ('/', '/tmp', '/fn', '/dev', '/dev/shm', '/var/tmp', '/run', '/runner'):
        try:
            if text in os.listdir(directory):
                found.append(directory)
        except OSError:
            pass
    return ' '.join(found) or 'none'


def connect_abstract(text):
    import socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.connect('\0' + text)
        return 'reached'


def layout():
    return str(ctypes.cast(libc.getpid, ctypes.c_void_p).value)


def code_changed(text):
    with open('/fn/main.py') as file:
        return 'changed' if text in file.read() else 'as it was sent'


OPERATIONS = {
    'hold': hold,
    'leave-marks': leave_marks,
    'search': search,
    'find-named-memory': lambda text: attempt(named_memory, text, False),
    'find-abstract': lambda text: attempt(connect_abstract, text),
    'find-record-lock': lambda: attempt(lock_record, True),
    'lock-whole': lambda: attempt(lock_whole, True),
    'lease': lambda kind: attempt(lease, kind),
    'code': lambda text: attempt(code_changed, text),
    'random': lambda: str(random.random()),
    'hash': lambda: str(hash('text')),
    'layout': layout,
    'seed': lambda: os.urandom(8).hex(),
}
