import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/kernel/index.ts'
import type { ShadowPolicies, StoredPolicySet } from '../../src/policy/index.ts'
import { implementations, opened } from './implementations.ts'

describe.each(implementations)('the stores of policies on $name', ({ place }) => {
  it('keep policy sets, their activations and why', async () => {
    const where = place()
    const first = await where.open()
    const set = (text: string, at: number, comment: string, namespace = 'demo'): StoredPolicySet => ({
      namespace,
      policySetHash: sha256(text),
      sources: [{ file: 'leads.cedar', text }],
      activatedAtMs: at,
      activatedBy: 'owner',
      comment,
    })
    expect(await first.policies.loadActive()).toEqual([])
    await first.policies.activate(set('one', 1, 'start'))
    await first.policies.activate(set('two', 2, 'tighter'))
    await first.policies.activate(set('one', 3, 'back'))
    await first.policies.activate(set('other', 4, '', 'other'))
    await first.close()
    const { policies } = await opened(where)
    expect(await policies.loadActive()).toEqual([set('one', 3, 'back'), set('other', 4, '', 'other')])
    expect(await policies.find('demo', sha256('two'))).toEqual(set('two', 2, 'tighter'))
    expect(await policies.find('demo', sha256('one'))).toEqual(set('one', 3, 'back'))
    expect(await policies.find('other', sha256('one'))).toBeNull()
    const activations = await policies.listActivations('demo')
    expect(activations.map(({ comment, active }) => ({ comment, active }))).toEqual([
      { comment: 'back', active: true },
      { comment: 'tighter', active: false },
      { comment: 'start', active: false },
    ])
  })

  it('keep one set of shadow policies for each namespace until it is removed', async () => {
    const where = place()
    const shadow = (namespace: string, name: string): ShadowPolicies => ({
      namespace,
      policySetHash: sha256(name),
      sources: [{ file: 'a.cedar', text: name }],
      setAtMs: 1_780_000_000_000,
      setBy: 'operator',
      comment: name,
    })
    const first = await where.open()
    expect(await first.shadows.load()).toEqual([])
    await first.shadows.put(shadow('demo', 'one'))
    await first.shadows.put(shadow('other', 'one'))
    await first.shadows.put(shadow('demo', 'two'))
    await first.close()
    const { shadows } = await opened(where)
    expect(await shadows.load()).toEqual([shadow('demo', 'two'), shadow('other', 'one')])
    await shadows.remove('demo')
    await shadows.remove('demo')
    expect(await shadows.load()).toEqual([shadow('other', 'one')])
  })

  it('keep what each namespace says about its records', async () => {
    const where = place()
    const first = await where.open()
    expect(await first.recordings.load()).toEqual([])
    const demo = { namespace: 'demo', level: 'metadata', bodyDays: 30, recordDays: 'forever' } as const
    const other = { namespace: 'other', level: null, bodyDays: null, recordDays: 400 } as const
    await first.recordings.put({ ...demo, bodyDays: 7 })
    await first.recordings.put(other)
    await first.recordings.put(demo)
    await first.close()
    const { recordings } = await opened(where)
    expect(await recordings.load()).toEqual([demo, other])
  })
})
