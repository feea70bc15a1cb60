import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { argumentsAround } from '../../../test/support/arguments-around.ts'
import { runBpf } from '../../../test/support/run-bpf.ts'
import { runOciSeccomp } from '../../../test/support/run-oci-seccomp.ts'
import { architectures, type Architecture } from './architecture.ts'
import { callRules, firstProbedNumber } from './call-rules.ts'
import { compileSeccomp } from './compile-seccomp.ts'
import { seccompProfile, type FilterName } from './seccomp-profile.ts'
import { toOciSeccomp } from './to-oci-seccomp.ts'
import unlistedCalls from './unlisted-calls.json' with { type: 'json' }

const known = new Set([...architectures.values()].flatMap((each) => [...each.numbers.keys()]))
const filters: readonly FilterName[] = ['start', 'python', 'bun']
const all = filters.flatMap((filter) =>
  [...architectures.values()].map((architecture) => ({ filter, architecture, name: architecture.name })),
)
const allOnes = (1n << 64n) - 1n
type Answer = (number: number, args?: readonly bigint[]) => string

function namesOf(architecture: Architecture): ReadonlyMap<string, number> {
  return new Map([...architecture.numbers, ...Object.entries<number>(unlistedCalls[architecture.name])])
}

function both(
  filter: FilterName,
  architecture: Architecture,
  refusals: 'exact' | 'default',
): { oci: Answer; bpf: Answer; entries: number } {
  const program = compileSeccomp(seccompProfile, filter, architecture, known)
  const seccomp = toOciSeccomp(seccompProfile, filter, architecture, known, refusals)
  return {
    oci: runOciSeccomp(seccomp, namesOf(architecture)),
    bpf: (number, args) => runBpf(program, number, args, architecture.auditArch),
    entries: seccomp.syscalls.length,
  }
}

/** Calls by number that have conditions, with the arguments that lie at every boundary of them. */
function conditional(filter: FilterName, architecture: Architecture): (readonly [string, number, bigint[][]])[] {
  return [...callRules(seccompProfile, filter, known)].flatMap(([name, rule]) => {
    const number = architecture.numbers.get(name)
    if (rule.answer !== 'by-arguments' || number === undefined) return []
    return [[name, number, argumentsAround(rule.rule)] as const]
  })
}

describe('the OCI filter', () => {
  test.each(all)(
    'answers every call that has a name, and every number from 424 up, as the BPF does ($filter, $name)',
    ({ filter, architecture }) => {
      const { oci, bpf } = both(filter, architecture, 'exact')
      const named = new Set(namesOf(architecture).values())
      const answers = new Set<string>()
      for (let number = 0; number < 1024; number += 1) {
        for (const args of [[], Array.from({ length: 6 }, () => allOnes)]) {
          const expected = named.has(number) || number >= firstProbedNumber ? bpf(number, args) : 'ENOSYS'
          expect(`${String(number)} ${oci(number, args)}`).toBe(`${String(number)} ${expected}`)
          answers.add(expected)
        }
      }
      expect([...answers].toSorted()).toEqual([
        'EACCES',
        'EINVAL',
        'ENOSYS',
        'ENOTSUP',
        'EPERM',
        'allow',
        'done',
        'kill',
      ])
    },
  )

  test('differs only at numbers that no call has: on x86-64 those from 335 to 423', () => {
    const x64 = architectures.get('x64')
    if (x64 === undefined) throw new Error('x64')
    const named = new Set(namesOf(x64).values())
    const unnamed = Array.from({ length: firstProbedNumber }, (_, number) => number).filter((each) => !named.has(each))
    expect([unnamed[0], unnamed.at(-1), unnamed.length]).toEqual([335, 423, 89])
  })

  test.each(all)('looks at arguments as the BPF does ($filter, $name)', ({ filter, architecture }) => {
    const { oci, bpf } = both(filter, architecture, 'exact')
    let compared = 0
    for (const [name, number, around] of conditional(filter, architecture)) {
      for (const args of around) {
        expect({ name, args, answer: oci(number, args) }).toEqual({ name, args, answer: bpf(number, args) })
        compared += 1
      }
    }
    expect(compared).toBeGreaterThan(5000)
  })

  test.each(all)('answers arbitrary calls as the BPF does ($filter, $name)', ({ filter, architecture }) => {
    const { oci, bpf } = both(filter, architecture, 'exact')
    const word = fc.oneof(fc.bigInt({ min: 0n, max: allOnes }), fc.bigInt({ min: 0n, max: 63n }))
    const number = fc.constantFrom(...namesOf(architecture).values())
    fc.assert(
      fc.property(number, fc.array(word, { minLength: 6, maxLength: 6 }), (each, args) => {
        expect(oci(each, args)).toBe(bpf(each, args))
      }),
      { numRuns: 2000 },
    )
  })

  test.each(all)(
    'without the list of what is refused still refuses it, by another error, and is short ($filter, $name)',
    ({ filter, architecture }) => {
      const { oci, bpf, entries } = both(filter, architecture, 'default')
      const kind = (answer: string): string => (answer === 'allow' || answer === 'kill' ? answer : 'refused')
      for (const [name, number, around] of conditional(filter, architecture)) {
        for (const args of around)
          expect({ name, args, is: kind(oci(number, args)) }).toEqual({ name, args, is: kind(bpf(number, args)) })
      }
      const named = [...namesOf(architecture)].filter(([name]) => known.has(name))
      const withConditions = new Set(conditional(filter, architecture).map(([name]) => name))
      for (const [name, number] of named)
        if (!withConditions.has(name)) expect([name, oci(number)]).toEqual([name, bpf(number)])
      expect(entries).toBeLessThan(90)
    },
  )

  test('would be found to differ if one value were another', () => {
    const x64 = architectures.get('x64')
    if (x64 === undefined) throw new Error('x64')
    const seccomp = toOciSeccomp(seccompProfile, 'start', x64, known, 'exact')
    const changed = JSON.parse(
      JSON.stringify(seccomp).replace('"valueTwo":66816', '"valueTwo":65536'),
    ) as typeof seccomp
    const { oci, bpf } = both('start', x64, 'exact')
    expect(oci(56, [0x3d0f00n])).toBe(bpf(56, [0x3d0f00n]))
    expect(runOciSeccomp(changed, x64.numbers)(56, [0x3d0f00n])).not.toBe(bpf(56, [0x3d0f00n]))
  })
})
