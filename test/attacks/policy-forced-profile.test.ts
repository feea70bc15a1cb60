import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

/**
 * Threat category "execution" (design/threats.md): code that learns from the interpreter that its jail was forked from
 * what others have, where a policy allows it only in a jail of its own. What is forked shares a hash seed.
 */
const files = {
  'namespace.yaml':
    'namespace: demo\nagents:\n  - name: ann\n    groups: [all]\n  - name: eve\n    groups: [all, guarded]\n',
  'policies/demo.cedar': `
@id("all") permit (principal in AgentGroup::"demo/all", action == Action::"call", resource in Namespace::"demo");
@id("guarded") @obligation("profile strict")
permit (principal in AgentGroup::"demo/guarded", action == Action::"call", resource in Namespace::"demo");
`,
  'services/look/service.yaml': 'functions:\n  around: { calls: [look-around] }\n',
  'services/look/twice.ts': `/** Doubles a number. */
export default function twice(input: { n: number }): { twice: number } {
  return { twice: input.n * 2 }
}
`,
  'services/look/around.py': `from mcpworks import call


def around(inner: bool) -> dict:
    """Tells what the jail is like.

    Args:
        inner: whether to call another tool
    """
    if inner:
        call("look-around", {"inner": False})
    return {"seed": str(hash("a string"))}
`,
}

let app: TestApp
const keys = new Map<string, string>()

beforeAll(async () => {
  app = await startTestApp({ entries: [toolEntry('outside', () => textOutcome('was run'))] })
  await app.apply('demo', files)
  for (const agent of ['ann', 'eve']) keys.set(agent, await app.key('demo', agent))
})
afterAll(async () => await app.close())

async function around(agent: string, inner = false): Promise<{ value: JsonObject; records: JsonObject[] }> {
  const { message } = await app.call(keys.get(agent) ?? '', 'demo', 'look-around', { inner })
  const result = message.result as JsonObject
  const call = (result._meta as JsonObject)['mcpworks/call']
  const shown = await app.manage('demo', 'audit.tail', { namespace: 'demo', limit: 1000 })
  const records = (shown.records as JsonObject[]).map((one) => one.record as JsonObject)
  return { value: result.structuredContent as JsonObject, records: records.filter((one) => one.call === call) }
}

describe('a call on which a policy forces the profile strict', () => {
  it('runs in a jail and an interpreter of its own, with the tighter bounds, and both records name the profile', async () => {
    const [first, second] = [await around('eve'), await around('eve')]
    expect(first.value['seed']).toMatch(/^-?\d+$/)
    expect(first.value['seed']).not.toBe(second.value['seed'])
    const ended = await around('eve', true)
    expect(ended.records.at(-1)).toMatchObject({
      outcome: { status: 'limit', detail: expect.stringContaining('calls') },
    })
    const [decision, outcome] = first.records
    expect(decision).toMatchObject({
      decision: { obligations: ['profile strict'] },
      pre: { sandbox: { profile: expect.stringMatching(/^(?!.*zygote).*-python-strict$/) } },
    })
    expect(outcome).toMatchObject({
      outcome: {
        status: 'ok',
        obligations: [{ obligation: 'profile strict', fulfilled: true, detail: expect.stringContaining('-strict') }],
        invariants: expect.arrayContaining([{ id: 'sandbox-profile', pass: true, detail: null }]),
      },
    })
  })

  it('runs on either runtime', async () => {
    const { message } = await app.call(keys.get('eve') ?? '', 'demo', 'look-twice', { n: 21 })
    expect(message.result).toMatchObject({ structuredContent: { twice: 42 } })
  })

  it('is not run at all by a tool that runs outside of the sandbox', async () => {
    const refused = await app.call(keys.get('eve') ?? '', 'demo', 'outside', {})
    expect(JSON.stringify(refused.message)).not.toContain('was run')
    expect(JSON.stringify(refused.message)).toContain('only under the sandbox profile')
    const allowed = await app.call(keys.get('ann') ?? '', 'demo', 'outside', {})
    expect(JSON.stringify(allowed.message)).toContain('was run')
  })
})

describe('a call on which no policy forces a profile', () => {
  it('shares the interpreter that it was forked from, and may call tools: the control', async () => {
    const [first, second] = [await around('ann', true), await around('ann', true)]
    expect(first.value).toEqual({ seed: second.value['seed'] })
    expect(first.records[0]).toMatchObject({ pre: { sandbox: { profile: expect.stringContaining('zygote') } } })
  })
})
