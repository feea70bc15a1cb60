import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { architectures } from '../../src/sandbox/profile/architecture.ts'
import { callRules } from '../../src/sandbox/profile/call-rules.ts'
import { compileSeccomp } from '../../src/sandbox/profile/compile-seccomp.ts'
import { seccompProfile } from '../../src/sandbox/profile/seccomp-profile.ts'
import { argumentsAround } from '../support/arguments-around.ts'
import { runBpf } from '../support/run-bpf.ts'
import { PlannedJails, pythonCommand, type PlanEnd } from './planned-jails.ts'

const allOnes = (1n << 64n) - 1n
const asRoot = process.getuid?.() === 0
const found = architectures.get(process.arch)
if (found === undefined) throw new Error(process.arch)
const architecture = found
const known = new Set([...architectures.values()].flatMap((each) => [...each.numbers.keys()]))
const ours = compileSeccomp(seccompProfile, 'start', architecture, known)

/** Says that it runs, then waits for the end of its channel. */
const waiting = pythonCommand('import os\nos.write(1, b"up")\nos.read(3, 1)')

/** Takes the filters of a process out of the kernel, as hexadecimal lines, the oldest first (ptrace(2), PTRACE_SECCOMP_GET_FILTER). */
const filterReader = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_void_p]
seize, interrupt, get_filter = 0x4206, 0x4207, 0x420c
pid = int(sys.argv[1])
if libc.ptrace(seize, pid, 0, None) != 0: raise OSError(ctypes.get_errno(), 'seize')
if libc.ptrace(interrupt, pid, 0, None) != 0: raise OSError(ctypes.get_errno(), 'interrupt')
os.waitpid(pid, 0x40000000)
index = 0
while True:
    length = libc.ptrace(get_filter, pid, index, None)
    if length < 0: break
    program = ctypes.create_string_buffer(length * 8)
    libc.ptrace(get_filter, pid, index, program)
    print(program.raw.hex())
    index += 1
`

/**
 * Makes every call from a number on with -1 for each argument, which is nothing that exists, and tells what came back, until one ends the
 * process. Left out: what does not come back or throws away the stack, whatever the filter says.
 */
const prober = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
first, skipped = int(sys.argv[1]), set(map(int, sys.argv[2].split(',')))
for number in range(first, 480):
    if number in skipped: continue
    os.write(1, ('%d ' % number).encode())
    ctypes.set_errno(0)
    failed = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6) == -1
    os.write(1, ('%s\\n' % (ctypes.get_errno() if failed else 'done')).encode())
`

let jails: PlannedJails

beforeAll(() => {
  jails = new PlannedJails()
})

afterAll(async () => {
  await jails.close()
})

// oxlint-disable-next-line mcpworks/no-conditional-test -- only root may take a filter out of the kernel
describe.runIf(asRoot)('the filter that the kernel got from nsjail', () => {
  test('is one, and answers every call and every boundary as ours does', async () => {
    jails.order({ changes: { command: waiting } })
    let pid = 0
    for (let said = await jails.next(); said.said !== 'output'; said = await jails.next())
      if (said.said === 'pid') pid = said.pid ?? 0
    const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-I', '-c', filterReader, String(pid)])
    process.kill(pid, 'SIGKILL')
    while ((await jails.next()).said !== 'ended');
    const filters = stdout.trim().split('\n')
    expect(filters).toHaveLength(1)
    const theirs = Buffer.from(filters[0] ?? '', 'hex')
    const answer = (program: Uint8Array, number: number, args: bigint[]): string =>
      runBpf(program, number, args, architecture.auditArch)
    for (let number = 0; number < 1024; number += 1)
      for (const args of [[], Array.from({ length: 6 }, () => allOnes)])
        expect(`${String(number)} ${answer(theirs, number, args)}`).toBe(
          `${String(number)} ${answer(ours, number, args)}`,
        )
    let compared = 0
    for (const [name, rule] of callRules(seccompProfile, 'start', known)) {
      const number = architecture.numbers.get(name)
      if (rule.answer !== 'by-arguments' || number === undefined) continue
      for (const args of argumentsAround(rule.rule)) {
        expect({ name, args, answer: answer(theirs, number, args) }).toEqual({
          name,
          args,
          answer: answer(ours, number, args),
        })
        compared += 1
      }
    }
    expect(compared).toBeGreaterThan(5000)
    const foreign = architecture.name === 'x86_64' ? 0x40000003 : 0xc000003e
    // Of a process with one thread, killing the thread is killing the process.
    expect(['kill', '0']).toContain(runBpf(theirs, 0, [], foreign))
  })
})

describe('calls in a jail of nsjail', () => {
  const skippedNames = ['exit', 'exit_group', 'rt_sigreturn', 'pause', 'rt_sigsuspend', 'alarm', 'nanosleep']
  const skipped = skippedNames.flatMap((name) => architecture.numbers.get(name) ?? [])

  /** What each call answers: an error number, `done`, or how the process ended. */
  async function answers(engine: 'nsjail' | 'bubblewrap'): Promise<Map<number, string>> {
    const all = new Map<number, string>()
    for (let first = 0; first < 480;) {
      const args = [String(first), skipped.join(',')]
      const end: PlanEnd = await jails.run({ engine, changes: { command: [...pythonCommand(prober), ...args] } })
      let last = first
      for (const line of end.stdout.split('\n').filter((each) => each !== '')) {
        const [number = '', answer = ''] = line.split(' ')
        last = Number(number)
        all.set(last, answer === '' ? `ended with ${String(end.exitCode)}` : answer)
      }
      if (end.exitCode === 0) break
      if (end.stdout === '') throw new Error(`no call was made from ${args[0] ?? ''} on: ${JSON.stringify(end)}`)
      first = last + 1
    }
    return all
  }

  test('get the same answers as under bubblewrap with the raw filter, one by one', async () => {
    const [nsjail, bubblewrap] = [await answers('nsjail'), await answers('bubblewrap')]
    expect([...nsjail].filter(([number, answer]) => bubblewrap.get(number) !== answer)).toEqual([])
    expect(nsjail.size).toBe(480 - skipped.length)
    expect([...nsjail.values()].filter((answer) => answer === 'ended with 159').length).toBeGreaterThan(80)
  })
})
