import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyDataDirectory } from '../../src/app/index.ts'
import { checkCallProof } from '../../src/audit/index.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

const files = {
  'namespace.yaml': 'namespace: demo\nagents:\n  - name: writer\n    groups: [writers]\n  - name: reader\n',
  'policies/demo.cedar': `
@id("writers-call")
permit (principal in AgentGroup::"demo/writers", action == Action::"call", resource);

@id("no-big-sums")
@reason("Sums over 100 need a person.")
forbid (principal, action == Action::"call", resource == Tool::"demo/math-add")
when { context.args.a > 100 };

permit (principal == Agent::"demo/reader", action == Action::"call", resource == Tool::"demo/math-add");
`,
  'services/math/add.py': `def add(a: int, b: int) -> dict[str, int]:
    """Adds two numbers.

    Args:
        a: the first
        b: the second
    """
    return {"sum": a + b}
`,
  'services/math/shout.ts': `/** Says it louder. */
export default function shout(input: { text: string }): { text: string } {
  console.log('shouting')
  return { text: input.text.toUpperCase() }
}
`,
  'services/bad/boom.py': `def boom(input: dict) -> dict:
    """Fails.

    Args:
        input: anything
    """
    return helper(input)


def helper(input):
    raise ValueError("no good: " + str(len(input)))
`,
}

let test: TestApp
let writer: string
let reader: string

beforeAll(async () => {
  test = await startTestApp()
  await test.apply('demo', files)
  writer = await test.key('demo', 'writer')
  reader = await test.key('demo', 'reader')
})
afterAll(() => test.close())

describe('an agent', () => {
  it('calls a Python function and gets its result, structured and as text', async () => {
    const { status, message } = await test.call(writer, 'demo', 'math-add', { a: 2, b: 40 })
    expect(status).toBe(200)
    expect(message).toMatchObject({ result: { structuredContent: { sum: 42 } } })
    expect(toolResult(message)).toMatchObject({ text: '{"sum":42}', isError: false })
  })

  it('calls a TypeScript function', async () => {
    const { message } = await test.call(writer, 'demo', 'math-shout', { text: 'hello' })
    expect(message).toMatchObject({ result: { structuredContent: { text: 'HELLO' } } })
  })

  it('sees only the tools that it may call', async () => {
    expect((await test.list(writer, 'demo')).toSorted()).toEqual(['bad-boom', 'math-add', 'math-shout'])
    expect(await test.list(reader, 'demo')).toEqual(['math-add'])
  })

  it('is refused by a rule with the reason, and the call is explained afterwards', async () => {
    const { status, message } = await test.call(writer, 'demo', 'math-add', { a: 101, b: 1 })
    const { text, isError, call } = toolResult(message)
    expect(status).toBe(200)
    expect(isError).toBe(true)
    expect(text).toContain('Sums over 100 need a person.')
    const why = await test.manage('demo', 'audit.why', { namespace: 'demo', call })
    expect(why.text).toContain('REFUSED')
    expect(why.text).toContain('no-big-sums')
  })

  it('cannot tell a tool that it may not call from one that does not exist', async () => {
    const hidden = await test.call(reader, 'demo', 'math-shout', { text: 'x' })
    const missing = await test.call(reader, 'demo', 'math-nope', { text: 'x' })
    const wrong = await test.call(reader, 'demo', 'math-shout', { wrong: true })
    expect(hidden).toEqual(missing)
    expect(wrong).toEqual(missing)
    expect(hidden.message).toMatchObject({ error: { code: -32602 } })
  })

  it('is told which argument is wrong and why', async () => {
    const { text, isError } = toolResult((await test.call(writer, 'demo', 'math-add', { a: 'one', c: 3 })).message)
    expect(isError).toBe(true)
    expect(text).toMatch(/a\b.*(integer|number)/)
    expect(text).toMatch(/\bb\b/)
    expect(text).toMatch(/\bc\b/)
  })

  it('gets an exception as a readable trace of its own files that shows nothing of the host', async () => {
    const { text, isError } = toolResult((await test.call(writer, 'demo', 'bad-boom', { x: 1 })).message)
    expect(isError).toBe(true)
    expect(text).toContain('ValueError: no good: 1')
    expect(text).toMatch(/boom\.py.*line 1[01]/)
    expect(text).not.toMatch(/\/usr|\/home|\/root|runner|site-packages/)
  })

  it('of another namespace does not get in, and cannot tell whether the namespace exists', async () => {
    await test.apply('other', { 'namespace.yaml': 'namespace: other\nagents:\n  - name: guest\n' })
    const guest = await test.key('other', 'guest')
    const there = await test.call(guest, 'demo', 'math-add', { a: 1, b: 1 })
    const nowhere = await test.call(guest, 'nowhere', 'math-add', { a: 1, b: 1 })
    expect(there).toEqual(nowhere)
    expect(there.status).toBe(404)
  })

  it('is refused from the next request on when its key or it is revoked', async () => {
    await test.manage('demo', 'agent.add', { namespace: 'demo', agent: 'brief', groups: ['writers'] })
    const key = await test.key('demo', 'brief')
    expect((await test.call(key, 'demo', 'math-add', { a: 1, b: 1 })).status).toBe(200)
    await test.manage('demo', 'agent.revoke', { namespace: 'demo', agent: 'brief' })
    expect((await test.call(key, 'demo', 'math-add', { a: 1, b: 1 })).status).toBe(401)
  })
})

