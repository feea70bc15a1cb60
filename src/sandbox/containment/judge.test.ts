import { describe, expect, test } from 'vitest'
import type { ContainmentCheck } from './containment-check.ts'
import type { EngineSetting } from './expected-exceptions.ts'
import { judge } from './judge.ts'

const facts = new Map<string, string | number>([
  ['release', '6.1.0'],
  ['size', 4096],
])
const host: EngineSetting = { engine: 'bubblewrap', mode: 'fresh', kernel: 'host', noCgroups: null }
const guest: EngineSetting = { ...host, engine: 'runsc', kernel: 'guest' }
const check: ContainmentCheck = {
  id: 'files.example',
  attempt: 'do something',
  expected: ['EROFS', { pattern: /^EX/, text: 'an EX' }],
  how: 'inside',
  runtime: 'python',
  probe: ['create', '/x'],
  limits: {},
  ownKernel: true,
}

describe('an answer', () => {
  test('holds where it is one that is expected, by text or by pattern', () => {
    expect(judge(check, 'EROFS', facts, host)).toMatchObject({ verdict: 'held', ok: true, group: 'files' })
    expect(judge(check, 'EXDEV', facts, host)).toMatchObject({ verdict: 'held', expected: 'EROFS, or an EX' })
  })

  test('is open where it is any other, is missing, or is the end of the jail', () => {
    for (const answer of ['done', undefined, 'ended: filter', 'EROFS ', ''])
      expect(judge(check, answer, facts, host)).toMatchObject({ verdict: 'open', ok: false })
  })

  test("is emulated where it is that of the engine's own kernel, and only where there was one", () => {
    expect(judge(check, 'done', facts, guest)).toMatchObject({ verdict: 'emulated', ok: true })
    for (const answer of [undefined, 'ended: signal', 'unavailable: no jail', 'malformed answer'])
      expect(judge(check, answer, facts, guest)).toMatchObject({ verdict: 'open', ok: false })
    expect(judge({ ...check, ownKernel: false }, 'done', facts, guest)).toMatchObject({ verdict: 'open', ok: false })
  })

  test('is compared with facts of the host', () => {
    const size = { ...check, expected: ['$size'] }
    expect(judge(size, '4096', facts, host)).toMatchObject({ verdict: 'held', expected: '4096' })
    const another = { ...check, expected: [{ not: '$release', text: 'another' }] }
    expect(judge(another, '6.1.0', facts, host).verdict).toBe('open')
    expect(judge(another, '4.4.0', facts, host).verdict).toBe('held')
    expect(judge(another, 'ended: filter', facts, host).verdict).toBe('open')
    expect(() => judge({ ...check, expected: ['$nothing'] }, 'x', facts, host)).toThrow(
      'no fact of the host is called nothing',
    )
  })

  test('that does not apply is no pass and no failure', () => {
    expect(judge(check, { notApplicable: 'there is none' }, facts, host)).toMatchObject({
      verdict: 'not applicable',
      ok: true,
      note: 'there is none',
    })
  })

  test('that is a known exception is no failure, and one that no longer occurs is', () => {
    const known = { ...check, id: 'files.scratch-noexec' }
    expect(judge(known, 'nosuid', facts, host)).toMatchObject({ verdict: 'open', ok: true })
    expect(judge(known, 'nosuid', facts, { ...host, engine: 'crun' })).toMatchObject({ verdict: 'open', ok: false })
    const cured = judge(known, 'EROFS', facts, host)
    expect(cured).toMatchObject({ verdict: 'held', ok: false })
    expect(cured.note).toContain('no longer occurs')
  })
})
