"""Probes of what can be known of the machine and its users."""
import ctypes
import os
import platform
import socket
import sys
import time

from answers import attempt, libc


def user_name():
    import pwd
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return 'unknown'


def users():
    import pwd
    return [each.pw_name for each in pwd.getpwall()] or 'none'


def uptime(clock):
    """Tells only whether the clock runs since long before this process."""
    hour = 3600
    return 'of the machine' if time.clock_gettime(clock) > hour / 60 else 'of the jail'


def configured(which):
    value = os.sysconf(which)
    return 'unknown' if value <= 0 else 'known: %d' % value


def domain():
    buffer = ctypes.create_string_buffer(256)
    return buffer.value.decode() if libc.getdomainname(buffer, 256) == 0 else 'unknown'


OPERATIONS = {
    'hostname': lambda: attempt(socket.gethostname),
    'node-name': lambda: os.uname().nodename,
    'domain': domain,
    'release': lambda: os.uname().release,
    'kernel-build': lambda: os.uname().version,
    'user-name': lambda: attempt(user_name),
    'users': lambda: attempt(users),
    'login': lambda: attempt(os.getlogin),
    'environment': lambda: ' '.join(sorted(os.environ)),
    'variable': lambda name: os.environ.get(name, 'not set'),
    'load': lambda: attempt(lambda: str(os.getloadavg())),
    'memory': lambda: attempt(configured, 'SC_PHYS_PAGES'),
    'clock': lambda number: attempt(uptime, number),
    'processor': lambda: platform.processor() or 'unknown',
    'processors': lambda: str(os.cpu_count()),
    'timezone': lambda: ' '.join(time.tzname),
    'directory': os.getcwd,
    'interpreter': lambda: os.path.realpath(sys.executable),
    'library': lambda: os.path.dirname(os.__file__),
}
