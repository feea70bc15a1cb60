import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/sandbox/index.ts'
import { answerOf, openSandbox, probe, probeUnjailed, run, runUnfiltered, specOf } from './hosted-code.ts'

/** What jails share because they share a kernel, a machine's files and an interpreter that was started once. */

let sandbox: Sandbox
const mebibyte = 1024 * 1024

beforeAll(async () => {
  sandbox = await openSandbox({ waitingJails: 0 })
})

afterAll(async () => {
  await sandbox.close()
})

describe('open files', () => {
  /** Threads that each ask for a table of files of their own before they open as many as they can. */
  const code = `
import threading
def main(input):
    opened, asked, gate = [0], [], threading.Event()
    guard = threading.Lock()
    def work():
        if input['alone']: asked.append(call(436, 60000, 60001, 2))
        while attempt(lambda: os.open('/dev/null', os.O_RDONLY)) == 'done':
            with guard: opened[0] += 1
        with guard: over[0] += 1
        if over[0] == 4: gate.set()
        gate.wait()
    over = [0]
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return {'opened': opened[0], 'asked': sorted(set(asked))}
`

  test('are bounded for all threads together, whatever table they ask for', async () => {
    const inside = await probe(sandbox, 'python', code, { alone: true })
    expect(inside['asked']).toEqual(['EINVAL'])
    expect(inside['opened']).toBeGreaterThan(100)
    expect(inside['opened']).toBeLessThan(140)
    const [control] = await runUnfiltered([specOf('python', code, { alone: true })])
    expect(control).toMatchObject({ status: 'ok' })
    if (control !== undefined) expect(answerOf(control)['opened']).toBeGreaterThan(400)
  })

  test('can be closed by the range, with and without a table of its own asked for', async () => {
    const close = `
def main(_):
    first, last = os.dup(0), os.dup(0)
    closed = call(436, first, last, 0)
    return {'closed': closed, 'gone': attempt(lambda: os.close(first)), 'flag': call(436, 60000, 60001, 4)}
`
    expect(await probe(sandbox, 'python', close)).toEqual({ closed: 'done', gone: 'EBADF', flag: 'done' })
  })
})

describe('memory that is mapped for all', () => {
  /** Writes to shared memory and gives up all of each mapping but one page: what was written stays in memory. */
  const hide = `
import mmap, platform
def main(input):
    libc.mmap.restype = ctypes.c_void_p
    size, kept = 4 << 20, 4096
    held = 0
    for _ in range(64):
        address = libc.mmap(None, ctypes.c_size_t(size), 3, input['flags'], input['file'], ctypes.c_long(0))
        if address in (None, (1 << 64) - 1): return {'held': held, 'why': name(ctypes.get_errno())}
        libc.memset(ctypes.c_void_p(address), 1, ctypes.c_size_t(size))
        libc.munmap(ctypes.c_void_p(address + kept), ctypes.c_size_t(size - kept))
        held += size
    return {'held': held}
`
  const shared = { flags: 0x21, file: -1 }

  test('cannot be hidden by taking it out of the process', async () => {
    const small = { memoryBytes: 128 * mebibyte }
    const plain = await openSandbox({ waitingJails: 0, cgroups: 'off' })
    try {
      expect(answerOf(await run(plain, 'python', hide, { input: shared, limits: small }))).toEqual({
        held: 0,
        why: 'EPERM',
      })
      expect(answerOf(await run(plain, 'python', hide, { input: { flags: 0x22, file: -1 }, limits: small }))).toEqual({
        held: 256 * mebibyte,
      })
    } finally {
      await plain.close()
    }
    expect(await probeUnjailed(hide, shared)).toEqual({ held: 256 * mebibyte })
  })

  test('is had by files, which are bounded', async () => {
    const code = `
import mmap
def main(_):
    with open('/tmp/shared', 'w+b') as file:
        file.truncate(4096)
        one, two = mmap.mmap(file.fileno(), 4096), mmap.mmap(file.fileno(), 4096)
        one[:4] = b'seen'
        return {'seen': two[:4].decode(), 'private': len(mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))}
`
    expect(await probe(sandbox, 'python', code)).toEqual({ seen: 'seen', private: 4096 })
  })
})

