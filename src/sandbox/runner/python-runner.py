"""Runs one hosted function inside a jail. Nothing of the function reaches this process before `seal` is done.

Speaks the runner protocol on descriptor 3: frames of a 32-bit length, a 32-bit header length, a JSON header, bytes.
"""
import sys
import os
import json
import struct
import _thread

CHANNEL = 3
# The C library, where it was opened in advance.
LIBC = None
SENDING = _thread.allocate_lock()
# What `run` says of calls, and their state once one is made.
CALL_BOUNDS = None
CALLS = None
MAKING_CALLS = _thread.allocate_lock()
ROOT = '/fn/'
PACKAGES = '/packages'
MAX_TEXT = 8000

# Behind the standard library, which no package may replace. Not through `site`: it would run what *.pth files say.
if os.path.isdir(PACKAGES):
    sys.path.append(PACKAGES)


class Refused(PermissionError):
    """Raised where a function tries to start a process."""


def take_channel():
    """An engine that can hand in no descriptor beyond the standard three hands in the channel as the first of them."""
    os.dup2(0, CHANNEL)
    null = os.open('/dev/null', os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def read_exactly(count):
    whole = bytearray(count)
    rest = memoryview(whole)
    while rest:
        got = os.readv(CHANNEL, [rest])
        if not got:
            os._exit(0)
        rest = rest[got:]
    return whole


def receive():
    total = int.from_bytes(read_exactly(4), 'big')
    frame = read_exactly(total)
    split = 4 + int.from_bytes(frame[:4], 'big')
    return json.loads(frame[4:split]), memoryview(frame)[split:]


def write(header, body):
    head = json.dumps(header).encode()
    data = memoryview(b''.join(((len(head) + 4 + len(body)).to_bytes(4, 'big'), len(head).to_bytes(4, 'big'), head, body)))
    while data:
        data = data[os.write(CHANNEL, data):]


def send(header, body=b''):
    with SENDING:
        write(header, body)


def seal(setup, program, binds_memory=True):
    """Lowers every limit, then adds the filter that stays. Both are irreversible."""
    import ctypes
    import resource
    # A thread's stack is reserved at once and counts as memory in full.
    _thread.stack_size(1 << 20)
    for number, value in setup['limits']:
        resource.setrlimit(number, (value, value))
    if binds_memory:
        resource.setrlimit(resource.RLIMIT_DATA, (setup['dataBytes'], setup['dataBytes']))

    text = ctypes.create_string_buffer(bytes(program), len(program))
    # struct sock_fprog: the number of instructions and where they are.
    what = struct.pack('@HP', len(program) // 8, ctypes.addressof(text))
    call = ctypes.CDLL(None, use_errno=True).syscall if LIBC is None else LIBC.syscall
    call.restype = ctypes.c_long
    set_mode_filter, all_threads = 1, 1
    if call(ctypes.c_long(setup['seccompNumber']), ctypes.c_long(set_mode_filter), ctypes.c_long(all_threads), what) != 0:
        sys.stderr.write('the filter was not accepted: errno %d\n' % ctypes.get_errno())
        os._exit(70)


def refuse_processes():
    """The filter refuses processes in any case; this only gives the refusal a name."""
    import _posixsubprocess

    def refuse(*_arguments, **_options):
        raise Refused(1, 'a function may not start processes')

    for name in ('fork', 'forkpty', 'posix_spawn', 'posix_spawnp', 'execv', 'execve'):
        setattr(os, name, refuse)
    _posixsubprocess.fork_exec = refuse
    # It has a name of its own for it, where it was imported before.
    if 'subprocess' in sys.modules:
        sys.modules['subprocess']._fork_exec = refuse


class ToolError(Exception):
    """A call of another tool was refused or failed: `code` for programs, the text for people."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


ToolError.__module__ = 'mcpworks'


class Calls:
    """Calls of other tools. Any thread may make one; whichever waits first reads the answers of all."""

    def __init__(self, bounds):
        import threading
        self.argument_bytes = bounds['argumentBytes']
        self.places = threading.BoundedSemaphore(bounds['atOnce'])
        self.turn = threading.Condition()
        self.reading = False
        self.answers = {}
        self.last = 0

    def make(self, tool, arguments):
        if not isinstance(tool, str) or not 0 < len(tool) <= 128 or not all(part.isascii() and (part.isalnum() or part in '_./-') for part in tool):
            raise ToolError('tool_unknown', 'Unknown tool.')
        if not isinstance(arguments, dict):
            raise TypeError('the arguments of a tool are a dict')
        body = json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
        if len(body) > self.argument_bytes:
            raise ToolError('arguments_too_large', 'The arguments have %d bytes of JSON; %d are the most.' % (len(body), self.argument_bytes))
        with self.places:
            # Numbers must go out in their order.
            with SENDING:
                self.last += 1
                number = self.last
                write({'type': 'call', 'id': number, 'tool': tool}, body)
            header, body = self.answer(number)
        if header['type'] == 'refusal':
            raise ToolError(header['code'], header['message'])
        return json.loads(body)

    def answer(self, number):
        while True:
            with self.turn:
                while self.reading and number not in self.answers:
                    self.turn.wait()
                if number in self.answers:
                    return self.answers.pop(number)
                self.reading = True
            header, body = None, b''
            try:
                header, body = receive()
            finally:
                with self.turn:
                    self.reading = False
                    if header is not None:
                        self.answers[header['id']] = header, bytes(body)
                    self.turn.notify_all()


def offer_module():
    """`from mcpworks import ToolError, call, log, progress`."""
    module = type(sys)('mcpworks', 'What a hosted function may tell its caller while it runs.')

    def log(message, level='info'):
        """Sends one line of log to the caller. Levels: debug, info, warning, error. Bounded in size and number."""
        if level not in ('debug', 'info', 'warning', 'error'):
            raise ValueError('level must be debug, info, warning or error')
        send({'type': 'log', 'level': level, 'text': str(message)[:MAX_TEXT]})

    def progress(done, total=None, message=None):
        """Tells the caller how far the work is: done of total, both numbers, and a short text."""
        send({
            'type': 'progress',
            'progress': float(done),
            'total': None if total is None else float(total),
            'message': None if message is None else str(message)[:1000],
        })

    def call(tool, arguments=None):
        """Calls another tool of the namespace on behalf of the caller, waits, and returns what it returned.

        Raises ToolError where the call is refused or fails. May be used from threads; in asyncio, from asyncio.to_thread.
        """
        global CALLS
        with MAKING_CALLS:
            # Not before it is needed: what it imports takes longer than the rest of the runner.
            CALLS = CALLS or Calls(CALL_BOUNDS)
        return CALLS.make(tool, {} if arguments is None else arguments)

    module.log = log
    module.progress = progress
    module.call = call
    module.ToolError = ToolError
    sys.modules['mcpworks'] = module


def place(files, body):
    offset = 0
    for path, size in files:
        if '/' in path:
            os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
        target = os.open(ROOT + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        part = body[offset:offset + size]
        while part:
            part = part[os.write(target, part):]
        os.close(target)
        offset += size
    return offset


def load(file):
    sys.path.insert(0, ROOT[:-1])
    parts = file[:-3].split('/') if file.endswith('.py') else None
    # By name, so that relative imports work, unless the name is taken or is none.
    if parts and all(part.isidentifier() for part in parts) and parts[0] not in sys.modules and parts[0] not in sys.builtin_module_names:
        if len(parts) > 1:
            name = '.'.join(parts)
            __import__(name)
            return sys.modules[name]
        name = parts[0]
    else:
        name = '_function'
    import importlib.machinery
    import importlib.util
    loader = importlib.machinery.SourceFileLoader(name, ROOT + file)
    spec = importlib.machinery.ModuleSpec(name, loader, origin=ROOT + file)
    spec.has_location = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # Not by the loader: it would look for compiled code that nobody can have put there.
    exec(compile(loader.get_data(ROOT + file), ROOT + file, 'exec', dont_inherit=True), module.__dict__)
    return module


def own_frames(error, seen=()):
    """Drops every frame that is not of the function's own files, through causes and groups."""
    import traceback
    if error is None or id(error) in seen:
        return
    seen = seen + (id(error),)
    error.stack = traceback.StackSummary.from_list([
        traceback.FrameSummary(frame.filename[len(ROOT):], frame.lineno, frame.name, lookup_line=False, line=frame.line)
        for frame in error.stack if frame.filename.startswith(ROOT)
    ])
    if getattr(error, 'filename', None) and str(error.filename).startswith(ROOT):
        error.filename = error.filename[len(ROOT):]
    own_frames(error.__cause__, seen)
    own_frames(error.__context__, seen)
    for inner in getattr(error, 'exceptions', None) or ():
        own_frames(inner, seen)


def trace_of(error):
    try:
        import traceback
        summary = traceback.TracebackException(type(error), error, error.__traceback__)
        own_frames(summary)
        return ''.join(summary.format())[-MAX_TEXT:].replace(ROOT, '')
    except BaseException:
        return ''


def name_of(kind):
    return kind.__qualname__ if kind.__module__ in ('builtins', '__main__') else kind.__module__ + '.' + kind.__qualname__


def text_of(error):
    try:
        return str(error)[:MAX_TEXT // 2].replace(ROOT, '')
    except BaseException:
        return ''


def limit_of(error):
    """The limit that an exception speaks of, if it speaks of one."""
    if isinstance(error, MemoryError):
        return 'memory'
    if isinstance(error, Refused):
        return 'processes'
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return 'processes'
    if isinstance(error, OSError):
        return {28: 'scratch', 122: 'scratch', 27: 'scratch', 24: 'open-files', 12: 'memory'}.get(error.errno)
    return None


def advice_on(error):
    """A sentence for one who imports what is not there, or nothing."""
    name = getattr(error, 'name', None)
    if not isinstance(error, ModuleNotFoundError) or not isinstance(name, str):
        return ''
    if os.path.isdir(PACKAGES):
        return ' Functions see the standard library and the packages of sandbox.pythonPackagesDirectory; %s is in neither.' % name[:100]
    return ' Functions see the standard library only, and %s is not in it. An operator can offer packages with sandbox.pythonPackagesDirectory.' % name[:100]


def report(error, loading):
    limit = limit_of(error)
    if limit:
        return {'type': 'error', 'status': 'limit', 'limit': limit}
    if isinstance(error, SystemExit):
        return {'type': 'error', 'status': 'exception', 'kind': 'SystemExit', 'message': 'The function called exit instead of returning.', 'trace': trace_of(error)}
    if loading:
        return {'type': 'error', 'status': 'invalid', 'message': ('The code could not be loaded. ' + trace_of(error))[:MAX_TEXT - 500] + advice_on(error)}
    return {'type': 'error', 'status': 'exception', 'kind': name_of(type(error))[:200], 'message': text_of(error) + advice_on(error), 'trace': trace_of(error)}


def misfit(value, path, above):
    """A sentence on the first thing in a value that JSON cannot carry, or None."""
    kind = type(value)
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, str):
        try:
            value.encode()
            return None
        except UnicodeEncodeError:
            return '%s is text with a lone surrogate, which is no valid Unicode.' % path
    if isinstance(value, float):
        if value != value or value in (float('inf'), float('-inf')):
            return '%s is %r, and JSON has no such number. Return None or a string.' % (path, value)
        return None
    if id(value) in above:
        return '%s contains itself. JSON cannot carry a circular structure.' % path
    if len(above) > 100:
        return '%s is nested more than 100 deep.' % path[:200]
    inside = above | {id(value)}
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int, float, bool)) and key is not None:
                return '%s has a key of type %s. JSON keys are strings.' % (path, type(key).__name__)
            found = misfit(item, '%s[%s]' % (path, json.dumps(key)[:60]), inside)
            if found:
                return found
        return None
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            found = misfit(item, '%s[%d]' % (path, index), inside)
            if found:
                return found
        return None
    advice = {'set': ' Return a list.', 'frozenset': ' Return a list.', 'bytes': ' Return text, for example base64.', 'Decimal': ' Return a string or a float.'}.get(kind.__name__, '')
    if hasattr(value, 'isoformat'):
        advice = ' Return its isoformat().'
    if hasattr(value, '__next__'):
        advice = ' Return a list of what it yields.'
    return '%s is of type %s, which JSON cannot carry.%s' % (path, name_of(kind)[:200], advice)


