import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiKeyVerifier, createAuthenticator } from '../../src/auth/index.ts'
import type { GatewayRequest } from '../../src/gateway/index.ts'
import { readDesiredDirectory } from '../../src/functions/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/kernel/index.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

const files = {
  'namespace.yaml':
    'namespace: demo\nagents:\n  - name: writer\n    groups: [writers]\n  - name: guest\n    groups: [guests]\n',
  'policies/demo.cedar': `
@id("writers-call")
permit (principal in AgentGroup::"demo/writers", action == Action::"call", resource);

@id("guests-total")
permit (principal in AgentGroup::"demo/guests", action == Action::"call", resource == Tool::"demo/sums-total");

@id("no-big-sums")
@reason("Sums over 100 need a person.")
forbid (principal, action == Action::"call", resource == Tool::"demo/sums-add")
when { context.args.a > 100 };

@id("double-only-for-code")
@reason("Only functions may double.")
forbid (principal, action == Action::"call", resource == Tool::"demo/sums-double")
unless { context.door == "code" };
`,
  'services/sums/service.yaml': `
limits: { wallMs: 20000 }
functions:
  total: { calls: [sums-add, sums-double] }
  double: { labels: [doubled] }
  loop: { calls: [sums-loop] }
  spread: { calls: [sums-spread, sums-double], limits: { innerCalls: 1000, wallMs: 60000 } }
  wait: { calls: [sums-sleep] }
`,
  'services/sums/add.py': `def add(a: int, b: int) -> int:
    """Adds two numbers.

    Args:
        a: the first
        b: the second
    """
    return a + b
`,
  'services/sums/double.ts': `/** Doubles a number. */
export default function double(input: { n: number }): { twice: number } {
  return { twice: input.n * 2 }
}
`,
  'services/sums/total.py': `from mcpworks import ToolError, call


def total(numbers: list[int], tool: str = "sums-add") -> dict:
    """Adds numbers with another tool.

    Args:
        numbers: what to add
        tool: the tool that adds
    """
    sum = 0
    for number in numbers:
        try:
            sum = call(tool, {"a": number, "b": sum})
        except ToolError as error:
            return {"code": error.code, "message": str(error)}
    return {"sum": sum, "twice": call("sums-double", {"n": sum})["twice"]}
`,
  'services/sums/loop.ts': `import { call } from 'mcpworks'

/** Calls itself. */
export default async function loop(input: { depth: number }): Promise<{ depth: number; stopped: string }> {
  try {
    return (await call('sums-loop', { depth: input.depth + 1 })) as { depth: number; stopped: string }
  } catch (error) {
    return { depth: input.depth, stopped: (error as Error).message }
  }
}
`,
  'services/sums/spread.py': `from mcpworks import ToolError, call


def spread(level: int) -> dict:
    """Calls many, each of which calls many.

    Args:
        level: how deep
    """
    made, stopped = 0, ""
    try:
        for _ in range(7):
            answer = call("sums-double", {"n": 1}) if level == 0 else call("sums-spread", {"level": level - 1})
            made += 1 + answer.get("made", 0)
    except ToolError as error:
        stopped = error.code
    return {"made": made, "stopped": stopped}
`,
  'services/sums/undeclared.py': `from mcpworks import call


def undeclared(tool: str) -> dict:
    """Calls what it does not declare.

    Args:
        tool: the tool
    """
    return call(tool, {"a": 1, "b": 2})
`,
  'services/sums/sleep.py': `import time


def sleep() -> dict:
    """Sleeps for long."""
    time.sleep(15)
    return {}
`,
  'services/sums/wait.py': `from mcpworks import call, log


def wait() -> dict:
    """Waits for the sleeper."""
    log("waiting")
    return call("sums-sleep")
`,
}

let test: TestApp
let writer: string
let guest: string

beforeAll(async () => {
  // One execution at a time: calls inside calls must not wait for the places of those that wait for them.
  test = await startTestApp({ settings: { 'sandbox.concurrency': '1', 'gateway.maxInnerCalls': '30' } })
  await test.apply('demo', files)
  writer = await test.key('demo', 'writer')
  guest = await test.key('demo', 'guest')
})
afterAll(() => test.close())