describe('the files of the machine', () => {
  test('are read without telling what of them was in memory', async () => {
    const code = `
def main(_):
    found = {}
    for flag in (os.RWF_NOWAIT, 0x80, 0):
        file = os.open(os.__file__, os.O_RDONLY)
        found[str(flag)] = attempt(lambda: str(os.preadv(file, [bytearray(4)], 0, flag)))
    return found
`
    expect(await probe(sandbox, 'python', code)).toEqual({ '8': 'ENOTSUP', '128': 'ENOTSUP', '0': '4' })
    expect(await probeUnjailed(code)).toMatchObject({ '8': '4', '0': '4' })
  })
})

describe('a lock on a file of the machine', () => {
  /** Asks for many locks, then whether somebody holds one: one taken for a process is not that of a descriptor, which asks. */
  const lock = `
import fcntl, struct
def main(input):
    file = os.open(input['path'], os.O_RDONLY)
    ask = lambda kind, start: struct.pack('hhqqi4x', kind, 0, start, 1, 0)
    answers = {attempt(lambda: str(fcntl.fcntl(file, how, ask(0, 2 * (1000 - n))) and 'done')) for n in range(500) for how in (6, 7)}
    by_description = attempt(lambda: str(fcntl.fcntl(file, 37, ask(0, 1)) and 'done'))
    if input['holds']:
        import mcpworks
        mcpworks.call('hold')
    asked = struct.unpack('hhqqi4x', fcntl.fcntl(file, 36, ask(1, 2 * 600)))
    return {'answers': sorted(answers), 'by_description': by_description, 'seen': asked[0] != 2}
`

  test('is answered as had, and is not there', async () => {
    const path = '/runner/main.py'
    let found: unknown = null
    const holder = await run(sandbox, 'python', lock, {
      input: { path, holds: true },
      onCall: async () => {
        found = await probe(sandbox, 'python', lock, { path, holds: false })
        return { ok: true, resultJson: 'null' }
      },
    })
    const none = { answers: ['done'], by_description: 'EINVAL', seen: false }
    expect(answerOf(holder)).toEqual(none)
    expect(found).toEqual(none)
  })

  test('would be had and seen without the filter', async () => {
    const [control] = await runUnfiltered([specOf('python', lock, { path: '/runner/main.py', holds: false })])
    expect(control === undefined ? {} : answerOf(control)).toEqual({
      answers: ['done'],
      by_description: 'done',
      seen: true,
    })
  })

  test('of a database in a file works as ever', async () => {
    const code = `
import sqlite3
def main(_):
    one, two = sqlite3.connect('/tmp/base', isolation_level=None), sqlite3.connect('/tmp/base', timeout=0)
    one.execute('pragma journal_mode = wal')
    one.execute('create table t (x)')
    one.execute('begin immediate')
    one.execute('insert into t values (1)')
    try:
        two.execute('insert into t values (2)')
        busy = 'no'
    except sqlite3.OperationalError as error:
        busy = str(error)
    one.execute('commit')
    two.execute('insert into t values (3)')
    two.commit()
    return {'busy': busy, 'rows': one.execute('select x from t').fetchall()}
`
    expect(await probe(sandbox, 'python', code)).toEqual({ busy: 'database is locked', rows: [[1], [3]] })
    const bun = `
import { Database } from 'bun:sqlite'
export const main = () => {
  const one = new Database('/tmp/base', { create: true })
  one.run('create table t (x)'); one.run('insert into t values (1)')
  return { rows: new Database('/tmp/base').query('select x from t').all() }
}
`
    expect(await probe(sandbox, 'typescript', bun)).toEqual({ rows: [{ x: 1 }] })
  })
})

