import { statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/sandbox/index.ts'
import { openSandbox, probe, probeUnjailed, run } from './hosted-code.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await openSandbox()
})

afterAll(async () => {
  await sandbox.close()
})

describe('processes outside', () => {
  const code = `
def main(input):
    return {str(pid): attempt(lambda: os.kill(pid, 0)) for pid in input['pids']}
`

  test('cannot be signalled: they have no number inside', async () => {
    const pids = [process.pid, process.ppid, 2, 100, 1000, -2]
    const inside = await probe(sandbox, 'python', code, { pids })
    expect(new Set(Object.values(inside))).toEqual(new Set(['ESRCH']))
    const outside = await probeUnjailed(code, { pids: [process.pid] })
    expect(outside[String(process.pid)]).not.toBe('ESRCH')
  })

  test('outlive a function that signals everything it can', async () => {
    const killAll = `
import signal
def main(_):
    return {'all': attempt(lambda: os.kill(-1, signal.SIGKILL)), 'group': attempt(lambda: os.kill(0, signal.SIGTERM)), 'parent': attempt(lambda: os.kill(os.getppid(), signal.SIGKILL))}
`
    const other = run(sandbox, 'python', 'import time\ndef main(_):\n  time.sleep(0.3)\n  return "alive"')
    const outcome = await run(sandbox, 'python', killAll)
    expect(outcome).toMatchObject({ status: 'ok' })
    expect(await other).toMatchObject({ resultJson: '"alive"' })
    expect(await run(sandbox, 'python', 'def main(_): return 1')).toMatchObject({ resultJson: '1' })
  })
})

describe('a sibling that runs at the same time', () => {
  /** Runs a holder until it has said that it holds something, then a seeker, then lets the holder go. */
  async function seekWhileHeld(holder: string, seeker: string): Promise<Record<string, unknown>> {
    const holds = Promise.withResolvers<undefined>()
    const abort = new AbortController()
    const held = run(sandbox, 'python', holder, { onLog: () => holds.resolve(undefined), signal: abort.signal })
    await Promise.race([
      holds.promise,
      held.then((outcome) => {
        throw new Error(JSON.stringify(outcome))
      }),
    ])
    const found = await probe(sandbox, 'python', seeker)
    abort.abort()
    expect(await held).toMatchObject({ status: 'killed', reason: 'cancelled' })
    return found
  }

  test('cannot be seen by files, shared memory, processes or locks of whole files', async () => {
    const holder = `
import time, mcpworks
def main(_):
    with open('/tmp/mark', 'w') as file: file.write('mark')
    os.symlink('/fn/main.py', '/tmp/link')
    mcpworks.log('holding')
    time.sleep(60)
`
    const seeker = `
import fcntl
def main(_):
    return {'tmp': os.listdir('/tmp'), 'shm': attempt(lambda: os.listdir('/dev/shm')), 'signal': attempt(lambda: os.kill(2, 0)),
            'lock': attempt(lambda: fcntl.flock(os.open('/runner/main.py', os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB))}
`
    expect(await seekWhileHeld(holder, seeker)).toEqual({ tmp: [], shm: 'ENOENT', signal: 'ESRCH', lock: 'EPERM' })
    const control = await probeUnjailed(`
import fcntl
def main(_):
    return {'lock': attempt(lambda: fcntl.flock(os.open('/usr/bin/python3.11', os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB))}
`)
    expect(control).toEqual({ lock: 'done' })
  })

  test('has other random numbers, and in mode fresh another layout of memory', async () => {
    const code = `
import random
def main(_):
    return {'random': random.random(), 'hash': hash('text'), 'address': ctypes.cast(libc.getpid, ctypes.c_void_p).value}
`
    const equal = async (where: Sandbox): Promise<string[]> => {
      const [one, two] = await Promise.all([probe(where, 'python', code), probe(where, 'python', code)])
      return ['random', 'hash', 'address'].filter((name) => one[name] === two[name])
    }
    const fresh = await openSandbox({ mode: 'fresh' })
    try {
      expect(await equal(fresh)).toEqual([])
    } finally {
      await fresh.close()
    }
    // Those of one zygote share what it was born with; what they draw by themselves differs.
    expect(await equal(sandbox)).not.toContain('random')
  })
})