const objectAt = (value: JsonValue, name: string): JsonObject =>
  isJsonObject(value) && isJsonObject(value[name]) ? value[name] : {}

/** The records of a call and of the calls that it caused, at any depth, oldest first. */
async function tree(call: string): Promise<JsonObject[]> {
  const { records } = await test.manage('demo', 'audit.tail', { namespace: 'demo', limit: 1000 })
  const all = Array.isArray(records) ? records.map((each) => objectAt(each, 'record')) : []
  const calls = new Set([call])
  return all.filter((record) => {
    const isPart = calls.has(String(record.call)) || calls.has(String(record.parent_call))
    if (isPart) calls.add(String(record.call))
    return isPart
  })
}

async function callTool(
  key: string,
  tool: string,
  args: JsonObject,
): Promise<{ call: string; value: JsonObject; text: string }> {
  const { message } = await test.call(key, 'demo', tool, args)
  const { call, text } = toolResult(message)
  return { call, text, value: objectAt(objectAt(message, 'result'), 'structuredContent') }
}

describe('a hosted function that calls others', () => {
  it('gets what they return, each decided and recorded as a call of its own, in the same run and with its labels', async () => {
    const { call, value } = await callTool(writer, 'sums-total', { numbers: [1, 2, 39] })
    expect(value).toEqual({ sum: 42, twice: 84 })
    const records = await tree(call)
    const inner = records.filter((record) => record.parent_call !== null)
    expect(inner).toHaveLength(8)
    expect(new Set(inner.map((record) => record.parent_call))).toEqual(new Set([call]))
    expect(new Set(records.map((record) => record.run)).size).toBe(1)
    const decisions = inner.filter((record) => record.kind === 'decision')
    expect(decisions.map((record) => objectAt(objectAt(record, 'pre'), 'target').tool)).toEqual([
      'sums-add',
      'sums-add',
      'sums-add',
      'sums-double',
    ])
    for (const record of decisions) {
      expect(objectAt(objectAt(record, 'pre'), 'principal').id).toBe('demo/writer')
      expect(objectAt(record, 'pre').door).toBe('code')
    }
    const last = records.at(-1) ?? {}
    expect(last).toMatchObject({ kind: 'outcome', call, parent_call: null })
    expect(objectAt(last, 'outcome').inner_calls).toBe(4)
    // The function that doubles declares a label, and so the run has it when the outer call ends.
    expect(objectAt(records[0] ?? {}, 'pre').labels_before).toEqual([])
    expect(objectAt(last, 'outcome').labels_after).toEqual(['doubled'])
  })

  it('is denied what policy denies its caller, learns why, and the denial is on record', async () => {
    const { call, value } = await callTool(writer, 'sums-total', { numbers: [1, 101] })
    expect(value).toEqual({ code: 'denied', message: 'Sums over 100 need a person.' })
    const denied = (await tree(call)).filter((record) => objectAt(record, 'decision').effect === 'deny')
    expect(denied).toHaveLength(1)
    const why = await test.manage('demo', 'audit.why', { namespace: 'demo', call: String(denied[0]?.call) })
    expect(why.text).toContain('REFUSED')
    expect(why.text).toContain('no-big-sums')
    expect(why.text).toContain(`made by call ${call}`)
  })

  it('may do nothing that its caller may not: what is hidden from the caller is unknown to the function', async () => {
    expect((await callTool(guest, 'sums-total', { numbers: [1] })).value).toEqual({
      code: 'tool_unknown',
      message: 'Unknown tool. tools/list shows what you may call.',
    })
    expect((await callTool(guest, 'sums-total', { numbers: [] })).text).toContain('ToolError: Unknown tool.')
  })

  it('is seen by policy as code: the same call by the agent itself is refused', async () => {
    expect((await callTool(writer, 'sums-double', { n: 4 })).text).toContain('Only functions may double.')
    expect((await callTool(writer, 'sums-total', { numbers: [] })).value).toEqual({ sum: 0, twice: 0 })
  })

  it('is told which arguments are wrong', async () => {
    const { value } = await callTool(writer, 'sums-total', { numbers: [1], tool: 'sums-double' })
    expect(value.code).toBe('arguments_invalid')
    expect(value.message).toMatch(/n\b/)
  })

  it('may call only what it declares, whether or not the tool exists, and the attempt is on record', async () => {
    const there = await callTool(writer, 'sums-undeclared', { tool: 'sums-add' })
    const nowhere = await callTool(writer, 'sums-undeclared', { tool: 'sums-nope' })
    expect(there.text).toContain('This function does not declare that it calls sums-add')
    expect(nowhere.text.replaceAll('sums-nope', 'sums-add')).toBe(there.text)
    const denied = (await tree(there.call)).find((record) => objectAt(record, 'decision').effect === 'deny')
    expect(denied).toMatchObject({ parent_call: there.call })
    const why = await test.manage('demo', 'audit.why', { namespace: 'demo', call: String(denied?.call) })
    expect(why.text).toContain('does not declare that it calls sums-add')
  })

  it('is stopped four calls deep when it calls itself, with one place for executions', async () => {
    const { value } = await callTool(writer, 'sums-loop', { depth: 0 })
    expect(value).toEqual({ depth: 4, stopped: 'Functions may call each other 4 deep, and this is one more.' })
  })

  it('cannot multiply its calls by calling functions that call: all are counted together', async () => {
    const { call, value } = await callTool(writer, 'sums-spread', { level: 2 })
    const decided = (await tree(call)).filter((record) => record.kind === 'decision' && record.parent_call !== null)
    expect(decided).toHaveLength(30)
    expect(value).toMatchObject({ stopped: 'overloaded' })
  })

  it('is among the examples: a briefing calls two tools, which its caller must be allowed as well', async () => {
    const read = await readDesiredDirectory(fileURLToPath(new URL('../../examples/leads', import.meta.url)))
    if (!read.ok) throw new Error(JSON.stringify(read.problems))
    const files = read.state.files.map(({ path, text = '' }) => [path, text.replaceAll('demo', 'shop')] as const)
    await test.apply('shop', Object.fromEntries(files))
    const analyst = await test.key('shop', 'analyst')
    const { message } = await test.call(analyst, 'shop', 'leads-briefing', { country: 'DE', n: 2 })
    expect(objectAt(message, 'result').structuredContent).toMatchObject({
      best: [{ country: 'DE' }, { country: 'DE' }],
    })
  })

  it('takes the calls under way with it when its caller goes away, and both are on record as that', async () => {
    const { app } = test
    const asked = {
      authorization: [`Bearer ${writer}`],
      dpop: [],
      method: 'POST',
      publicUrl: app.url,
      url: `${app.url}/mcp/demo`,
      certificateSha256: null,
      address: '127.0.0.1',
      claimedName: null,
    }
    const known = await createAuthenticator([createApiKeyVerifier(app.registry)]).authenticate(asked)
    if (!known.ok) throw new Error(known.reason)
    const abort = new AbortController()
    const request: GatewayRequest = {
      caller: known.caller,
      namespace: 'demo',
      door: 'tool',
      effect: { kind: 'call', tool: 'sums-wait', arguments: {}, resume: null },
      facts: { method: 'tools/call', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    }
    const answer = app.gateway.perform(request, { signal: abort.signal, log: () => {}, progress: () => {} })
    const innerDecision = async (): Promise<JsonObject> => {
      const page = await test.manage('demo', 'audit.tail', { namespace: 'demo', limit: 1, waitSeconds: 10 })
      const last = Array.isArray(page.records) ? objectAt(page.records.at(-1) ?? null, 'record') : {}
      return objectAt(objectAt(last, 'pre'), 'target').tool === 'sums-sleep' ? last : await innerDecision()
    }
    const inner = await innerDecision()
    abort.abort()
    const { call } = await answer
    expect(inner.parent_call).toBe(call)
    const outcomes = (await tree(call)).filter((record) => record.kind === 'outcome')
    expect(outcomes.map((record) => [record.call, objectAt(record, 'outcome').status])).toEqual([
      [inner.call, 'killed'],
      [call, 'killed'],
    ])
  })
})
