import { expect, it } from 'vitest'
import type { Digest } from '../../kernel/index.ts'
import { builtInPolicies, policySetHash, type StoredPolicySet } from '../../policy/index.ts'
import { policiesOfThen } from './find-decision-cases.ts'

const sources = [{ file: 'a.cedar', text: 'permit (principal, action, resource);' }]
const older = 'forbid (principal, action, resource) when { context has older };'
const oldest = 'forbid (principal, action, resource) when { context has oldest };'

/** A store that has one set, put in force under the version `activatedUnder`. */
function storeOf(activatedUnder: string, versions: readonly string[]) {
  const kept: StoredPolicySet = {
    namespace: 'demo',
    policySetHash: policySetHash(sources, activatedUnder),
    sources,
    activatedAtMs: 0,
    activatedBy: 'owner',
    comment: '',
  }
  return {
    find: async (_: string, hash: Digest) => (hash === kept.policySetHash ? kept : null),
    listActivations: async () => [{ ...kept, active: true }],
    listBuiltIn: async () => [...versions],
  }
}

it.each([
  ['of today', builtInPolicies, builtInPolicies],
  ['of an older version, which put it in force', older, older],
  ['of a version between the one that put it in force and today', oldest, older],
])('finds a set with the policies of the platform %s', async (_, activatedUnder, decidedUnder) => {
  const store = storeOf(activatedUnder, [older, oldest])
  const hash = policySetHash(sources, decidedUnder)
  expect(await policiesOfThen('demo', hash, store)).toEqual({ sources, builtIn: decidedUnder })
  expect(await policiesOfThen('demo', policySetHash([], decidedUnder), store)).toEqual({
    sources: [],
    builtIn: decidedUnder,
  })
})

it('finds none with policies of the platform that were not kept', async () => {
  expect(await policiesOfThen('demo', policySetHash(sources, older), storeOf(older, [oldest]))).toBeNull()
  expect(await policiesOfThen('demo', policySetHash(sources, older), storeOf(builtInPolicies, []))).toBeNull()
})
