"""Probes of files, mounts, devices and descriptors."""
import ctypes
import os
import stat

from answers import KEPT, attempt, libc

FLAGS = ((os.ST_RDONLY, 'ro'), (os.ST_NOSUID, 'nosuid'), (os.ST_NODEV, 'nodev'), (os.ST_NOEXEC, 'noexec'))
KINDS = {
    'socket': stat.S_ISSOCK,
    'fifo': stat.S_ISFIFO,
    'block': stat.S_ISBLK,
    'character': stat.S_ISCHR,
    'set-id': lambda mode: stat.S_ISREG(mode) and mode & 0o6000,
}
MAX_FOUND = 20


def read(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        text = os.read(descriptor, 4096).decode('latin1')
    finally:
        os.close(descriptor)
    return 'read: ' + text[:200] if text else 'empty'


def create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    os.unlink(path)


def open_to_write(path):
    os.close(os.open(path, os.O_WRONLY))


def append(path):
    with open(path, 'a') as file:
        file.write('x')


def leave(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))


def make_directory(path):
    os.mkdir(path)
    os.rmdir(path)


def make_link(path):
    os.symlink('x', path)
    os.unlink(path)


def change_mode(path):
    os.chmod(path, 0o777)


def rename(source, target):
    os.rename(source, target)
    os.rename(target, source)


def rename_over(target):
    with open('/tmp/replacement', 'w'):
        pass
    try:
        os.rename('/tmp/replacement', target)
    finally:
        if os.path.lexists('/tmp/replacement'):
            os.unlink('/tmp/replacement')


def hard_link(path):
    os.link(path, '/tmp/hard-link')
    os.unlink('/tmp/hard-link')


def through_link(path):
    os.symlink(path, '/tmp/symbolic-link')
    try:
        return read('/tmp/symbolic-link')
    finally:
        os.unlink('/tmp/symbolic-link')


def make_node(kind, major, minor):
    path = '/tmp/node'
    os.mknod(path, {'character': stat.S_IFCHR, 'block': stat.S_IFBLK}[kind] | 0o666, os.makedev(major, minor))
    os.unlink(path)


def flags(path):
    held = os.statvfs(path).f_flag
    return [word for bit, word in FLAGS if held & bit]


def size(path):
    facts = os.statvfs(path)
    return facts.f_blocks * facts.f_frsize


def inodes(path):
    return os.statvfs(path).f_files


def tree():
    """Every path that can be seen, without other file systems' endless ones."""
    seen = set()
    for directory, directories, names in os.walk('/'):
        directories[:] = [each for each in directories if os.path.join(directory, each) not in ('/proc', '/sys')]
        try:
            facts = os.stat(directory)
        except OSError:
            continue
        if (facts.st_dev, facts.st_ino) in seen:
            directories[:] = []
            continue
        seen.add((facts.st_dev, facts.st_ino))
        yield directory, names


def found_there(kind, path):
    if not KINDS[kind](os.lstat(path).st_mode):
        return False
    # A set-user-id bit has no effect on a mount without it.
    return kind != 'set-id' or not os.statvfs(path).f_flag & os.ST_NOSUID


def find(kind):
    found = []
    for directory, names in tree():
        for each in names:
            path = os.path.join(directory, each)
            try:
                if found_there(kind, path):
                    found.append(path)
            except OSError:
                pass
            if len(found) == MAX_FOUND:
                return found
    return sorted(found) or 'none'


def writable():
    found = []
    for directory, _names in tree():
        if attempt(create, os.path.join(directory, '.probe')) == 'done':
            found.append(directory)
        if len(found) == MAX_FOUND:
            break
    return sorted(found) or 'none'


def listing(path):
    return sorted(os.listdir(path)) or 'empty'


def descriptors():
    found = []
    for number in range(1024):
        try:
            mode = os.fstat(number).st_mode
        except OSError:
            continue
        kind = next((word for word, test in (('socket', stat.S_ISSOCK), ('pipe', stat.S_ISFIFO), ('device', stat.S_ISCHR), ('directory', stat.S_ISDIR), ('file', stat.S_ISREG)) if test(mode)), 'other')
        found.append('%d:%s' % (number, kind))
    return found


def device(path):
    facts = os.stat(path)
    if not stat.S_ISCHR(facts.st_mode):
        return 'no character device'
    return '%d:%d' % (os.major(facts.st_rdev), os.minor(facts.st_rdev))


def run_from(directory):
    """Whether a file there can be mapped to be executed, which noexec forbids."""
    path = directory + '/mapped'
    with open(path, 'wb') as file:
        file.write(bytes(4096))
    os.chmod(path, 0o755)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        libc.mmap.restype = ctypes.c_void_p
        ctypes.set_errno(0)
        private, read_execute = 2, 5
        address = libc.mmap(None, ctypes.c_size_t(4096), read_execute, private, descriptor, ctypes.c_long(0))
        if address == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), 'mmap')
    finally:
        os.close(descriptor)
        os.unlink(path)


def fill(path, count, each):
    """Writes files until it is stopped, `count` at the most."""
    block = bytes(each)
    for number in range(count):
        with open('%s/%d' % (path, number), 'wb') as file:
            file.write(block)


def grow(path, limit):
    with open(path, 'wb') as file:
        written = 0
        while written < limit:
            written += file.write(bytes(65536))


def hold_open(count):
    for _ in range(count):
        KEPT.append(open('/dev/null'))


def tell(action):
    return lambda *arguments: attempt(action, *arguments)


OPERATIONS = {name: tell(action) for name, action in {
    'stat': lambda path: os.lstat(path) and 'there',
    'read': read,
    'create': create,
    'write': open_to_write,
    'append': append,
    'leave': leave,
    'mkdir': make_directory,
    'symlink': make_link,
    'unlink': os.unlink,
    'truncate': lambda path: os.truncate(path, 0),
    'chmod': change_mode,
    'rename': rename,
    'rename-over': rename_over,
    'hard-link': hard_link,
    'through-link': through_link,
    'mknod': make_node,
    'flags': flags,
    'size': size,
    'inodes': inodes,
    'find': find,
    'writable': writable,
    'listing': listing,
    'descriptors': descriptors,
    'device': device,
    'map-to-execute': run_from,
}.items()}
# Not caught: the runner is to name the limit.
OPERATIONS.update({'fill': fill, 'grow': grow, 'hold-open': hold_open})