describe('a futex on a file of the machine', () => {
  const wake = `
import threading
def main(input):
    libc.mmap.restype = ctypes.c_void_p
    file = os.open('/runner/main.py', os.O_RDONLY)
    page = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, file, ctypes.c_long(0))
    wakes = {str(how): call(input['futex'], page, how, 10, 0, 0, 0) for how in (1, 3, 10, 1 | 128)}
    # Threads that wait for each other, and for their end, use others.
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    gate.set()
    thread.join()
    return {'wakes': wakes, 'joined': not thread.is_alive()}
`

  test('wakes nobody', async () => {
    const futex = process.arch === 'x64' ? 202 : 98
    const inside = await probe(sandbox, 'python', wake, { futex })
    expect(inside).toEqual({ wakes: { '1': 'EPERM', '3': 'EPERM', '10': 'EPERM', '129': 'done' }, joined: true })
    const [control] = await runUnfiltered([specOf('python', wake, { futex })])
    expect(control === undefined ? {} : answerOf(control)).toMatchObject({ wakes: { '1': 'done' }, joined: true })
  })
})

describe('signals that wait', () => {
  const queue = `
import signal
def main(_):
    signal.pthread_sigmask(signal.SIG_BLOCK, [40])
    for _ in range(5000): os.kill(os.getpid(), 40)
    kept = 0
    while signal.sigtimedwait([40], 0) is not None: kept += 1
    return {'kept': kept}
`

  test('are bounded for each jail, as they count for the user of all', async () => {
    const inside = await probe(sandbox, 'python', queue)
    expect(inside['kept']).toBeGreaterThan(0)
    expect(inside['kept']).toBeLessThan(100)
    const control = await probeUnjailed(queue)
    expect(control['kept']).toBe(5000)
  })
})

describe('the disk of the machine', () => {
  test('is not made to wait, nor a file pushed out of memory', async () => {
    const code = `
def main(input):
    file = os.open('/runner/main.py', os.O_RDONLY)
    os.close(file)
    return {key: call(number, file, 0, 0, 4) for key, number in input.items()}
`
    const numbers = process.arch === 'x64' ? { sync: 74, data: 75, advice: 221 } : { sync: 82, data: 83, advice: 223 }
    // Of a descriptor that is closed: who made the call would say so.
    expect(await probe(sandbox, 'python', code, numbers)).toEqual({ sync: 'done', data: 'done', advice: 'done' })
    const [control] = await runUnfiltered([specOf('python', code, numbers)])
    const made = { sync: 'EBADF', data: 'EBADF', advice: 'EBADF' }
    expect(control === undefined ? {} : answerOf(control)).toEqual(made)
  })
})

describe('the channel', () => {
  test('tells its own kind and nothing of who is at the other end, or of the machine', async () => {
    const code = `
import socket
def main(_):
    channel = socket.socket(fileno=os.dup(3))
    options = {'credentials': 17, 'label': 31, 'memory': 55, 'cookie': 57, 'groups': 59, 'network': 71, 'process': 77, 'type': 3}
    return {key: attempt(lambda: str(len(channel.getsockopt(socket.SOL_SOCKET, number, 64)))) for key, number in options.items()}
`
    const refused = Object.fromEntries(
      ['credentials', 'label', 'memory', 'cookie', 'groups', 'network', 'process'].map((key) => [key, 'EPERM']),
    )
    expect(await probe(sandbox, 'python', code)).toEqual({ ...refused, type: '4' })
    const [control] = await runUnfiltered([specOf('python', code)])
    expect(control === undefined ? {} : answerOf(control)).toMatchObject({ credentials: '12', cookie: '8', type: '4' })
  })
})

