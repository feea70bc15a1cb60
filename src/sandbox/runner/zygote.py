"""The first process of an outer jail. It imports what jails will need, and forks slots; a slot forks jails, one after the
other, each into new user, mount, process, IPC and host-name namespaces. No hosted code ever runs in the zygote or a slot.

With `--seal` it is itself the first process of a jail, and becomes the runtime of a plan.

Speaks JSON messages with the launcher over sequenced-packet sockets: its own on descriptor 3, and one for each slot.
"""
import ctypes
import gc
import json
import os
import platform
import socket
import struct
import sys

CONTROL = 3
SIGCHLD, SIGKILL = 17, 9
DEFAULT, IGNORED = 0, 1
NEW_MOUNTS, NEW_CGROUPS, NEW_HOSTNAME, NEW_IPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEW_USERS, NEW_PROCESSES, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
SET_TID, CLEAR_TID = 0x1000000, 0x200000
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
MOUNT_FLAGS = {'ro': READ_ONLY, 'nosuid': NO_SUID, 'nodev': NO_DEVICES, 'noexec': NO_EXEC}
SET_DEATH_SIGNAL, DROP_BOUNDING, TID_ADDRESS = 1, 24, 40
LAST_CAPABILITY = 63
# What capset(2) takes: version 3 for the own process, and none in any set.
NO_CAPABILITIES = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
# Where the procfs of the outer jail is; jails find it covered.
PROC = '/runner/proc'
CALLS = {
    'x86_64': {'clone': 56, 'capset': 126, 'execve': 59, 'arch': 0xC000003E},
    'aarch64': {'clone': 220, 'capset': 91, 'execve': 221, 'arch': 0xC00000B7},
}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Lost(Exception):
    """The other end is gone."""


def checked(result, what):
    if result == -1:
        raise OSError(ctypes.get_errno(), '%s: %s' % (what, os.strerror(ctypes.get_errno())))
    return result


