"""Probes of system calls, processes, memory, signals and limits."""
import ctypes
import os
import resource
import threading
import time

from answers import KEPT, attempt, call, call_value, libc, name

PAGE = 4096


def fork_by(number, flags):
    """A new process by a raw call; it ends at once."""
    ctypes.set_errno(0)
    child = libc.syscall(ctypes.c_long(number), *([ctypes.c_long(flags)] + [ctypes.c_long(0)] * 4))
    if child == 0:
        os._exit(0)
    if child == -1:
        return name(ctypes.get_errno())
    os.waitpid(child, 0x40000000)
    return 'done'


def libc_fork():
    ctypes.set_errno(0)
    child = libc.fork()
    if child == 0:
        os._exit(0)
    if child == -1:
        return name(ctypes.get_errno())
    os.waitpid(child, 0)
    return 'done'


def clone3(number):
    class Arguments(ctypes.Structure):
        _fields_ = [(each, ctypes.c_uint64) for each in ('flags', 'pidfd', 'child', 'parent', 'exit', 'stack', 'size', 'tls')]

    order = Arguments(exit=17)
    ctypes.set_errno(0)
    child = libc.syscall(ctypes.c_long(number), ctypes.byref(order), ctypes.c_size_t(ctypes.sizeof(order)))
    if child == 0:
        os._exit(0)
    if child == -1:
        return name(ctypes.get_errno())
    os.waitpid(child, 0)
    return 'done'


def execute(number, program, at):
    """By execve, or by execveat where `at` is 1. Does not return where it works."""
    words = [program.encode(), b'-I', b'-c', b'print("EXECUTED")', None]
    array = (ctypes.c_char_p * len(words))(*words)
    none = ctypes.c_void_p(0)
    path = ctypes.c_char_p(program.encode())
    ctypes.set_errno(0)
    if at:
        libc.syscall(ctypes.c_long(number), ctypes.c_long(-100), path, array, none, ctypes.c_long(0))
    else:
        libc.syscall(ctypes.c_long(number), path, array, none)
    return name(ctypes.get_errno())


def sweep(first, end, passed_over, expected):
    """Calls every number that is in no list, and tells of those that are answered otherwise than expected."""
    skipped = set(map(int, passed_over.split()))
    wrong = []
    for number in range(first, end):
        if number not in skipped:
            answer = call(number, 0, 0, 0, 0, 0, 0)
            if answer != expected:
                wrong.append('%d:%s' % (number, answer))
    return ' '.join(wrong[:20]) or 'none'


def execute_in_thread(number, program):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call(number, program, 0, 0)))
    thread.start()
    thread.join()
    return answers[0]


def map_pages(protection, flags):
    libc.mmap.restype = ctypes.c_void_p
    ctypes.set_errno(0)
    address = libc.mmap(None, ctypes.c_size_t(PAGE), protection, flags, -1, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), 'mmap')
    return address


def map_anonymous(protection, flags):
    libc.munmap(ctypes.c_void_p(map_pages(protection, flags)), ctypes.c_size_t(PAGE))


def make_executable():
    address = map_pages(3, 0x22)
    ctypes.set_errno(0)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(PAGE), 5) == -1:
        return name(ctypes.get_errno())
    return 'done'


def advise(advice):
    address = map_pages(3, 0x22)
    ctypes.set_errno(0)
    return 'done' if libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(PAGE), advice) == 0 else name(ctypes.get_errno())


def control(number, *arguments):
    words = [ctypes.c_ulong(each) for each in (list(arguments) + [0, 0, 0, 0])[:4]]
    ctypes.set_errno(0)
    value = libc.prctl(number, *words)
    return name(ctypes.get_errno()) if value == -1 else str(value)


def input_to_terminal(request):
    """TIOCSTI and its like on every descriptor that is there."""
    import fcntl
    answers = {attempt(fcntl.ioctl, number, request, b'x') for number in range(4)}
    return ' '.join(sorted(answers))


