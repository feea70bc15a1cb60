import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { argumentsAround } from '../../../test/support/arguments-around.ts'
import { runBpf } from '../../../test/support/run-bpf.ts'
import { readKafel } from '../../../test/support/run-kafel.ts'
import { architectures, type Architecture } from './architecture.ts'
import { callRules } from './call-rules.ts'
import { compileSeccomp } from './compile-seccomp.ts'
import { seccompProfile, type FilterName } from './seccomp-profile.ts'
import { kafelPolicy } from './to-kafel.ts'

const known = new Set([...architectures.values()].flatMap((each) => [...each.numbers.keys()]))
const filters: readonly FilterName[] = ['start', 'python', 'bun']
const all = filters.flatMap((filter) =>
  [...architectures.values()].map((architecture) => ({ filter, architecture, name: architecture.name })),
)
const allOnes = (1n << 64n) - 1n

function both(
  filter: FilterName,
  architecture: Architecture,
): { kafel: (number: number, args?: bigint[]) => string; bpf: (number: number, args?: bigint[]) => string } {
  const program = compileSeccomp(seccompProfile, filter, architecture, known)
  const policy = readKafel(kafelPolicy(seccompProfile, filter, architecture, known))
  return { kafel: policy.answer, bpf: (number, args) => runBpf(program, number, args, architecture.auditArch) }
}

describe('the kafel policy', () => {
  test.each(all)('answers every call as the BPF does ($filter, $name)', ({ filter, architecture }) => {
    const { kafel, bpf } = both(filter, architecture)
    const answers = new Set<string>()
    for (let number = 0; number < 1024; number += 1) {
      for (const args of [[], Array.from({ length: 6 }, () => allOnes)]) {
        expect(`${String(number)} ${kafel(number, args)}`).toBe(`${String(number)} ${bpf(number, args)}`)
        answers.add(bpf(number, args))
      }
    }
    expect([...answers].toSorted()).toEqual(['EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EPERM', 'allow', 'done', 'kill'])
  })

  test.each(all)('looks at arguments as the BPF does ($filter, $name)', ({ filter, architecture }) => {
    const { kafel, bpf } = both(filter, architecture)
    let compared = 0
    const allowed = new Set<string>()
    for (const [name, rule] of callRules(seccompProfile, filter, known)) {
      const number = architecture.numbers.get(name)
      if (rule.answer !== 'by-arguments' || number === undefined) continue
      for (const args of argumentsAround(rule.rule)) {
        const expected = bpf(number, args)
        expect({ name, args, answer: kafel(number, args) }).toEqual({ name, args, answer: expected })
        if (expected === 'allow') allowed.add(name)
        compared += 1
      }
    }
    expect(compared).toBeGreaterThan(5000)
    expect(allowed.size).toBeGreaterThan(9)
  })

  test.each(all)('answers arbitrary calls as the BPF does ($filter, $name)', ({ filter, architecture }) => {
    const { kafel, bpf } = both(filter, architecture)
    const word = fc.oneof(fc.bigInt({ min: 0n, max: allOnes }), fc.bigInt({ min: 0n, max: 63n }))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1023 }), fc.array(word, { minLength: 6, maxLength: 6 }), (number, args) => {
        expect(kafel(number, args)).toBe(bpf(number, args))
      }),
      { numRuns: 2000 },
    )
  })

  test('kills x32 calls on x86-64; above all real numbers it kills there and says ENOSYS elsewhere', () => {
    const [x64, arm64] = ['x64', 'arm64'].map((name) => architectures.get(name))
    if (x64 === undefined || arm64 === undefined) throw new Error('an architecture is missing')
    const [intel, arm] = [both('start', x64), both('start', arm64)]
    for (const number of [0x40000000, 0x40000001, 0x400003ff, 0x7fffffff]) {
      expect(intel.kafel(number)).toBe('kill')
      expect(intel.bpf(number)).toBe('kill')
    }
    for (const number of [1024, 4096, 0x3fffffff]) {
      expect([intel.kafel(number), intel.bpf(number)]).toEqual(['kill', 'ENOSYS'])
      expect([arm.kafel(number), arm.bpf(number)]).toEqual(['ENOSYS', 'ENOSYS'])
    }
  })

  test('would be found to differ if one value were another', () => {
    const x64 = architectures.get('x64')
    if (x64 === undefined) throw new Error('x64')
    const { bpf } = both('start', x64)
    const text = kafelPolicy(seccompProfile, 'start', x64, known)
    const changed = readKafel(text.replace('(a & 2122556672) == 66816', '(a & 2122556672) == 66817'))
    expect(changed.answer(56, [0x3d0f00n])).not.toBe(bpf(56, [0x3d0f00n]))
    expect(readKafel(text).answer(56, [0x3d0f00n])).toBe(bpf(56, [0x3d0f00n]))
  })
})
