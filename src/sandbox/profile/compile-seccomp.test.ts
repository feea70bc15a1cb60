import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runBpf } from '../../../test/support/run-bpf.ts'
import { architectures, type Architecture } from './architecture.ts'
import { compileSeccomp } from './compile-seccomp.ts'
import { seccompProfile, type FilterName, type SeccompProfile } from './seccomp-profile.ts'

const known = new Set([...architectures.values()].flatMap((each) => [...each.numbers.keys()]))
const filters: readonly FilterName[] = ['start', 'python', 'bun']
const all = filters.flatMap((filter) =>
  [...architectures.values()].map((architecture) => ({ filter, architecture, name: architecture.name })),
)
const x64 = named('x64')
const arm64 = named('arm64')

function named(arch: string): Architecture {
  const found = architectures.get(arch)
  if (found === undefined) throw new Error(arch)
  return found
}

function compiled(
  filter: FilterName,
  architecture: Architecture,
  profile: SeccompProfile = seccompProfile,
): Uint8Array {
  return compileSeccomp(profile, filter, architecture, known)
}

function verdict(
  name: string,
  args: readonly (bigint | number)[],
  filter: FilterName = 'bun',
  architecture = x64,
): string {
  const number = architecture.numbers.get(name)
  if (number === undefined) throw new Error(`${name} has no number`)
  return runBpf(compiled(filter, architecture), number, args.map(BigInt), architecture.auditArch)
}

describe('the compiled system-call filter', () => {
  test.each(all)(
    'gives every call without argument checks the answer that the list gives it ($filter, $name)',
    ({ filter, architecture }) => {
      const layer = seccompProfile.profiles[filter]
      const program = compiled(filter, architecture)
      const expected = new Map<string, string>()
      for (const name of seccompProfile.allow) expected.set(name, 'allow')
      for (const name of seccompProfile.kill) expected.set(name, 'kill')
      for (const name of seccompProfile.done.calls) expected.set(name, 'done')
      for (const [name, errno] of Object.entries(seccompProfile.errno)) expected.set(name, errno)
      for (const name of layer.allow) expected.set(name, 'allow')
      for (const name of [
        ...Object.keys(seccompProfile.args).filter((each) => !layer.allow.includes(each)),
        ...Object.keys(layer.args),
      ])
        expected.delete(name)
      const wrong = [...expected].filter(([name, answer]) => {
        const number = architecture.numbers.get(name)
        return number !== undefined && runBpf(program, number, [], architecture.auditArch) !== answer
      })
      expect(wrong).toEqual([])
      expect(expected.size).toBeGreaterThan(270)
    },
  )

  test.each(all)('refuses every number that the list does not name ($filter, $name)', ({ filter, architecture }) => {
    const program = compiled(filter, architecture)
    const numbers = new Set(architecture.numbers.values())
    for (let number = 0; number < 1000; number += 1) {
      if (numbers.has(number)) continue
      expect(runBpf(program, number, [], architecture.auditArch)).toBe(number < 424 ? 'EPERM' : 'ENOSYS')
    }
  })

  test('kills calls of another architecture and of the x32 convention, whatever the number', () => {
    const program = compiled('python', x64)
    const [i386, aarch64] = [0x40000003, arm64.auditArch]
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x3fffffff }), (number) => {
        expect(runBpf(program, number, [], i386)).toBe('kill')
        expect(runBpf(program, number, [], aarch64)).toBe('kill')
        expect(runBpf(program, number + 0x40000000)).toBe('kill')
        expect(runBpf(program, number + 0x80000000)).toBe('kill')
      }),
    )
  })

  test('lets clone make threads and nothing else', () => {
    const thread = 0x3d0f00
    expect(verdict('clone', [thread])).toBe('allow')
    const namespaces = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]
    for (const flag of namespaces) expect(verdict('clone', [thread | flag])).toBe('EPERM')
    expect(verdict('clone', [17])).toBe('EPERM')
    expect(verdict('clone3', [0])).toBe('ENOSYS')
  })

  test('looks at both halves of a 64-bit pointer that must be null', () => {
    expect(verdict('sendto', [3, 1, 1, 0, 0])).toBe('allow')
    expect(verdict('sendto', [3, 1, 1, 0, 1])).toBe('EACCES')
    expect(verdict('sendto', [3, 1, 1, 0, 1n << 32n])).toBe('EACCES')
    expect(verdict('prlimit64', [0, 7, 1n << 40n])).toBe('EPERM')
  })

  test('allows only unnamed Unix stream pairs', () => {
    expect(verdict('socketpair', [1, 1 | 0o2000000, 0])).toBe('allow')
    expect(verdict('socketpair', [1, 2, 0])).toBe('EACCES')
    expect(verdict('socketpair', [2, 1, 0])).toBe('EACCES')
    expect(verdict('socketpair', [1, 1, 6])).toBe('EACCES')
  })

  test('answers locks as done without making them, and asks who holds one', () => {
    const [get, set, setAndWait, ofDescription] = [5, 6, 7, 37]
    expect(verdict('fcntl', [3, set])).toBe('done')
    expect(verdict('fcntl', [3, setAndWait])).toBe('done')
    expect(verdict('fcntl', [3, get])).toBe('allow')
    expect(verdict('fcntl', [3, ofDescription])).toBe('EINVAL')
    expect(verdict('fsync', [3])).toBe('done')
  })

  test('keeps Python from memory that becomes executable and leaves it to Bun', () => {
    const [write, exec, anonymous, file] = [3, 4, 0x22, 0x2]
    expect(verdict('mmap', [0, 4096, exec, anonymous], 'python')).toBe('EPERM')
    expect(verdict('mmap', [0, 4096, write, anonymous], 'python')).toBe('allow')
    expect(verdict('mmap', [0, 4096, exec | 1, file], 'python')).toBe('allow')
    expect(verdict('mprotect', [0, 4096, exec | 1], 'python')).toBe('EPERM')
    expect(verdict('mmap', [0, 4096, exec | write, anonymous], 'bun')).toBe('allow')
    expect(verdict('mmap', [0, 4096, write, anonymous | 0x40000], 'bun')).toBe('EPERM')
  })

  test('allows one exec and the adding of a filter only in the filter of the start', () => {
    expect(verdict('execve', [0, 0, 0], 'start')).toBe('allow')
    expect(verdict('seccomp', [1, 1, 1], 'start')).toBe('allow')
    expect(verdict('seccomp', [0, 0, 0], 'start')).toBe('EPERM')
    for (const filter of ['python', 'bun'] as const) {
      expect(verdict('execve', [0, 0, 0], filter)).toBe('EPERM')
      expect(verdict('seccomp', [1, 1, 1], filter)).toBe('kill')
      expect(verdict('prctl', [22, 2, 1], filter)).toBe('EINVAL')
    }
  })

  test('refuses a list with a call that exists nowhere, or that is named twice', () => {
    expect(() => compiled('bun', x64, { ...seccompProfile, kill: [...seccompProfile.kill, 'ptracee'] })).toThrow(
      'unknown system call: ptracee',
    )
    expect(() => compiled('bun', x64, { ...seccompProfile, kill: [...seccompProfile.kill, 'read'] })).toThrow(
      'a system call twice: read',
    )
  })

  test('is made from the list that the design shows', () => {
    const file = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
    expect(file('../../../design/seccomp.json')).toBe(file('./seccomp.json'))
  })
})
