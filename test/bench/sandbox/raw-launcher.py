"""Runs a command again and again and tells how long each run took: the baseline of the sandbox's benchmark.

A small process on purpose. What starts a process pays for its own page tables where it forks, and this one does not fork:
posix_spawn is vfork. So the baseline is measured at its best, as a launcher in C would do it within a few hundredths of a
millisecond.

One order a line on stdin, JSON: {command, callers, seconds, leastCalls, mostCalls, expected}. One answer a line
on stdout: {timesMs, elapsedMs, cpuMs} or {error}. `{unique}` in a command becomes
another name in each run. A run counts only if it exits with 0 and writes exactly what is expected.
"""
import ctypes
import itertools
import json
import os
import resource
import sys
import threading
import time

CLONE_NEWNS, MS_REC_PRIVATE, MNT_DETACH = 0x20000, 0x4000 | 0x40000, 2
NUMBERS = itertools.count()
UNIFIED = '/sys/fs/cgroup/unified'


def hide_unified():
    """crun refuses a machine with cgroup v1 and v2 side by side. It is run without sight of v2, in mounts of this process."""
    if not os.path.ismount(UNIFIED):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for what in (lambda: libc.unshare(CLONE_NEWNS), lambda: libc.mount(b'none', b'/', None, MS_REC_PRIVATE, None), lambda: libc.umount2(UNIFIED.encode(), MNT_DETACH)):
        if what() != 0:
            raise OSError(ctypes.get_errno(), 'cgroup v2 could not be hidden')


def run_once(command, expected):
    command = [word.replace('{unique}', 'bench-%d-%d' % (os.getpid(), next(NUMBERS))) for word in command]
    reading, writing = os.pipe()
    begun = time.perf_counter()
    pid = os.posix_spawn(command[0], command, {'PATH': '/usr/bin:/bin'}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, '/dev/null', os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, writing, 1),
    ])
    os.close(writing)
    text = b''
    while True:
        part = os.read(reading, 65536)
        if not part:
            break
        text += part
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    took = (time.perf_counter() - begun) * 1000
    if status != 0 or text.decode().strip() != expected:
        raise RuntimeError('wait status %d, output %r' % (status, text[:200]))
    return took


def cpu_ms():
    total = 0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    return total * 1000


def measure(order):
    times, errors = [], []
    begun = time.perf_counter()

    def is_enough():
        if errors or len(times) >= order['mostCalls']:
            return True
        return len(times) >= order['leastCalls'] and time.perf_counter() - begun >= order['seconds']

    def call():
        while not is_enough():
            try:
                times.append(run_once(order['command'], order['expected'].strip()))
            except Exception as error:
                errors.append(str(error))

    cpu = cpu_ms()
    threads = [threading.Thread(target=call) for _ in range(order['callers'])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        return {'error': errors[0]}
    return {'timesMs': times, 'elapsedMs': (time.perf_counter() - begun) * 1000, 'cpuMs': cpu_ms() - cpu}


def main():
    threading.stack_size(256 * 1024)
    if '--hide-unified' in sys.argv:
        hide_unified()
    for line in sys.stdin:
        print(json.dumps(measure(json.loads(line))), flush=True)


main()