describe('applying a directory', () => {
  it('refuses policies with a mistake, says where, and leaves the old ones in force', async () => {
    const broken = {
      ...files,
      'policies/demo.cedar': 'permit (principal, action, resource)\nwhen { context.args.a > };\n',
    }
    await expect(test.apply('demo', broken)).rejects.toThrow(/"file":"policies\/demo\.cedar","line":2,"column":\d+/)
    expect(toolResult((await test.call(writer, 'demo', 'math-add', { a: 101, b: 1 })).message).text).toContain(
      'Sums over 100',
    )
  })

  it('refuses policies that name an argument which the tool does not have, with the nearest name', async () => {
    const wrong = files['policies/demo.cedar'].replace('context.args.a > 100', 'context.args.aa > 100')
    await expect(test.apply('demo', { ...files, 'policies/demo.cedar': wrong })).rejects.toThrow(/aa/)
  })

  it('makes a new version of a changed function and keeps the old one on record', async () => {
    const changed = { ...files, 'services/math/add.py': files['services/math/add.py'].replace('a + b', 'a + b + 0') }
    const before = await test.manage('demo', 'function.show', { namespace: 'demo', tool: 'math-add' })
    const answer = await test.apply('demo', changed)
    expect(answer.changes).toEqual([expect.objectContaining({ change: 'change', kind: 'function', name: 'math-add' })])
    const after = await test.manage('demo', 'function.show', { namespace: 'demo', tool: 'math-add' })
    expect(after.versionHash).not.toBe(before.versionHash)
    expect(after.versions).toHaveLength(2)
    await test.apply('demo', files)
    const back = await test.manage('demo', 'function.show', { namespace: 'demo', tool: 'math-add' })
    expect(back.versionHash).toBe(before.versionHash)
    expect(back.versions).toHaveLength(2)
  })

  it('changes nothing when nothing changed, and nothing on a dry run', async () => {
    expect((await test.apply('demo', files)).changes).toEqual([])
    const fewer: Record<string, string> = { ...files }
    delete fewer['services/bad/boom.py']
    const list = Object.entries(fewer).map(([path, text]) => ({ path, text }))
    const plan = await test.manage('demo', 'state.apply', { namespace: 'demo', files: list, dryRun: true })
    expect(plan.changes).toEqual([expect.objectContaining({ change: 'remove', kind: 'function', name: 'bad-boom' })])
    expect(await test.list(writer, 'demo')).toContain('bad-boom')
  })
})

describe('the log of all this', () => {
  it('is handed out as events from a position on: each once, with nothing of what was said', async () => {
    const read = async (format: string, after: number) =>
      test.manage('demo', 'audit.events', { namespace: 'demo', format, after, limit: 1000 })
    const before = await read('record', -1)
    await test.call(writer, 'demo', 'math-add', { a: 31, b: 1 })
    await test.call(writer, 'demo', 'math-add', { a: 131_000_000_131, b: 1 })
    const after = Number(before.lastIndex)
    const ocsf = await read('ocsf', after)
    expect(ocsf.events).toMatchObject([
      { class_uid: 6003, action_id: 1, api: { operation: 'math-add' }, actor: { user: { uid: 'demo/writer' } } },
      { class_uid: 6003, action_id: 2, authorizations: [{ policy: { uid: 'demo.cedar#no-big-sums' } }] },
    ])
    const cloud = await read('cloudevents', after)
    expect(cloud.events).toMatchObject([
      { type: 'mcpworks.decision.v1' },
      { type: 'mcpworks.outcome.v1' },
      { type: 'mcpworks.decision.v1' },
    ])
    expect(JSON.stringify([ocsf, cloud])).not.toContain('131000000131')
    expect((await read('ocsf', Number(ocsf.lastIndex))).events).toEqual([])
  })

  it('proves a call to who has its public key and nothing else', async () => {
    const { call } = toolResult((await test.call(writer, 'demo', 'math-add', { a: 7, b: 8 })).message)
    const proof = JSON.stringify(await test.manage('demo', 'audit.prove', { namespace: 'demo', call }))
    const publicKey = readFileSync(join(test.dataDirectory, 'audit.pub'), 'utf8')
    const verdict = checkCallProof(proof, publicKey)
    expect(verdict).toMatchObject({ ok: true, call, namespace: 'demo' })
    expect(verdict.ok && verdict.records.map(({ kind }) => kind)).toEqual(['decision', 'outcome'])
    expect(checkCallProof(proof.replace('demo/writer', 'demo/reader'), publicKey)).toMatchObject({ ok: false })
    // Arguments and results stay where they are: a proof is for others.
    expect(proof).not.toContain('"a":7')
    await expect(
      test.manage('demo', 'audit.prove', { namespace: 'demo', call: '01900000-0000-7000-8000-000000000000' }),
    ).rejects.toThrow(/no record of call/)
  })

  it('verifies while the server runs, and holds no key', async () => {
    const result = await verifyDataDirectory(test.dataDirectory, () => {})
    expect(result.text).toMatch(/^OK/)
    expect(result.ok).toBe(true)
    const { records } = await test.manage('demo', 'audit.tail', { namespace: 'demo', limit: 1000 })
    expect(Array.isArray(records) && records.length).toBeGreaterThan(20)
    expect(JSON.stringify(records)).not.toContain(writer.split('_').slice(2).join('_'))
  })
})
