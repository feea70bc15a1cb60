import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LimitName, Runtime, Sandbox, SandboxLimits } from '../../../src/sandbox/index.ts'
import { jailProcesses } from '../../support/jail-processes.ts'
import { openSandbox, probe, probeUnjailed, run } from './hosted-code.ts'

let sandbox: Sandbox
const mebibyte = 1024 * 1024

beforeAll(async () => {
  sandbox = await openSandbox({ waitingJails: 0 })
})

afterAll(async () => {
  await sandbox.close()
})

interface Bomb {
  readonly what: string
  readonly runtime: Runtime
  readonly code: string
  readonly limit: LimitName
  readonly message: string
  readonly limits?: Partial<SandboxLimits>
}

const py = (what: string, limit: LimitName, message: string, code: string, limits?: Partial<SandboxLimits>): Bomb => ({
  what,
  runtime: 'python',
  code,
  limit,
  message,
  ...(limits && { limits }),
})
const ts = (what: string, limit: LimitName, message: string, code: string, limits?: Partial<SandboxLimits>): Bomb => ({
  what,
  runtime: 'typescript',
  code,
  limit,
  message,
  ...(limits && { limits }),
})

const small = { memoryBytes: 256 * mebibyte }
const bombs: readonly Bomb[] = [
  py('sleeps for ever', 'wall', 'wall: 200 ms reached', 'import time\ndef main(_): time.sleep(1e6)', { wallMs: 200 }),
  py(
    'ignores every signal and sleeps',
    'wall',
    'wall: 200 ms reached',
    'import signal, time\ndef main(_):\n  for n in range(1, 65): attempt(lambda: signal.signal(n, signal.SIG_IGN))\n  while True: time.sleep(1)',
    { wallMs: 200 },
  ),
  py(
    'closes every descriptor and sleeps',
    'wall',
    'wall: 200 ms reached',
    'import time\ndef main(_):\n  os.closerange(0, 1024)\n  time.sleep(1e6)',
    { wallMs: 200 },
  ),
  py('loops for ever', 'cpu', 'cpu: 200 ms of processor time reached', 'def main(_):\n  while True: pass', {
    cpuMs: 200,
  }),
  py(
    'loops in threads',
    'cpu',
    'cpu: 300 ms of processor time reached',
    'import threading, hashlib\ndef loop():\n  while True: hashlib.sha256(bytes(1000000))\ndef main(_):\n  for _ in range(3): threading.Thread(target=loop, daemon=True).start()\n  loop()',
    { cpuMs: 300 },
  ),
  py(
    'takes memory',
    'memory',
    'memory: 256 MiB reached',
    'def main(_):\n  held = []\n  while True: held.append(bytearray(1 << 20))',
    small,
  ),
  py(
    'takes memory and catches the error',
    'memory',
    'memory: 256 MiB reached',
    'def main(_):\n  held = []\n  while True:\n    try: held.append(bytearray(1 << 20))\n    except MemoryError: raise',
    small,
  ),
  py(
    'forks for ever',
    'processes',
    'processes: 16 threads are the most, and no process may be started',
    'def main(_):\n  while True: os.fork()',
  ),
  py(
    'starts a program',
    'processes',
    'processes: 16 threads are the most, and no process may be started',
    'import subprocess\ndef main(_): subprocess.run(["/usr/bin/python3.11"])',
  ),
  py(
    'starts threads for ever',
    'processes',
    'processes: 16 threads are the most, and no process may be started',
    'import threading, time\ndef main(_):\n  while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()',
  ),
  py(
    'opens files for ever',
    'open-files',
    'open-files: 128 reached',
    'def main(_):\n  held = []\n  while True: held.append(open("/dev/null"))',
  ),
  py('opens pipes for ever', 'open-files', 'open-files: 128 reached', 'def main(_):\n  while True: os.pipe()'),
  py(
    'fills one file',
    'scratch',
    'scratch: 16 MiB of files, or their number, reached',
    'def main(_):\n  with open("/tmp/x", "wb") as file:\n    while True: file.write(bytes(65536))',
  ),
  py(
    'fills many files',
    'scratch',
    'scratch: 16 MiB of files, or their number, reached',
    'def main(_):\n  for n in range(10**9):\n    with open(f"/tmp/{n}", "wb") as file: file.write(bytes(65536))',
  ),
  py(
    'makes empty files for ever',
    'scratch',
    'scratch: 16 MiB of files, or their number, reached',
    'def main(_):\n  for n in range(10**9): os.close(os.open(f"/tmp/{n}", os.O_CREAT))',
  ),
  py(
    'makes directories beside its code',
    'scratch',
    'scratch: 16 MiB of files, or their number, reached',
    'def main(_):\n  for n in range(10**9): os.mkdir(f"/fn/{n}")',
  ),
  py(
    'makes deep directories',
    'scratch',
    'scratch: 16 MiB of files, or their number, reached',
    'def main(_):\n  os.chdir("/tmp")\n  while True:\n    os.mkdir("d"); os.chdir("d")',
  ),
  py('returns too much', 'result', 'result: more than 1 MiB returned', 'def main(_): return "x" * (2 << 20)'),
  py(
    'announces a huge result',
    'result',
    'result: more than 1 MiB returned',
    'def main(_):\n  os.write(3, (50 << 20).to_bytes(4, "big") + bytes(4))\n  while True: os.write(3, bytes(65536))',
  ),
  py(
    'floods stdout',
    'output',
    'output: a flood of output, logs or progress far beyond the 65536 bytes that are kept',
    'def main(_):\n  while True: print("x" * 1000)',
  ),
  py(
    'floods the log',
    'output',
    'output: a flood of output, logs or progress far beyond the 65536 bytes that are kept',
    'import mcpworks\ndef main(_):\n  while True: mcpworks.log("x")',
  ),
  ts(
    'waits for ever',
    'wall',
    'wall: 200 ms reached',
    'export const main = () => new Promise((done) => setTimeout(done, 1e9))',
    { wallMs: 200 },
  ),
  ts('loops for ever', 'cpu', 'cpu: 200 ms of processor time reached', 'export const main = () => { for (;;); }', {
    cpuMs: 200,
  }),
  ts(
    'takes memory',
    'memory',
    'memory: 256 MiB reached',
    'export const main = () => { const held = []; for (;;) held.push(new Uint8Array(1 << 20).fill(1)) }',
    small,
  ),
  ts(
    'takes memory as objects',
    'memory',
    'memory: 256 MiB reached',
    'export const main = () => { const held = []; for (;;) held.push({ a: [held.length] }) }',
    small,
  ),
  ts(
    'starts a program',
    'processes',
    'processes: 16 threads are the most, and no process may be started',
    'export const main = () => Bun.spawnSync([process.execPath])',
  ),
  ts(
    'starts workers for ever',
    'processes',
    'processes: 16 threads are the most, and no process may be started',
    'export const main = async () => { for (;;) { new Worker("data:text/javascript,setInterval(() => 1, 1000)"); await Bun.sleep(1) } }',
  ),
  ts(
    'opens files for ever',
    'open-files',
    'open-files: 128 reached',
    'export const main = () => { for (;;) fs.openSync("/dev/null", "r") }',
  ),
  ts(
    'fills one file',
    'scratch',
    'scratch: 16 MiB of files, or their number, reached',
    'export const main = () => { const file = fs.openSync("/tmp/x", "w"); for (;;) fs.writeSync(file, Buffer.alloc(65536)) }',
  ),
  ts('returns too much', 'result', 'result: more than 1 MiB returned', 'export const main = () => "x".repeat(2 << 20)'),
  ts(
    'floods stdout',
    'output',
    'output: a flood of output, logs or progress far beyond the 65536 bytes that are kept',
    'export const main = () => { for (;;) console.log("x".repeat(1000)) }',
  ),
]