describe('random numbers', () => {
  /** A package that has used OpenSSL's generator before any jail was made. */
  const library = 'import ssl, random\nssl.RAND_bytes(8)\nbefore = ssl.RAND_bytes(8).hex()\n'
  const code = `
import drawn, ssl, random
def main(_): return {'before': drawn.before, 'after': ssl.RAND_bytes(8).hex(), 'python': random.random()}
`

  test('of a library that was imported before the jails are different in each of them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'packages-'))
    await chmod(directory, 0o755)
    await writeFile(join(directory, 'drawn.py'), library, { mode: 0o644 })
    const settings = { pythonPackagesDirectory: directory, pythonPreload: ['drawn'], waitingJails: 0 }
    const preloaded = await openSandbox(settings)
    const isForked = preloaded.describe().profiles?.python.name.endsWith('-zygote-python') === true
    try {
      const drawn = [await probe(preloaded, 'python', code), await probe(preloaded, 'python', code)]
      expect(new Set(drawn.map(({ before }) => before)).size, 'interpreters').toBe(isForked ? 1 : 2)
      expect(new Set(drawn.map(({ after }) => after)).size).toBe(2)
      expect(new Set(drawn.map(({ python }) => python)).size).toBe(2)
    } finally {
      await preloaded.close()
      await rm(directory, { recursive: true })
    }
  })
})

describe('a page of a file that others have in their memory as well', () => {
  const map = `
import { toBuffer } from 'bun:ffi'
import { log } from 'mcpworks'
const { mmap } = dlopen('libc.so.6', { mmap: { args: ['i64', 'i64', 'i32', 'i32', 'i32', 'i64'], returns: 'i64' } }).symbols
const [readable, isPrivate] = [1, 2]
const address = Number(mmap(0, 4096, readable, isPrivate, fs.openSync('/runner/main.ts', 'r'), 0))
const first = toBuffer(address as never, 0, 4096)[0]
`
  const holder = `${map}
export const main = async () => { log(String(first)); await new Promise((resolve) => setTimeout(resolve, 60_000)) }`
  const seeker = `${map}
export const main = () => ({ first, seen: attempt(() => {
  const maps = fs.readFileSync('/proc/self/smaps', 'latin1')
  return Number(/Shared_Clean: +([0-9]+)/.exec(maps.slice(maps.indexOf(address.toString(16))))?.[1]) > 0 ? 'shared' : 'alone'
}) })`

  async function seekBesideHolder(one: Sandbox): Promise<unknown[]> {
    const alone = await probe(one, 'typescript', seeker)
    const [holds, abort] = [Promise.withResolvers<undefined>(), new AbortController()]
    const held = run(one, 'typescript', holder, { onLog: () => holds.resolve(undefined), signal: abort.signal })
    await Promise.race([holds.promise, held.then((outcome) => holds.reject(new Error(JSON.stringify(outcome))))])
    await holds.promise
    const beside = await probe(one, 'typescript', seeker)
    abort.abort()
    expect(await held).toMatchObject({ status: 'killed', reason: 'cancelled' })
    expect(beside['first']).toBe('/'.charCodeAt(0))
    return [alone['seen'], beside['seen']]
  }

  test('does not tell of them in a jail that was forked, and would where a whole /proc is shown', async () => {
    expect(await seekBesideHolder(sandbox)).toEqual(['ENOENT', 'ENOENT'])
    const fresh = await openSandbox({ waitingJails: 0, mode: 'fresh' })
    try {
      expect(await seekBesideHolder(fresh)).toEqual(['alone', 'shared'])
    } finally {
      await fresh.close()
    }
  })

  test('is not all that can be known: a jail finds its own files, memory and program', async () => {
    const own = `
export const main = () => ({
  file: fs.readlinkSync('/proc/self/fd/' + fs.openSync('/fn/main.ts', 'r')),
  program: fs.realpathSync('/proc/self/exe'),
  memory: process.memoryUsage().rss > 1 << 20,
  processes: fs.readdirSync('/proc').sort().join(),
  maps: fs.readFileSync('/proc/1/maps', 'latin1').includes('/usr/bin/bun'),
  written: attempt(() => fs.writeFileSync('/proc/self/new', '')),
  changed: attempt(() => fs.chmodSync('/proc/self/maps', 0o600)),
})`
    expect(await probe(sandbox, 'typescript', own)).toEqual({
      file: '/fn/main.ts',
      program: '/usr/bin/bun',
      memory: true,
      processes: '1,self',
      maps: true,
      written: 'EROFS',
      changed: 'EROFS',
    })
  })
})
