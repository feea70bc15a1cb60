import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { architectures } from '../../../src/sandbox/profile/architecture.ts'
import { seccompProfile } from '../../../src/sandbox/profile/seccomp-profile.ts'
import type { Sandbox } from '../../../src/sandbox/index.ts'
import { answerOf, openSandbox, probe, run, runUnfiltered, specOf } from './hosted-code.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await openSandbox()
})

afterAll(async () => {
  await sandbox.close()
})

const numbers = architectures.get(process.arch)?.numbers ?? new Map<string, number>()

function numberOf(name: string): number {
  const number = numbers.get(name)
  if (number === undefined) throw new Error(`${name} has no number here`)
  return number
}

const here = (names: readonly string[]): string[] => names.filter((name) => numbers.has(name))
/** Arguments with which a call does no more than fail where it is not stopped. */
const harmless: Readonly<Record<string, readonly number[]>> = {
  ptrace: [16, 0, 0, 0],
  seccomp: [99, 0, 0],
  setns: [-1, 0],
  personality: [0xffffffff],
}
const argumentsOf = (name: string): readonly number[] => harmless[name] ?? [0, 0, 0, 0, 0, 0]

/** Makes one call after another and says at once of each that it returned. */
const callAll = `
def main(input):
    return {name: call(number, *arguments) for name, number, arguments in input}
`

describe('system calls of the killed list', () => {
  const names = here(seccompProfile.kill)

  test('end the process at once, each of them, and the outcome says so', async () => {
    const outcomes = await Promise.all(
      names.map(async (name) => ({
        name,
        outcome: await run(sandbox, 'python', callAll, { input: [[name, numberOf(name), argumentsOf(name)]] }),
      })),
    )
    const wrong = outcomes.filter(({ outcome }) => outcome.status !== 'killed' || outcome.reason !== 'filter')
    expect(wrong.map(({ name, outcome }) => `${name}: ${outcome.status}`)).toEqual([])
    expect(outcomes.length).toBeGreaterThan(80)
  })

  test('would all return if the filter were off', async () => {
    const [outcome] = await runUnfiltered([
      specOf(
        'python',
        callAll,
        names.map((name) => [name, numberOf(name), argumentsOf(name)]),
      ),
    ])
    if (outcome === undefined) throw new Error('no outcome')
    expect(Object.keys(answerOf(outcome))).toEqual(names)
  })
})

describe('system calls that are answered with an error', () => {
  test('get the error that the list gives them, and allowed ones work', async () => {
    const listed = here(Object.keys(seccompProfile.errno))
    const answers = await probe(
      sandbox,
      'python',
      callAll,
      listed.map((name) => [name, numberOf(name), [0, 0, 0, 0, 0, 0]]),
    )
    expect(answers).toEqual(Object.fromEntries(listed.map((name) => [name, seccompProfile.errno[name]])))
    const allowed = ['getpid', 'getuid', 'sched_yield', 'gettid']
    expect(
      await probe(
        sandbox,
        'python',
        callAll,
        allowed.map((name) => [name, numberOf(name), []]),
      ),
    ).toEqual(Object.fromEntries(allowed.map((name) => [name, 'done'])))
  })

  test('include every number that is in no list', async () => {
    // 335 and 336 are the kernel's own return paths of probes: it answers them with SIGILL before any filter is asked.
    const listed = new Set([...numbers.values(), 335, 336])
    const unlisted = Array.from({ length: 600 }, (_, number) => number).filter((number) => !listed.has(number))
    const answers = await probe(
      sandbox,
      'python',
      callAll,
      unlisted.map((number) => [String(number), number, [0, 0, 0, 0, 0, 0]]),
    )
    const wrong = unlisted.filter((number) => answers[String(number)] !== (number < 424 ? 'EPERM' : 'ENOSYS'))
    expect(wrong).toEqual([])
  })
})

const sigchld = 17
const namespaceFlags = {
  mount: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
}