def encode(value, limit):
    """The frame that answers with a value."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':')).encode()
    except MemoryError:
        return {'type': 'error', 'status': 'limit', 'limit': 'memory'}, b''
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError):
        try:
            sentence = misfit(value, 'result', frozenset())
        except BaseException:
            sentence = None
        return {'type': 'error', 'status': 'invalid', 'message': 'The function returned what JSON cannot carry: ' + (sentence or 'it could not be written.')[:MAX_TEXT]}, b''
    if len(text) > limit:
        return {'type': 'error', 'status': 'limit', 'limit': 'result'}, b''
    return {'type': 'result'}, text


def call_entry(module, entry, argument):
    function = getattr(module, entry['name'], None)
    if function is None:
        return {'type': 'error', 'status': 'invalid', 'message': '%s defines no %s.' % (entry['file'], entry['name'])}, None
    if not callable(function):
        return {'type': 'error', 'status': 'invalid', 'message': '%s in %s is no function.' % (entry['name'], entry['file'])}, None
    value = function(argument)
    if hasattr(type(value), '__await__'):
        import asyncio

        async def wait():
            return await value

        value = asyncio.run(wait())
    return None, value


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass


def stay():
    """Until this process is killed. What is still on its way here has to find a reader: where the other end cannot write any
    more, it closes, and what it has not read yet is lost."""
    while os.read(CHANNEL, 4096):
        pass


def run():
    global CALL_BOUNDS
    received, loading = False, True
    try:
        order, body = receive()
        received = True
        entry = order['entry']
        CALL_BOUNDS = order['calls']
        offset = place(order['files'], body)
        argument = json.loads(str(body[offset:], 'utf-8'))
        del body
        os.chdir(ROOT)
        module = load(entry['file'])
        loading = False
        problem, value = call_entry(module, entry, argument)
        answer = (problem, b'') if problem else encode(value, order['resultBytes'])
    except BaseException as error:
        answer = report(error, loading), b''
    flush()
    send(*answer)
    if not received or CALLS is not None:
        stay()


def prepare():
    """What can be done before there is an execution, once for all that are forked afterwards."""
    for name in ('asyncio', 'ctypes', 'importlib.machinery', 'importlib.util', 'resource', 'traceback'):
        __import__(name)
    offer_module()
    global LIBC
    LIBC = sys.modules['ctypes'].CDLL(None, use_errno=True)


def serve():
    """Binds this process for good, and runs one function."""
    setup, program = receive()
    sys.stdout.reconfigure(line_buffering=True)
    seal(setup, program)
    send({'type': 'ready', 'version': 1, 'nonce': setup['nonce']})
    leave = os._exit
    run()
    # At once, with all threads: nothing that the function registered for the exit runs.
    leave(0)


if __name__ == '__main__':
    if '--channel-on-stdin' in sys.argv:
        take_channel()
    offer_module()
    refuse_processes()
    serve()
