"""How a probe answers: "done" or what it returned, or the name of the error."""
import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
KEPT = []


def name(number):
    return errno.errorcode.get(number, str(number)).replace('EOPNOTSUPP', 'ENOTSUP')


def attempt(action, *arguments):
    try:
        value = action(*arguments)
    except OSError as error:
        return name(error.errno) if error.errno else type(error).__name__
    except (ValueError, RuntimeError, ImportError, MemoryError) as error:
        return type(error).__name__ + ': ' + str(error)[:100]
    if isinstance(value, (list, tuple, set)):
        return ' '.join(map(str, value))
    return 'done' if value is None else str(value)


def words_of(arguments):
    words = []
    for each in arguments:
        if isinstance(each, str):
            KEPT.append(ctypes.create_string_buffer(each.encode()))
            each = ctypes.addressof(KEPT[-1])
        words.append(ctypes.c_long(each))
    return words


def call(number, *arguments):
    """A raw system call: "done" or the name of its error."""
    ctypes.set_errno(0)
    return name(ctypes.get_errno()) if libc.syscall(ctypes.c_long(number), *words_of(arguments)) == -1 else 'done'


def call_value(number, *arguments):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *words_of(arguments))
    return name(ctypes.get_errno()) if value == -1 else str(value)


OPERATIONS = {}
