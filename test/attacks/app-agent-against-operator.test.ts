import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'
import { mcpworks, type CommandResult } from '../support/server-process.ts'

const permit = 'permit (principal in AgentGroup::"demo/all", action == Action::"call", resource in Namespace::"demo");'
const files = {
  'namespace.yaml': 'namespace: demo\nagents:\n  - name: eve\n    groups: [all]\n  - name: ann\n    groups: [all]\n',
  'services/bad/boom.py': 'def boom(text: str) -> str:\n    """Fails."""\n    raise ValueError("was given " + text)\n',
  'policies/all.cedar': permit,
}

let gate: PromiseWithResolvers<undefined>
/** Settles when two calls of the slow tool run. */
let filled: PromiseWithResolvers<undefined>
let app: TestApp
let eve: string

beforeAll(async () => {
  gate = Promise.withResolvers()
  filled = Promise.withResolvers()
  let running = 0
  const slow = toolEntry('slow', async (_invocation, { signal }) => {
    const cutOff = new Promise((resolve) => signal.addEventListener('abort', resolve))
    running += 1
    if (running === 2) filled.resolve(undefined)
    await Promise.race([gate.promise, cutOff])
    return textOutcome('done')
  })
  app = await startTestApp({ settings: { 'gateway.maxConcurrentCalls': '2' }, entries: [slow] })
  await app.apply('demo', files)
  eve = await app.key('demo', 'eve')
})
afterAll(async () => await app.close())

const cli = (...args: string[]): Promise<CommandResult> => mcpworks(['--data-directory', app.dataDirectory, ...args])

describe('an agent', () => {
  const forged = 'x\n    99  2026-01-01T00:00:00.000Z  decision    allow (permit)  demo/ann -> bad-boom  \u009b2J\u202e'

  it('cannot make its words look like a record in the list of records', async () => {
    // An old-era request has no header that would repeat the name.
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: forged, arguments: {} } }
    const headers = { authorization: `Bearer ${eve}`, 'content-type': 'application/json' }
    await fetch(`${app.app.url}/mcp/demo`, { method: 'POST', headers, body: JSON.stringify(body) })
    const shown = await cli('audit', 'tail', '-n', 'demo', '--agent', 'eve', '--kind', 'decision')
    const lines = shown.stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('deny')
    expect(lines[0]).toContain('\\u{a}')
    expect(shown.stdout).not.toMatch(/[\u009b\u202e]/)
    // The name was recorded as it came: nothing but the way of printing it keeps it on its line.
    const json = await cli('--json', 'audit', 'tail', '-n', 'demo', '--agent', 'eve', '--kind', 'decision')
    expect(json.stdout).not.toMatch(/[\u009b\u202e]/)
    expect(JSON.parse(json.stdout)).toMatchObject({ record: { pre: { target: { tool: forged } } } })
  })

  it('does not get its arguments into a record in the clear by a function that says them when it fails', async () => {
    const answer = toolResult((await app.call(eve, 'demo', 'bad-boom', { text: 'person@example.org' })).message)
    expect(answer.text).toContain('ValueError: was given person@example.org')
    const { records } = await app.manage('demo', 'audit.tail', { namespace: 'demo', limit: 50 })
    expect(JSON.stringify(records)).toContain('the function failed')
    expect(JSON.stringify(records)).not.toContain('person@example.org')
    // It was kept, in the sealed body.
    const why = await app.manage('demo', 'audit.why', { namespace: 'demo', call: answer.call })
    expect(why.text).toContain('person@example.org')
  })

  it('that fills every place for calls can still be revoked', async () => {
    const filling = [app.call(eve, 'demo', 'slow', {}), app.call(eve, 'demo', 'slow', {})]
    const ann = await app.key('demo', 'ann')
    await filled.promise
    // The places are filled: another agent is turned away.
    expect((await app.call(ann, 'demo', 'slow', {})).status).toBe(429)
    const revoked = await cli('agent', 'revoke', 'eve', '-n', 'demo')
    expect(revoked).toMatchObject({ code: 0 })
    expect((await app.call(eve, 'demo', 'slow', {})).status).toBe(401)
    gate.resolve(undefined)
    // What it had under way is not answered: it is nobody now.
    expect((await Promise.all(filling)).map(({ status }) => status)).toEqual([401, 401])
    expect(toolResult((await app.call(ann, 'demo', 'slow', {})).message).text).toBe('done')
  })
})

describe('policies', () => {
  const without = { 'namespace.yaml': 'namespace: shut\n' }
  const shut = 'forbid (principal, action, resource);'

  it('that nobody could change again are refused, and those in force stay', async () => {
    const before = { ...without, 'policies/p.cedar': permit.replaceAll('demo', 'shut') }
    await app.apply('shut', before)
    await expect(app.apply('shut', { ...without, 'policies/p.cedar': shut })).rejects.toThrow(/could not change them/)
    expect(await app.apply('shut', before)).toMatchObject({ changes: [] })
    // The same for everybody else is taken, and can be taken back.
    const open = 'forbid (principal, action, resource) unless { principal is User };'
    await app.apply('shut', { ...without, 'policies/p.cedar': open })
    await app.apply('shut', without)
  })
})

describe('a folder of policies', () => {
  it('that holds a pipe or a link neither holds the command up nor makes it read elsewhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcpworks-policies-'))
    try {
      expect(spawnSync('mkfifo', [join(folder, 'pipe.cedar')]).status).toBe(0)
      expect(spawnSync('ln', ['-s', join(app.dataDirectory, 'operator.key'), join(folder, 'link.cedar')]).status).toBe(
        0,
      )
      const checked = await cli('policy', 'check', folder, '-n', 'demo')
      expect(checked).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('There is no .cedar or .rules.yaml file'),
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
