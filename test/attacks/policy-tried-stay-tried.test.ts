import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { echoEntry } from '../support/echo-entries.ts'
import { keptDirectory } from '../support/kept-directory.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

/**
 * Policies that are only tried (by whoever may test policies, auditors among them) while those in force cannot be put
 * in force again: the stored ones are not read by this version. What was tried must not stay.
 */
const dataDirectory = keptDirectory()
const agents = 'namespace: demo\nagents:\n  - name: ann\n'
const permitAll = [
  { path: 'tried.cedar', text: 'permit (principal, action == Action::"call", resource in Namespace::"demo");' },
]
const cases = [{ name: 'any', agent: 'ann', tool: 'echo', args: {}, expect: 'allow' }]
let app: TestApp
let key: string

beforeAll(async () => {
  const before = await startTestApp({ entries: [echoEntry()], dataDirectory })
  await before.apply('demo', {
    'namespace.yaml': agents,
    'policies/demo.cedar':
      'permit (principal, action == Action::"call", resource in Namespace::"demo") when { context.hour == 99 };\n',
  })
  key = await before.key('demo', 'ann')
  await before.close()
  const state = new DatabaseSync(join(dataDirectory, 'state.db'))
  state.exec(`UPDATE policy_sets SET sources_json = replace(sources_json, 'hour == 99', 'hour = 99')`)
  state.close()
  app = await startTestApp({ entries: [echoEntry()], dataDirectory })
})
afterAll(async () => app.close())

async function call(): Promise<unknown> {
  const { message } = await app.call(key, 'demo', 'echo', {})
  return 'error' in message ? (message.error as JsonObject).message : (message.result as JsonObject).isError
}

describe('policies that are tried', () => {
  it('decide what they are asked and no call, also where those in force cannot be read', async () => {
    expect(await call()).toContain('Unknown tool')
    const tested = await app.manage('demo', 'policy.test', { namespace: 'demo', files: permitAll, cases })
    expect(tested.results).toMatchObject([{ problems: [], decided: { effect: 'allow' } }])
    expect(await call()).toContain('Unknown tool')
  })

  it('decide calls once they are in force (control)', async () => {
    await app.apply('demo', { 'namespace.yaml': agents, 'policies/tried.cedar': permitAll[0]?.text ?? '' })
    expect(await call()).toBeUndefined()
  })
})
