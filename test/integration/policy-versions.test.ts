import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

let test: TestApp
let key: string
beforeAll(async () => {
  test = await startTestApp()
  await apply('open')
  key = await test.key('shop', 'helper')
})
afterAll(() => test.close())

const permit =
  'permit (principal in AgentGroup::"shop/helpers", action == Action::"call", resource in Service::"shop/math");'
const forbid = 'forbid (principal, action == Action::"call", resource == Tool::"shop/math-add");'

/** Applies one of two directories that differ in their policies only. */
function apply(policies: 'open' | 'closed', more: JsonObject = {}): Promise<JsonObject> {
  const files = {
    'namespace.yaml': 'namespace: shop\nagents:\n  - name: helper\n    groups: [helpers]\n',
    'services/math/add.py': 'def add(a: int, b: int) -> int:\n    """Adds two numbers."""\n    return a + b\n',
    'policies/shop.cedar': policies === 'open' ? permit : `${permit}\n${forbid}`,
  }
  return test.manage('shop', 'state.apply', {
    namespace: 'shop',
    dryRun: false,
    files: Object.entries(files).map(([path, text]) => ({ path, text })),
    ...more,
  })
}

async function mayAdd(): Promise<boolean> {
  const { message } = await test.call(key, 'shop', 'math-add', { a: 1, b: 2 })
  return isJsonObject(message.result) && message.result.isError !== true
}

async function activations(): Promise<JsonObject[]> {
  const { activations: listed } = await test.manage('shop', 'policy.history', { namespace: 'shop' })
  return (listed as JsonObject[]) ?? []
}

/** Records of activations, oldest first. */
async function activationRecords(): Promise<JsonObject[]> {
  const { records } = await test.manage('shop', 'audit.tail', { namespace: 'shop', kind: 'policy-change', limit: 100 })
  return (records as JsonObject[]).map(({ record }) => (record as JsonObject).event as JsonObject)
}

describe('policy sets', () => {
  it('are kept with who, when and why, and go back into force by their name', async () => {
    const first = (await activations())[0]?.policySetHash
    await apply('closed', { comment: 'adding is closed for the audit' })
    expect(await mayAdd()).toBe(false)
    const [newest, oldest] = await activations()
    expect(newest).toMatchObject({ active: true, activatedBy: 'operator', comment: 'adding is closed for the audit' })
    expect(oldest).toMatchObject({ active: false, policySetHash: first })

    await test.manage('shop', 'policy.activate', {
      namespace: 'shop',
      policySet: first ?? '',
      comment: 'audit is over',
    })
    expect(await mayAdd()).toBe(true)
    expect((await activations()).map(({ comment }) => comment)).toEqual([
      'audit is over',
      'adding is closed for the audit',
      '',
    ])
  })

  it('are each a record in the log of the namespace, which names what they replace', async () => {
    const before = (await activationRecords()).length
    const { policySetHash, replaces } = await apply('closed', { comment: 'again' })
    const added = (await activationRecords()).slice(before)
    expect(added).toEqual([
      {
        type: 'activated',
        policy_set: policySetHash,
        replaces,
        policies: expect.any(Number),
        by: 'operator',
        comment: 'again',
      },
    ])
    // The same directory once more changes nothing, so nothing is activated.
    await apply('closed')
    expect((await activationRecords()).length).toBe(before + 1)
    await apply('open')
  })

  it('are not overwritten by whoever started from older ones', async () => {
    const base = (await activations())[0]?.policySetHash ?? ''
    await apply('closed', { base, comment: 'first author' })
    await expect(apply('open', { base })).rejects.toThrow(/first author.*changed_meanwhile/s)
    expect(await mayAdd()).toBe(false)
    const now = (await activations())[0]?.policySetHash ?? ''
    await apply('open', { base: now })
    expect(await mayAdd()).toBe(true)
  })

  it('show their files, in force or not', async () => {
    const closed = (await activations()).find(({ comment }) => comment === 'first author')?.policySetHash ?? ''
    expect(await test.manage('shop', 'policy.show', { namespace: 'shop' })).toMatchObject({
      inForce: true,
      files: [{ path: 'shop.cedar', text: permit }],
    })
    expect(await test.manage('shop', 'policy.show', { namespace: 'shop', policySet: closed })).toMatchObject({
      inForce: false,
      comment: 'first author',
      files: [{ path: 'shop.cedar', text: `${permit}\n${forbid}` }],
    })
  })

  it('take the place of each other under load without a call that is dropped, each decided by one of them', async () => {
    await apply('open')
    const { policySetHash: first } = (await activations())[0] ?? {}
    const files = {
      'namespace.yaml': 'namespace: shop\nagents:\n  - name: helper\n    groups: [helpers]\n',
      'services/math/add.py': 'def add(a: int, b: int) -> int:\n    """Adds two numbers."""\n    return a + b\n',
      'policies/shop.cedar': `@id("other") ${permit}`,
    }
    const { policySetHash: second } = await test.apply('shop', files)
    const before = await test.manage('shop', 'audit.tail', { namespace: 'shop', limit: 1 })
    let isOver = false
    const callers = Array.from({ length: 3 }, async () => {
      const answers: boolean[] = []
      while (!isOver) answers.push(await mayAdd())
      return answers
    })
    for (let round = 0; round < 10; round += 1)
      await test.manage('shop', 'policy.activate', {
        namespace: 'shop',
        policySet: (round % 2 === 0 ? first : second) ?? '',
      })
    isOver = true
    const answers = (await Promise.all(callers)).flat()
    expect(answers.length).toBeGreaterThan(3)
    expect(answers.filter((allowed) => !allowed)).toEqual([])
    const after = Number(before.lastIndex)
    const { records } = await test.manage('shop', 'audit.tail', {
      namespace: 'shop',
      after,
      kind: 'decision',
      limit: 1000,
    })
    const decided = (records as JsonObject[])
      .map(({ record }) => record as { mcp: JsonObject; decision: JsonObject })
      .filter(({ mcp }) => mcp.method === 'tools/call')
      .map(({ decision }) => String(decision.policy_set_hash))
    expect([first, second]).toEqual(expect.arrayContaining([...new Set(decided)]))
    expect(decided.length).toBe(answers.length)
  })

  it('are refused where the namespace never had them, and where they fit the tools no longer', async () => {
    const unknown = `sha256:${'0'.repeat(64)}`
    await expect(test.manage('shop', 'policy.activate', { namespace: 'shop', policySet: unknown })).rejects.toThrow(
      'never had the policies',
    )
    const closed = (await activations()).find(({ comment }) => comment === 'first author')?.policySetHash ?? ''
    await test.apply('shop', {
      'namespace.yaml': 'namespace: shop\nagents:\n  - name: helper\n    groups: [helpers]\n',
      'services/math/plus.py': 'def plus(a: int, b: int) -> int:\n    """Adds two numbers."""\n    return a + b\n',
      'policies/shop.cedar': permit,
    })
    await expect(test.manage('shop', 'policy.activate', { namespace: 'shop', policySet: closed })).rejects.toThrow(
      /math-add/,
    )
    await apply('open')
    expect(await mayAdd()).toBe(true)
  })
})