def file_control(command, argument):
    import fcntl
    with open('/tmp/controlled', 'w') as file:
        try:
            return attempt(lambda: fcntl.fcntl(file, command, argument) and None)
        finally:
            os.unlink('/tmp/controlled')


def pipe_size(size):
    import fcntl
    ends = os.pipe()
    try:
        return attempt(lambda: fcntl.fcntl(ends[0], 1031, size) and None)
    finally:
        for each in ends:
            os.close(each)


def limit(which):
    return ' '.join('none' if each == resource.RLIM_INFINITY else str(each) for each in resource.getrlimit(which))


def raise_limit(number, which):
    """Sets the hard limit to no limit, by prlimit64."""
    most = (ctypes.c_uint64 * 2)(0xffffffffffffffff, 0xffffffffffffffff)
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), ctypes.c_long(0), ctypes.c_long(which), most, ctypes.c_long(0))
    return name(ctypes.get_errno()) if value == -1 else 'done'


def take_memory(mebibytes):
    for _ in range(mebibytes):
        KEPT.append(bytearray(1 << 20))


def share_memory(mebibytes):
    import mmap
    for _ in range(mebibytes):
        KEPT.append(mmap.mmap(-1, 1 << 20))
        KEPT[-1].write(bytes(1 << 20))


def start_threads(count):
    gate = threading.Event()
    try:
        for _ in range(count):
            KEPT.append(threading.Thread(target=gate.wait, daemon=True))
            KEPT[-1].start()
    finally:
        gate.set()


def fork_often(count):
    for _ in range(count):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def ignore_and_sleep(seconds):
    import signal
    for number in range(1, 65):
        attempt(signal.signal, number, signal.SIG_IGN)
    time.sleep(seconds)


def stop_itself(seconds):
    """The first process of a namespace takes no SIGSTOP from inside; any other stops."""
    os.kill(os.getpid(), 19)
    time.sleep(seconds)


def say(count):
    for _ in range(count):
        print('x' * 1000)


def log_often(count):
    import mcpworks
    for _ in range(count):
        mcpworks.log('x' * 1000)


def close_all(seconds):
    os.closerange(0, 1024)
    time.sleep(seconds)


def signal_any(number_of_tgkill):
    """Numbers that are somebody's, and no thread of this process."""
    found = []
    for pid in range(1, 2001):
        if attempt(os.kill, pid, 0) != 'ESRCH' and call(number_of_tgkill, os.getpid(), pid, 0) != 'done':
            found.append(pid)
    return ' '.join(map(str, found[:20])) or 'none'


def set_groups():
    return sorted(set(os.getgroups())) or 'none'


OPERATIONS = {
    'call': call,
    'value': call_value,
    'sweep': sweep,
    'fork-by': fork_by,
    'fork': libc_fork,
    'clone3': clone3,
    'execute': execute,
    'execute-in-thread': execute_in_thread,
    'map': lambda protection, flags: attempt(map_anonymous, protection, flags),
    'make-executable': lambda: attempt(make_executable),
    'advise': lambda advice: attempt(advise, advice),
    'prctl': control,
    'ioctl': input_to_terminal,
    'fcntl': file_control,
    'pipe-size': pipe_size,
    'limit': limit,
    'raise-limit': raise_limit,
    'kill': lambda pid, number: attempt(os.kill, pid, number),
    'signal-any': signal_any,
    'ids': lambda: ' '.join(map(str, os.getresuid() + os.getresgid())),
    'groups': lambda: attempt(set_groups),
    'parent': lambda: str(os.getppid()),
    'process': lambda: str(os.getpid()),
    'session': lambda: str(os.getsid(0)),
    # Not caught from here on: the outcome is the answer.
    'take-memory': take_memory,
    'share-memory': share_memory,
    'start-threads': start_threads,
    'fork-often': fork_often,
    'burn': burn,
    'sleep': time.sleep,
    'ignore-and-sleep': ignore_and_sleep,
    'stop-itself': stop_itself,
    'close-all': close_all,
    'say': say,
    'log-often': log_often,
}