/** Processes that descend from this one and are jails or in jails. */
describe('a function that', () => {
  test.each(bombs)(
    '$what in $runtime ends with the limit $limit',
    async ({ runtime, code, limit, message, limits }) => {
      expect(await run(sandbox, runtime, code, limits === undefined ? {} : { limits })).toMatchObject({
        status: 'limit',
        limit,
        message,
      })
    },
  )

  test('stays below its bounds is not ended by them', async () => {
    const code = `
import threading
def main(_):
    held = bytearray(100 << 20)
    threads = [threading.Thread(target=lambda: None) for _ in range(10)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    files = [open('/dev/null') for _ in range(100)]
    with open('/tmp/x', 'wb') as file: file.write(bytes(15 << 20))
    print('x' * 60000)
    return {'result': 'x' * 1000000 and len(held)}
`
    const outcome = await run(sandbox, 'python', code, { limits: { memoryBytes: 256 * mebibyte } })
    expect(outcome).toMatchObject({ status: 'ok', droppedBytes: 0 })
    expect(outcome.usage.maxRssBytes).toBeGreaterThan(100 * mebibyte)
  })

  test('cannot raise its limits', async () => {
    const code = `
import resource
def main(_):
    names = [name for name in dir(resource) if name.startswith('RLIMIT_') and name in ('RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_DATA', 'RLIMIT_CORE', 'RLIMIT_NPROC', 'RLIMIT_NOFILE', 'RLIMIT_MEMLOCK', 'RLIMIT_AS')]
    def raised(name):
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    def answer(name):
        try: raised(name)
        except (ValueError, OSError) as error: return 'refused'
        return 'raised'
    return {'raised': [name for name in names if answer(name) == 'raised'], 'count': len(names), 'core': resource.getrlimit(resource.RLIMIT_CORE), 'locked': resource.getrlimit(resource.RLIMIT_MEMLOCK)}
`
    expect(await probe(sandbox, 'python', code)).toEqual({ raised: [], count: 8, core: [0, 0], locked: [0, 0] })
  })

  test('leaves no process behind, however it ended, and the next call works', async () => {
    expect(jailProcesses()).toEqual([])
    const during: string[][] = []
    const running = run(
      sandbox,
      'python',
      'import mcpworks, time\ndef main(_):\n  mcpworks.log("x")\n  time.sleep(60)',
      {
        limits: { wallMs: 1500 },
        onLog: () => during.push(jailProcesses()),
      },
    )
    expect(await running).toMatchObject({ status: 'limit' })
    expect(during).toHaveLength(1)
    expect(during[0]).not.toEqual([])
    expect(jailProcesses()).toEqual([])
    expect(await run(sandbox, 'typescript', 'export const main = () => 1')).toMatchObject({ resultJson: '1' })
  })
})