describe('a function that comes after another in the same place', () => {
  let alone: Sandbox

  beforeAll(async () => {
    // One jail after the other, each of the same slot where there are slots.
    alone = await openSandbox({ concurrency: 1, waitingJails: 0 })
  })

  afterAll(async () => {
    await alone.close()
  })

  test('finds the flags of its descriptors as they are for everybody', async () => {
    const code = `
import fcntl
def main(input):
    flags = lambda: [fcntl.fcntl(number, fcntl.F_GETFL) for number in range(4)]
    before = flags()
    for number in input['marked']:
        fcntl.fcntl(number, fcntl.F_SETFL, before[number] | os.O_APPEND)
    return {'before': before, 'after': flags()}
`
    const first = await probe(alone, 'python', code, { marked: [0, 1, 2, 3] })
    expect(first['after'], 'the flags can be set').not.toEqual(first['before'])
    const second = await probe(alone, 'python', code, { marked: [] })
    expect(second).toEqual({ before: first['before'], after: first['before'] })
  })

  test('finds the times of devices unmarked, and so does the host', async () => {
    const devices = ['/dev/null', '/dev/full', '/dev/random']
    const code = `
def main(input):
    tried = [attempt(lambda: os.utime(path)) for path in input['paths']]
    open('/tmp/own', 'w').close()
    os.utime('/tmp/own', (1, 1))
    own = int(os.stat('/tmp/own').st_mtime)
    os.unlink('/tmp/own')
    with open('/dev/null', 'wb', buffering=0) as null, open('/dev/full', 'rb', buffering=0) as full:
        return {'tried': tried, 'own': own, 'written': null.write(b'x'), 'read': list(full.read(1))}
`
    const times = (): number[] => devices.map((path) => statSync(path).mtimeMs)
    const before = times()
    const inside = await probe(alone, 'python', code, { paths: devices })
    expect(inside).toMatchObject({ own: 1, written: 1, read: [0] })
    expect(times()).toEqual(before)
    const control = await probeUnjailed(code, { paths: ['/dev/null'] })
    expect(control).toMatchObject({ tried: ['done'] })
  })

  test('finds in the memory that it was born with nothing of how the other ended', async () => {
    const seeker = `
import sys
def main(input):
    planted = input['planted'] * 256
    def tells(value):
        if isinstance(value, ctypes.Structure): return any(bytes(value))
        return value == input['exitCode'] * 256 or 'rusage' in repr(value)
    frame, found = sys._getframe(), []
    while frame is not None:
        found += [frame.f_code.co_name + '.' + name for name, value in frame.f_locals.items() if tells(value)]
        frame = frame.f_back
    return {'found': found}
`
    const exitCode = 77
    expect(await run(alone, 'python', `def main(_): os._exit(${String(exitCode)})`)).toMatchObject({
      kind: 'ProcessExit',
    })
    expect(await probe(alone, 'python', seeker, { exitCode, planted: 1 })).toEqual({ found: [] })
    expect(await probe(alone, 'python', seeker, { exitCode, planted: exitCode })).toEqual({ found: ['main.planted'] })
  })

  test('learns from the other end of its connections neither a path nor a process of the host', async () => {
    const code = `
import socket
def main(_):
    def peer(number):
        with socket.socket(fileno=os.dup(number)) as one: return one.getpeername()
    return {'peers': [attempt(lambda: peer(number)) for number in (1, 2, 3)]}
`
    const { peers } = (await probe(alone, 'python', code)) as { peers: string[] }
    expect(peers).toHaveLength(3)
    for (const peer of peers) expect(peer).toMatch(/^(?:|ENOTSOCK|hostfd:\[\d+\]|\/proc\/self\/fd\/\d+\/executor)$/)
    const own = await probe(
      alone,
      'python',
      'import socket\ndef main(_): return {"own": attempt(lambda: socket.socketpair()[0].getpeername())}',
    )
    expect(own).toEqual({ own: '' })
  })
})