def receive(control):
    """One message and the descriptors that came with it."""
    data, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(4 * 8))
    if not data:
        raise Lost
    descriptors = []
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors += memoryview(content[:len(content) // 4 * 4]).cast('i').tolist()
    return json.loads(data), descriptors


def send(control, message):
    control.send(json.dumps(message).encode())


def write(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def map_ids(ids):
    """The own id, and no other, in the new user namespace."""
    write(PROC + '/self/setgroups', 'deny')
    write(PROC + '/self/uid_map', '%d %d 1' % (ids['uid'], ids['uid']))
    write(PROC + '/self/gid_map', '%d %d 1' % (ids['gid'], ids['gid']))


def mount(kind, target, flags, data):
    """`kind` is also what is mounted: of a bind its source."""
    checked(libc.mount(kind, target, kind, ctypes.c_ulong(flags), data), 'mount')


def mounts_of(plan):
    """Kind, place, flags, options, and what of an order is the size in them: all that can be known before there is a jail."""
    def flags(how):
        return sum(MOUNT_FLAGS[name] for name in how['options'])

    mounts = [
        (b'tmpfs', path.encode(), flags(how), b'mode=%s,size=%%d,nr_inodes=%d' % (how['mode'].encode(), how['inodes']), how['size'] + 'Bytes')
        for path, how in plan['tmpfs'].items()
    ]
    if plan['procfs'] is not None:
        mounts.append((b'proc', PROC.encode(), flags(plan['procfs']), b'subset=pid,hidepid=2', None))
        for name in plan['procfs']['own']:
            mounts.append((('%s/1/%s' % (PROC, name)).encode(), ('/proc/1/%s' % name).encode(), BIND, None, None))
    # The outer procfs is covered.
    return mounts + [(b'tmpfs', PROC.encode(), READ_ONLY | NO_SUID | NO_DEVICES | NO_EXEC, b'mode=0555,size=4096,nr_inodes=1', None)]


def keep_devices(paths):
    """The nodes are the host's, and anybody who may write to a device may set its times to the present: by them jails could
    leave marks for others. Where the mount is read-only they cannot, and what is read and written is as before."""
    for path in paths:
        kept = os.statvfs(path).f_flag & (NO_SUID | NO_DEVICES | NO_EXEC)
        mount(b'none', path.encode(), REMOUNT | BIND | READ_ONLY | kept, b'')


def own_procfs(plan):
    """The places at /proc of what jails show of their own process, and no more. A whole procfs tells how many processes of
    the machine have a page of a shared file in their memory, by which jails could see one another and leave each other signs."""
    if plan['procfs'] is None:
        return
    flags = NO_SUID | NO_DEVICES | NO_EXEC
    mount(b'tmpfs', b'/proc', flags, b'mode=0555,size=65536,nr_inodes=64')
    os.mkdir('/proc/1', 0o755)
    os.symlink('1', '/proc/self')
    for name in plan['procfs']['own']:
        if os.path.isdir('%s/1/%s' % (PROC, name)):
            os.mkdir('/proc/1/' + name)
        else:
            os.close(os.open('/proc/1/' + name, os.O_CREAT))
    os.symlink(plan['command'][0], '/proc/1/exe')
    mount(b'tmpfs', b'/proc', REMOUNT | READ_ONLY | flags, b'mode=0555,size=65536,nr_inodes=64')


def tid_address():
    """Where the C library keeps the thread id: it must be written anew in a child that the library did not fork."""
    address = ctypes.c_long(0)
    checked(libc.prctl(TID_ADDRESS, ctypes.byref(address), 0, 0, 0), 'PR_GET_TID_ADDRESS')
    return address.value


def clone(flags, tid):
    """fork into new namespaces. The caller has one thread."""
    words = (flags | SET_TID | CLEAR_TID | SIGCHLD, 0, 0) + ((tid, 0) if CALLS['clone'] == 56 else (0, tid))
    pid = checked(libc.syscall(ctypes.c_long(CALLS['clone']), *map(ctypes.c_long, words)), 'clone')
    return pid


def drop_capabilities():
    for capability in range(LAST_CAPABILITY + 1):
        if libc.prctl(DROP_BOUNDING, capability) == -1:
            break
    checked(libc.syscall(ctypes.c_long(CALLS['capset']), *NO_CAPABILITIES), 'capset')


def enter(plan, order, descriptors, control):
    """Makes a jail of the own process, which is the first of its process namespace."""
    checked(libc.prctl(SET_DEATH_SIGNAL, SIGKILL, 0, 0, 0), 'PR_SET_PDEATHSIG')
    # The kernel adds to this message who sent it, as the launcher sees it: that is how the jail's process is known outside.
    control.send(b'{"born":true}')
    map_ids(plan['ids'])
    write(PROC + '/self/oom_score_adj', '1000')
    for kind, path, flags, options, size in plan['mounts']:
        mount(kind, path, flags, options if size is None else options % max(4096, order[size]))
    os.setsid()
    channel, stdout, stderr = descriptors
    # Not the one that the zygote was given: all jails of it would share its flags.
    null = os.open('/dev/null', os.O_RDONLY)
    for number, descriptor in ((0, null), (1, stdout), (2, stderr), (3, channel)):
        os.dup2(descriptor, number, inheritable=True)
    os.closerange(4, 1 << 16)
    os.umask(0o022)
    os.chdir(plan['workingDirectory'])
    drop_capabilities()


def reseed():
    """Every child starts from the zygote's state; two of them must not draw the same numbers."""
    if 'random' in sys.modules:
        sys.modules['random'].seed()
    if 'numpy.random' in sys.modules:
        sys.modules['numpy.random'].seed()


def secret_page():
    """Memory at an address that nobody can guess: 34 random bits."""
    private, anonymous, no_replace = 2, 32, 0x100000
    libc.mmap.restype = ctypes.c_void_p
    while True:
        address = (0x10000000 + int.from_bytes(os.urandom(5), 'big') % 0x6E0000000) * 4096
        found = libc.mmap(ctypes.c_void_p(address), ctypes.c_size_t(4096), 3, private | anonymous | no_replace, -1, ctypes.c_long(0))
        if found == address:
            return address


def one_execution(path, arguments):
    """Instructions in front of a filter, that let through one execve: of this path with these arguments, by their addresses.
    Both are chosen at random and mean nothing once the program has been replaced."""
    load, equal, give = 0x20, 0x15, 0x06
    words = [(4, CALLS['arch']), (0, CALLS['execve'])]
    for offset, address in ((16, path), (24, arguments)):
        words += [(offset, address & 0xFFFFFFFF), (offset + 4, address >> 32)]
    program = b''
    for index, (offset, value) in enumerate(words):
        rest = 2 * (len(words) - index - 1) + 1
        program += struct.pack('<HBBI', load, 0, 0, offset) + struct.pack('<HBBI', equal, 0, rest, value)
    return program + struct.pack('<HBBI', give, 0, 0, 0x7FFF0000)


def become(plan, runner):
    """Binds this process as the runner of Python does, then replaces it by another runtime, whose runner says that it is ready."""
    setup, program = runner.receive()
    page = secret_page()
    offset = 1024
    places = []
    for text in (*plan['command'], setup['nonce']):
        ctypes.memmove(page + offset, text.encode() + b'\0', len(text.encode()) + 1)
        places.append(page + offset)
        offset += len(text.encode()) + 1
    arguments = (page + int.from_bytes(os.urandom(1), 'big') // 2 * 4) & ~7
    ctypes.memmove(arguments, struct.pack('<%dQ' % (len(places) + 1), *places, 0), 8 * (len(places) + 1))
    variables = [('%s=%s' % pair).encode() for pair in plan['environment'].items()]
    environment = (ctypes.c_char_p * (len(variables) + 1))(*variables, None)
    runner.seal(setup, one_execution(places[0], arguments) + bytes(program), binds_memory=False)
    checked(libc.syscall(ctypes.c_long(CALLS['execve']), ctypes.c_void_p(places[0]), ctypes.c_void_p(arguments), environment), 'execve')


class End(ctypes.Structure):
    """How a jail ended: a word that no JSON begins with, the status, and `struct rusage`."""
    _fields_ = [('word', ctypes.c_char * 8), ('status', ctypes.c_int64), ('usage', ctypes.c_int64 * 18)]


def tell_end(control, pid, end):
    """Waits for a jail. What is told of it stands in this one buffer only, which is wiped: the next jail has a copy of this
    memory, and hosted code in it can read it."""
    end.word = b'ended'
    checked(libc.wait4(pid, ctypes.byref(end, End.status.offset), 0, ctypes.byref(end, End.usage.offset)), 'wait4')
    control.send(end)
    ctypes.memset(ctypes.byref(end), 0, ctypes.sizeof(end))


def slot(plan, runner, number, descriptor):
    """One jail at a time, until the launcher goes."""
    control = socket.socket(fileno=descriptor)
    checked(libc.prctl(SET_DEATH_SIGNAL, SIGKILL, 0, 0, 0), 'PR_SET_PDEATHSIG')
    # A slot wants to know how its jails ended.
    libc.signal(SIGCHLD, ctypes.c_void_p(DEFAULT))
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, 1 << 16)
    send(control, {'slot': number})
    # By the answer it has been put into its cgroup, which then is the root of what it and its jails see.
    receive(control)
    # One network namespace for all jails of this slot: they come one after the other, and each has no right over it.
    checked(libc.unshare(NEW_USERS | NEW_MOUNTS | NEW_NETWORK | NEW_CGROUPS), 'unshare')
    map_ids(plan['ids'])
    keep_devices(plan['devices'])
    own_procfs(plan)
    tid = tid_address()
    end = End()
    while True:
        order, descriptors = receive(control)
        pid = clone(NEW_USERS | NEW_MOUNTS | NEW_PROCESSES | NEW_IPC | NEW_HOSTNAME, tid)
        if pid == 0:
            try:
                enter(plan, order, descriptors, control)
                if plan['command'] is None:
                    reseed()
                    runner.serve()
                else:
                    become(plan, runner)
            except BaseException as error:
                os.write(2, ('the jail could not be made: %s\n' % error).encode())
            os._exit(71)
        for each in descriptors:
            os.close(each)
        tell_end(control, pid, end)


def load_runner(path):
    import importlib.util
    spec = importlib.util.spec_from_file_location('_runner', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def preload(names):
    import importlib
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:
            return 'sandbox.pythonPreload names %s, which cannot be imported: %s: %s' % (name, type(error).__name__, str(error)[:300])
    if len(os.listdir(PROC + '/self/task')) > 1:
        return 'one of the modules in sandbox.pythonPreload starts threads when it is imported, so nothing can be forked after it'
    return None


def leave_first_place():
    """Goes on in a child: the first process of the outer jail only waits for the end of all others.

    What was imported may have random generators of its own that find out by the process id whether they were forked, as
    OpenSSL's do. Every jail is process 1 to itself, so nothing may be imported by a process that is 1 as well.
    """
    # What loses its parent comes to the first process, and is reaped by the kernel at once.
    libc.signal(SIGCHLD, ctypes.c_void_p(IGNORED))
    if os.fork() == 0:
        libc.signal(SIGCHLD, ctypes.c_void_p(DEFAULT))
        return
    os.closerange(0, 1 << 16)
    try:
        # As its children are reaped by the kernel, this returns when there are none.
        os.waitpid(-1, 0)
    except ChildProcessError:
        pass
    os._exit(0)


def main():
    leave_first_place()
    control = socket.socket(fileno=CONTROL)
    plan, _ = receive(control)
    plan['mounts'] = mounts_of(plan)
    runner = load_runner(plan['runner'])
    runner.prepare()
    problem = preload(plan['preload'])
    if problem is not None:
        send(control, {'failed': problem})
        return
    fork = os.fork
    runner.refuse_processes()
    gc.collect()
    gc.freeze()
    # Slots that end, and jails of a slot that was killed, are reaped by the kernel at once.
    libc.signal(SIGCHLD, ctypes.c_void_p(IGNORED))
    send(control, {'ready': len(os.listdir(PROC + '/self/task'))})
    while True:
        message, descriptors = receive(control)
        pid = fork()
        if pid == 0:
            try:
                slot(plan, runner, message['slot'], descriptors[0])
            except Lost:
                pass
            except BaseException as error:
                os.write(2, ('slot %d: %s\n' % (message['slot'], error)).encode())
            os._exit(0)
        os.close(descriptors[0])


if __name__ == '__main__':
    try:
        if sys.argv[1:2] == ['--seal']:
            plan = json.loads(sys.argv[2])
            become(plan, load_runner(plan['runner']))
        main()
    except Lost:
        pass