describe('a function whose first thread ends while another goes on', () => {
  const goesOn = `
import mmap, struct, threading, time
def later(mebibytes, held, rest):
    # It may grow downwards, and so counts as a stack, which no limit of the process itself counts.
    for _ in range(mebibytes):
        held.append(mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100))
        held[-1].write(bytes(1 << 20))
    # Long enough for several looks at what is in use.
    time.sleep(rest)
    head, body = b'{"type":"result"}', b'"went on"'
    os.write(3, struct.pack('>II', 4 + len(head) + len(body), len(head)) + head + body)
    time.sleep(60)
def main(input):
    threading.Thread(target=later, args=(input['mebibytes'], [], input['rest'])).start()
    if input['leaves']: libc.syscall(ctypes.c_long(input['exit']), 0)
    time.sleep(60)
`
  const exit = process.arch === 'x64' ? 60 : 93
  let bare: Sandbox

  beforeAll(async () => {
    // A cgroup counts all threads whatever becomes of the first; without one the watch has to.
    bare = await openSandbox({ waitingJails: 0, cgroups: 'off' })
  })

  afterAll(async () => {
    await bare.close()
  })

  test('gets no more memory than others', async () => {
    const limits = { memoryBytes: 128 * mebibyte }
    const fits = await run(bare, 'python', goesOn, { input: { leaves: false, exit, mebibytes: 8, rest: 0.2 }, limits })
    expect(fits).toMatchObject({ status: 'ok', resultJson: '"went on"' })
    const input = { leaves: true, exit, mebibytes: 400, rest: 60 }
    const breaks = await run(bare, 'python', goesOn, { input, limits })
    // Where the memory of a jail is not told by its first thread, the bound itself is what ends it.
    expect(breaks.status === 'limit' ? breaks.limit : breaks.status).toMatch(/^(?:killed|memory)$/)
  })

  test('would go on without the watch', async () => {
    const unwatched = goesOn.replace(/ {4}head, body[^]*?time\.sleep\(60\)/, '    print(\'{"went":"on"}\', flush=True)')
    expect(await probeUnjailed(unwatched, { leaves: true, exit, mebibytes: 400, rest: 0 })).toEqual({ went: 'on' })
  })
})

describe('without the jail', () => {
  test('the same code would get past: it forks, and it takes more threads and files', async () => {
    const code = `
import threading
def main(_):
    child = os.fork()
    if child == 0: os._exit(0)
    os.waitpid(child, 0)
    files = [open('/dev/null') for _ in range(200)]
    gate = threading.Event()
    threads = [threading.Thread(target=gate.wait) for _ in range(40)]
    for thread in threads: thread.start()
    gate.set()
    held = bytearray(300 << 20)
    return {'files': len(files), 'threads': len(threads), 'held': len(held)}
`
    expect(await probeUnjailed(code)).toEqual({ files: 200, threads: 40, held: 300 * mebibyte })
  })
})
