import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Runtime, SandboxLimits } from '../../../src/sandbox/index.ts'
import { limit, longEnoughMs, ok, WatchedSandbox } from './watched-sandbox.ts'

// What else can go wrong is beside this file: processes that are killed or stopped from outside in lost-processes.test.ts,
// garbage on the socket in socket.test.ts, a host with 64 MiB free and bombs against cgroups in limits-cgroup.test.ts, a
// pool starved for a minute in warm-jails.test.ts.

const mebibyte = 1024 * 1024

interface Fault {
  readonly what: string
  readonly runtime: Runtime
  readonly code: string
  readonly ends: object
  readonly limits?: Partial<SandboxLimits>
}

const python = (what: string, code: string, ends: object, limits: Partial<SandboxLimits> = {}): Fault => ({
  what,
  runtime: 'python',
  code,
  ends,
  limits,
})
const typescript = (what: string, code: string, ends: object, limits: Partial<SandboxLimits> = {}): Fault => ({
  what,
  runtime: 'typescript',
  code,
  ends,
  limits,
})

const short = { wallMs: 200 }
/** Cheap enough for a whole new jail each. */
const cheap: readonly Fault[] = [
  python('forks for ever', 'def main(_):\n  while True: os.fork()', limit('processes')),
  python(
    'forks twice, to leave an orphan, and returns',
    `
import time
def main(_):
    def orphan():
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: time.sleep(1e6)
            os._exit(0)
    return attempt(orphan)`,
    { status: 'ok', resultJson: '"EPERM"' },
  ),
  python(
    'leaves threads that never end',
    'import threading, time\ndef main(_):\n  for _ in range(10): threading.Thread(target=time.sleep, args=(1e6,)).start()\n  return 1',
    ok,
  ),
  python(
    'stops itself',
    'import signal, time\ndef main(_):\n  os.kill(os.getpid(), signal.SIGSTOP)\n  time.sleep(1e6)',
    limit('wall'),
    short,
  ),
  python(
    'ignores SIGTERM and every other signal',
    'import signal, time\ndef main(_):\n  for n in range(1, 65): attempt(lambda: signal.signal(n, signal.SIG_IGN))\n  while True: time.sleep(1)',
    limit('wall'),
    short,
  ),
  python(
    'closes every descriptor',
    'import time\ndef main(_):\n  os.closerange(0, 1024)\n  time.sleep(1e6)',
    limit('wall'),
    short,
  ),
  python('opens descriptors for ever', 'def main(_):\n  while True: os.pipe()', limit('open-files')),
  python(
    'kills its parent and everything else that it can',
    'import signal\ndef main(_):\n  for pid in (os.getppid(), -1, 0): attempt(lambda: os.kill(pid, signal.SIGKILL))\n  return 1',
    ok,
  ),
  python(
    'writes garbage on the capability socket',
    'import time\ndef main(_):\n  os.write(3, (8).to_bytes(4, "big") + (4).to_bytes(4, "big") + b"\\xff\\xff\\xff\\xff")\n  time.sleep(1e6)',
    { status: 'invalid' },
  ),
  python(
    'makes deep directories',
    'def main(_):\n  os.chdir("/tmp")\n  while True:\n    os.mkdir("d"); os.chdir("d")',
    limit('scratch'),
  ),
  typescript('starts a program', 'export const main = () => Bun.spawnSync([process.execPath])', limit('processes')),
  typescript(
    'closes every descriptor',
    'export const main = () => { for (let n = 3; n < 64; n++) attempt(() => fs.closeSync(n)); for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }',
    { status: expect.stringMatching(/^(?:limit|killed)$/) as string },
    short,
  ),
]
/** Only in mode fast: they take longer, or show what mode fresh shows as well. */
const costly: readonly Fault[] = [
  python(
    'takes all memory',
    'def main(_):\n  held = []\n  while True: held.append(bytearray(1 << 20))',
    limit('memory'),
    { memoryBytes: 128 * mebibyte },
  ),
  python(
    'fills its tmpfs',
    'def main(_):\n  with open("/tmp/x", "wb") as file:\n    while True: file.write(bytes(65536))',
    limit('scratch'),
  ),
  python(
    'makes 100,000 files',
    'def main(_):\n  for n in range(100000): os.close(os.open(f"/tmp/{n}", os.O_CREAT))',
    limit('scratch'),
  ),
  python('floods stdout', 'def main(_):\n  while True: print("x" * 1000)', limit('output')),
  python(
    'asks for answers and never reads them',
    `
import json, struct, time
def main(_):
    for number in range(1, 100):
        head = json.dumps({'type': 'call', 'id': number, 'tool': 'large'}).encode()
        os.write(3, struct.pack('>II', 4 + len(head) + 2, len(head)) + head + b'{}')
        time.sleep(0.005)
    time.sleep(1e6)`,
    { status: 'invalid' },
    { innerCalls: 1000 },
  ),
  typescript(
    'takes all memory',
    'export const main = () => { const held = []; for (;;) held.push(new Uint8Array(1 << 20).fill(1)) }',
    limit('memory'),
    { memoryBytes: 128 * mebibyte },
  ),
  typescript(
    'makes 100,000 files',
    'export const main = () => { for (let n = 0; n < 1e5; n++) fs.closeSync(fs.openSync("/tmp/" + n, "w")) }',
    limit('scratch'),
  ),
  typescript('floods stdout', 'export const main = () => { for (;;) console.log("x".repeat(1000)) }', limit('output')),
  typescript(
    'leaves a worker that never ends',
    'export const main = () => { new Worker("data:text/javascript,setInterval(() => 1, 1000)"); return 1 }',
    ok,
  ),
  typescript(
    'kills its parent and everything else that it can',
    'export const main = () => { for (const pid of [process.ppid, -1, 0]) attempt(() => process.kill(pid, "SIGKILL")); return 1 }',
    ok,
  ),
]

let sandbox: WatchedSandbox

const largeAnswers = {
  onCall: async () => await Promise.resolve({ ok: true as const, resultJson: JSON.stringify('x'.repeat(1_000_000)) }),
}

describe.each(['fast', 'fresh'] as const)('in mode %s', (mode) => {
  beforeAll(async () => (sandbox = await WatchedSandbox.open({ mode })))
  afterAll(async () => await sandbox.closeToNothing())

  test.each(mode === 'fast' ? [...cheap, ...costly] : cheap)(
    'a function that $what ($runtime) ends by name, leaves nothing, and the next call works',
    async ({ runtime, code, ends, limits = {} }) => {
      expect(await sandbox.run(runtime, code, { limits, ...largeAnswers })).toMatchObject(ends)
      await sandbox.expectNothingLeft()
    },
  )

  test('a jail that is stopped from outside ends by its wall clock', async () => {
    const { pid, ends } = await sandbox.sleeper('python', { wallMs: longEnoughMs })
    process.kill(pid, 'SIGSTOP')
    expect(await ends).toMatchObject({ status: 'limit', limit: 'wall' })
    await sandbox.expectNothingLeft()
  })

  test('a jail that is killed from outside is told as that', async () => {
    const { pid, ends } = await sandbox.sleeper('typescript')
    process.kill(pid, 'SIGKILL')
    expect(await ends).toMatchObject({ status: 'killed', reason: 'signal' })
    await sandbox.expectNothingLeft()
  })
})
