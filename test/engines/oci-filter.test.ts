import { describe, expect, test } from 'vitest'
import { architectures } from '../../src/sandbox/profile/architecture.ts'
import { seccompProfile } from '../../src/sandbox/profile/seccomp-profile.ts'
import unlistedCalls from '../../src/sandbox/profile/unlisted-calls.json' with { type: 'json' }
import { answerOf, runUnfiltered, specOf } from '../attacks/sandbox/hosted-code.ts'

const architecture = architectures.get(process.arch)
if (architecture === undefined) throw new Error(process.arch)
const { numbers } = architecture
const unlisted = new Map(Object.entries<number>(unlistedCalls[architecture.name]))

type Call = readonly [label: string, number: number, args: readonly number[]]
const zeros = [0, 0, 0, 0, 0, 0]
const numberOf = (name: string): number => {
  const number = numbers.get(name)
  if (number === undefined) throw new Error(`${name} has no number here`)
  return number
}

const { start } = seccompProfile.profiles
const allowed = new Set([...seccompProfile.allow, ...start.allow])
const conditional = new Set([...Object.keys(seccompProfile.args), ...Object.keys(start.args)])
const passed = new Set([...allowed, ...conditional, ...seccompProfile.kill].map((name) => numbers.get(name)))
/** Numbers that the kernel answers itself before it asks a filter. */
const probes = new Set([335, 336])
/** Every call that the filter refuses whatever its arguments are, and every number that no call has. */
const refused: readonly Call[] = Array.from({ length: 600 }, (_, number) => number)
  .filter((number) => !passed.has(number) && !probes.has(number))
  .map((number) => [String(number), number, zeros])
/** Calls just outside and just inside their conditions, harmless where they go through. */
const atBounds: readonly Call[] = [
  ['clone of a process', numberOf('clone'), [17]],
  ['ioctl TIOCSTI', numberOf('ioctl'), [1, 0x5412]],
  ['ioctl FIONREAD', numberOf('ioctl'), [99, 0x541b]],
  ['ioctl FIONREAD with a high half', numberOf('ioctl'), [99, 0x1_0000_541b]],
  ['fcntl F_SETOWN', numberOf('fcntl'), [99, 8]],
  ['fcntl F_GETFL', numberOf('fcntl'), [99, 3]],
  ['madvise MADV_MERGEABLE', numberOf('madvise'), [0, 0, 12]],
  ['madvise MADV_NORMAL', numberOf('madvise'), [0, 0, 0]],
  ['prctl PR_SET_DUMPABLE', numberOf('prctl'), [4, 1]],
  ['prctl PR_GET_NO_NEW_PRIVS', numberOf('prctl'), [39, 0, 0, 0, 0]],
  ['socketpair of the internet', numberOf('socketpair'), [2, 1, 0]],
  ['socketpair of datagrams', numberOf('socketpair'), [1, 2, 0]],
  ['sendto with an address', numberOf('sendto'), [99, 0, 0, 0, 8]],
  ['sendto without', numberOf('sendto'), [99, 0, 0, 0, 0]],
  ['setsockopt of IP', numberOf('setsockopt'), [99, 0, 7]],
  ['setsockopt SO_SNDBUF', numberOf('setsockopt'), [99, 1, 7]],
  ['setsockopt SO_KEEPALIVE', numberOf('setsockopt'), [99, 1, 9]],
  ['mmap MAP_LOCKED', numberOf('mmap'), [0, 4096, 0, 0x2022, -1, 0]],
  ['seccomp strict', numberOf('seccomp'), [0, 0, 0]],
]
const allowedCalls: readonly Call[] = ['getpid', 'getuid', 'sched_yield', 'gettid'].map((name) => [
  name,
  numberOf(name),
  zeros,
])
const killed = ['ptrace', 'mount', 'unshare', 'bpf', 'keyctl', 'io_submit']
const code = `
def main(input):
    return {name: call(number, *arguments) for name, number, arguments in input}
`

/** What each engine's own filter answers, where the runner's allows everything. */
async function answersOf(engine: string): Promise<{ answers: Record<string, unknown>; ends: string[] }> {
  const specs = [
    specOf('python', code, [...refused, ...atBounds, ...allowedCalls]),
    ...killed.map((name) => specOf('python', code, [[name, numberOf(name), zeros]])),
  ]
  const [first, ...rest] = await runUnfiltered(specs, { engine }, 'start')
  if (first === undefined) throw new Error('no outcome')
  const ends = rest.map((outcome) => (outcome.status === 'killed' ? outcome.reason : outcome.status))
  return { answers: answerOf(first), ends }
}

/** A refusal by condition is told by another error, and a number that no call has by the kernel's own. */
function asOci(label: string, answer: unknown): unknown {
  const number = Number(label)
  if (Number.isInteger(number)) {
    const isNamed = [...numbers.values(), ...unlisted.values()].includes(number)
    return isNamed || number >= 424 ? answer : 'ENOSYS'
  }
  return ['EPERM', 'EACCES', 'EINVAL'].includes(String(answer)) ? 'ENOSYS' : answer
}

describe('the filter that an OCI runtime makes of the profile', () => {
  test.each(['crun', 'runc'])('answers as the one of bubblewrap does, call by call (%s)', async (engine) => {
    const [own, bubblewrap] = await Promise.all([answersOf(engine), answersOf('bubblewrap')])
    const expected = Object.entries(bubblewrap.answers).map(([label, answer]) => [label, asOci(label, answer)])
    expect(own.answers).toEqual(Object.fromEntries(expected))
    expect(Object.keys(own.answers).length).toBeGreaterThan(300)
    expect(new Set(Object.values(own.answers))).toContain('EACCES')
    for (const { ends } of [own, bubblewrap]) expect(ends).toEqual(killed.map(() => 'filter'))
  })

  test('is needed: without it the same calls get through', async () => {
    const [outcome] = await runUnfiltered([specOf('python', code, atBounds.slice(0, 10))], { engine: 'crun' })
    if (outcome === undefined) throw new Error('no outcome')
    expect(answerOf(outcome)).toMatchObject({ 'prctl PR_SET_DUMPABLE': 'done', 'ioctl TIOCSTI': 'ENOTTY' })
  })
})