describe('after the start of the runtime', () => {
  const python = `
def main(input):
    null = ctypes.c_void_p(0)
    path = ctypes.create_string_buffer(b'/usr/bin/python3.11')
    arguments = (ctypes.c_char_p * 4)(b'python3', b'-c', b'print("EXECUTED")', None)
    result = {}
    for name, flags in input['clones'].items():
        child = call(input['clone'], flags, null, null, null, null)
        result[name] = child
    if input.get('fork'):
        child = libc.fork()
        if child == 0: os._exit(0)
        if child > 0: os.waitpid(child, 0)
        result['fork'] = 'done' if child > 0 else name_of_errno()
    result['execve'] = call(input['execve'], path, arguments, null)
    result['execveat'] = call(input['execveat'], -100, path, arguments, null, 0)
    return result

def name_of_errno():
    return name(ctypes.get_errno())
`
  const input = {
    clone: numberOf('clone'),
    execve: numberOf('execve'),
    execveat: numberOf('execveat'),
    clones: {
      process: sigchld,
      vfork: sigchld | 0x4100,
      ...Object.fromEntries(
        Object.entries(namespaceFlags).map(([name, flag]) => [
          `thread in a new ${name} namespace`,
          flag | 0x10900 | 0x100,
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(namespaceFlags).map(([name, flag]) => [`process in a new ${name} namespace`, flag | sigchld]),
      ),
    },
    fork: true,
  }

  test('Python can start no process, enter no namespace and execute no program', async () => {
    const answers = await probe(sandbox, 'python', python, input)
    expect(new Set(Object.values(answers))).toEqual(new Set(['EPERM']))
    expect(Object.keys(answers)).toHaveLength(19)
  })

  test('Python could do so if the filter were off', async () => {
    const [outcome] = await runUnfiltered([specOf('python', python, { ...input, clones: {} })])
    expect(outcome).toMatchObject({ status: 'exception', kind: 'ProcessExit', stdout: 'EXECUTED\n' })
  })

  const typescript = `
const text = (value: string) => ptr(Buffer.from(value + '\\0'))
const words = (...values: number[]) => ptr(BigUint64Array.from(values.map(BigInt)))
export const main = (input: { clone: number; execve: number; execveat: number; clones: Record<string, number> }) => {
  const args = [text('bun'), text('-e'), text('console.log("EXECUTED")')]
  const result: Record<string, string> = {}
  for (const [name, flags] of Object.entries(input.clones)) result[name] = call(input.clone, flags)
  result.execve = call(input.execve, text('/usr/bin/bun'), words(...args, 0), words(text('BUN_BE_BUN=1'), 0))
  result.execveat = call(input.execveat, -100, text('/usr/bin/bun'), words(...args, 0), words(0), 0)
  return result
}`

  test('TypeScript can start no process, enter no namespace and execute no program', async () => {
    const answers = await probe(sandbox, 'typescript', typescript, input)
    expect(new Set(Object.values(answers))).toEqual(new Set(['refused']))
    expect(Object.keys(answers)).toHaveLength(18)
    const spawn = `
import { spawnSync } from 'node:child_process'
export const main = () => ({ node: spawnSync(process.execPath, ['-e', '0']).error?.code ?? 'done', bun: attempt(() => Bun.spawnSync([process.execPath, '-e', '0'])) })`
    expect(await probe(sandbox, 'typescript', spawn)).toEqual({ node: 'EPERM', bun: 'EPERM' })
  })

  test('TypeScript could do so if the filter were off', async () => {
    const [outcome] = await runUnfiltered([specOf('typescript', typescript, { ...input, clones: {} })])
    expect(outcome).toMatchObject({ status: 'exception', kind: 'ProcessExit', stdout: 'EXECUTED\n' })
  })

  test('threads of both runtimes are under the filter as well', async () => {
    const pythonThread = `
import threading
def main(input):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(call(input['execve'], ctypes.create_string_buffer(b'/usr/bin/python3.11'), None, None)))
    thread.start()
    thread.join()
    return {'execve': answers[0]}
`
    expect(await probe(sandbox, 'python', pythonThread, input)).toEqual({ execve: 'EPERM' })
    const worker = `
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
if (!isMainThread) parentPort?.postMessage({ execve: call(workerData as number, ptr(Buffer.from('/usr/bin/bun\\0')), 0, 0) })
export const main = async (input: { execve: number }) => await new Promise((resolve) => new Worker('/fn/main.ts', { workerData: input.execve }).on('message', resolve))`
    expect(await probe(sandbox, 'typescript', worker, input)).toEqual({ execve: 'refused' })
  })

  test('the filter cannot be replaced and no_new_privs cannot be taken back', async () => {
    const code = `
def main(_):
    PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_DUMPABLE, PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_CAP_AMBIENT = 38, 39, 22, 4, 1, 24, 47
    return {
        'unset no_new_privs': attempt(lambda: None if libc.prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 else throw()),
        'no_new_privs': str(libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)),
        'strict': attempt(lambda: None if libc.prctl(PR_SET_SECCOMP, 1, 0, 0, 0) == 0 else throw()),
        'death signal': attempt(lambda: None if libc.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0 else throw()),
        'dumpable': attempt(lambda: None if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 else throw()),
        'ambient': attempt(lambda: None if libc.prctl(PR_CAP_AMBIENT, 2, 0, 0, 0) == 0 else throw()),
    }
def throw():
    raise OSError(ctypes.get_errno(), '')
`
    expect(await probe(sandbox, 'python', code)).toEqual({
      'unset no_new_privs': 'EINVAL',
      no_new_privs: '1',
      strict: 'EINVAL',
      'death signal': 'EINVAL',
      dumpable: 'EINVAL',
      ambient: 'EINVAL',
    })
  })

  test('Python gets no memory that is both written and executed', async () => {
    const code = `
import mmap
def main(input):
    return {'anonymous': attempt(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) and None),
            'later': call(input['mprotect'], 0, 4096, 5), 'plain': attempt(lambda: mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) and None)}
`
    expect(await probe(sandbox, 'python', code, { mprotect: numberOf('mprotect') })).toEqual({
      anonymous: 'EPERM',
      later: 'EPERM',
      plain: 'done',
    })
    const [outcome] = await runUnfiltered([specOf('python', code, { mprotect: numberOf('mprotect') })])
    if (outcome === undefined) throw new Error('no outcome')
    expect(answerOf(outcome)).toMatchObject({ anonymous: 'done' })
  })

  test('Python gets no larger socket buffers: they are memory of the kernel, beyond what a function may have', async () => {
    const code = `
import socket
def main(_):
    one, other = socket.socketpair()
    with one, other:
        found = {name: attempt(lambda: one.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value))
                 for name, value in {'SO_SNDBUF': 1 << 30, 'SO_RCVBUF': 1 << 30, 'SO_KEEPALIVE': 1}.items()}
        one.setblocking(False)
        held = 0
        try:
            while True: held += one.send(b'x')
        except BlockingIOError:
            return {**found, 'held': str(held)}
`
    const inside = await probe(sandbox, 'python', code)
    expect(inside).toMatchObject({ SO_SNDBUF: 'EPERM', SO_RCVBUF: 'EPERM', SO_KEEPALIVE: 'done' })
    const [outcome] = await runUnfiltered([specOf('python', code)])
    if (outcome === undefined) throw new Error('no outcome')
    const unbound = answerOf(outcome)
    expect(unbound).toMatchObject({ SO_SNDBUF: 'done', SO_RCVBUF: 'done' })
    expect(Number(unbound['held'])).toBeGreaterThan(Number(inside['held']))
  })

  // oxlint-disable-next-line mcpworks/no-conditional-test -- other processors have neither of these conventions
  test.runIf(process.arch === 'x64')('calls of the x32 and of the 32-bit convention kill', async () => {
    const x32 = await run(sandbox, 'python', callAll, { input: [['getpid', 0x40000000 + numberOf('getpid'), []]] })
    expect(x32).toMatchObject({ status: 'killed', reason: 'filter' })
    // mov eax, 20 (getpid); int 0x80; ret
    const int80 = `
import { CFunction, toBuffer } from 'bun:ffi'
const mapped = dlopen('libc.so.6', { mmap: { args: ['i64', 'i64', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' } }).symbols
export const main = () => {
  const page = mapped.mmap(0, 4096, 7, 0x22, -1, 0)
  toBuffer(page, 0, 4096).set([0xb8, 0x14, 0, 0, 0, 0xcd, 0x80, 0xc3])
  return { pid: CFunction({ ptr: page, args: [], returns: 'i32' })() }
}`
    // Where the kernel has no 32-bit calls, the instruction itself is a fault.
    const outcome = await run(sandbox, 'typescript', int80)
    expect(outcome.status).toBe('killed')
    const [control] = await runUnfiltered([
      specOf(
        'typescript',
        int80.replace('[0xb8, 0x14, 0, 0, 0, 0xcd, 0x80, 0xc3]', '[0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3]'),
      ),
    ])
    if (control === undefined) throw new Error('no outcome')
    expect(answerOf(control)).toEqual({ pid: 1 })
  })
})
