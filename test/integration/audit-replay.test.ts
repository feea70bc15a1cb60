import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, sha256, type JsonObject } from '../../src/kernel/index.ts'
import { policySetHash } from '../../src/policy/index.ts'
import { replayCases } from '../../src/app/index.ts'
import { runUnprivileged } from '../../src/sandbox/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { mcpworks, type CommandResult } from '../support/server-process.ts'

const send = toolEntry('send', () => textOutcome('sent'), 'demo', {
  type: 'object',
  properties: { to: { type: 'array', items: { type: 'string' } }, text: { type: 'string' } },
  required: ['to'],
})
const files = {
  'namespace.yaml': 'namespace: demo\nagents:\n  - name: clerk\n',
  'policies/send.cedar': `@id("clerks") @reason("Clerks write letters.")
permit (principal == Agent::"demo/clerk", action == Action::"call", resource == Tool::"demo/send");
@id("short") forbid (principal, action == Action::"call", resource == Tool::"demo/send") when { context.args has text && context.args.text == "no" };`,
  'policies/facts.yaml': 'facts:\n  send:\n    recipients: { extract: email-recipients, from: to }\n',
}

let app: TestApp
let key: string
beforeAll(async () => {
  app = await startTestApp({ entries: [send] })
  await app.apply('demo', files)
  key = await app.key('demo', 'clerk')
})
afterAll(() => app.close())

const cli = (...args: string[]): Promise<CommandResult> => mcpworks(['--data-directory', app.dataDirectory, ...args])

async function called(args: JsonObject): Promise<string> {
  await app.call(key, 'demo', 'send', args)
  const { records } = await app.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'decision', limit: 1 })
  const [record] = Array.isArray(records) ? records.filter(isJsonObject) : []
  return String(record?.call)
}

describe('a decision, made again with stock Cedar', () => {
  it('is the recorded one, also where a required fact could not be told', async () => {
    const call = await called({ to: ['no address'], text: 'canary-4711' })
    const { code, stdout } = await cli('audit', 'replay', call, '-n', 'demo')
    expect(stdout).toMatch(/^SAME: .*\n.*demo\/clerk -> send\n {2}log +allow \(permit\), by send.cedar#clerks; cedar/)
    expect(stdout).toContain('neutral values: recipients')
    expect(stdout).not.toContain('canary-4711')
    expect(code).toBe(0)
  })

  it('is written as files that name what they are by the digests in the record', async () => {
    const call = await called({ to: ['ann@example.com'], text: 'no' })
    const directory = join(app.dataDirectory, 'case')
    const { code, stdout } = await cli('audit', 'replay', call, '-n', 'demo', '--bundle-out', directory, '--json')
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { verdict: 'same', stock: { determining: ['send.cedar#short'] } },
    ])
    const read = (name: string): string => readFileSync(join(directory, name), 'utf8')
    const names = 'README.md engine-input.json engine-input.salt entities.json expected.json policies.cedar'
    const more = 'policy-set.json proof.json record.json request.json schema.json'
    expect(readdirSync(directory).sort()).toEqual(`${names} ${more}`.split(' '))
    const { decision } = JSON.parse(read('record.json')) as { decision: JsonObject }
    const salted = Buffer.concat([
      Buffer.from(read('engine-input.salt'), 'hex'),
      Buffer.from(read('engine-input.json')),
    ])
    expect(sha256(salted)).toBe(decision.request_hash)
    const expected = JSON.parse(read('expected.json')) as JsonObject
    expect(expected).toMatchObject({ decision: 'DENY', determining: [{ id: 'send.cedar#short', cedar: 'short' }] })
    const request = JSON.parse(read('request.json')) as JsonObject
    expect(request).toMatchObject({
      principal: 'Agent::"demo/clerk"',
      action: 'Action::"call"',
      resource: 'Tool::"demo/send"',
    })
    // The files alone, as somebody with the npm package would use them: policies as one text, which names them by place.
    const module = join(import.meta.dirname, '../../node_modules/@cedar-policy/cedar-wasm/nodejs/cedar_wasm.js')
    const input = JSON.stringify({
      policies: { staticPolicies: read('policies.cedar') },
      schema: JSON.parse(read('schema.json')) as JsonObject,
      entities: JSON.parse(read('entities.json')) as JsonObject[],
      context: request.context,
    })
    const script = `return subject.isAuthorized({ ...input, validateRequest: true, principal: { type: 'Agent', id: 'demo/clerk' },
      action: { type: 'Action', id: 'call' }, resource: { type: 'Tool', id: 'demo/send' } })`
    const limits = { wallMs: 60_000, memoryMb: 256, answerBytes: 100_000 }
    const run = await runUnprivileged({ module, script, input, limits })
    const place = read('policies.cedar')
      .match(/^\/\/ .*/gmu)
      ?.findIndex((line) => line.includes('send.cedar#short'))
    expect(JSON.parse(run.ok ? run.answer : '{}')).toMatchObject({
      type: 'success',
      response: { decision: 'deny', diagnostics: { reason: [`policy${place}`], errors: [] } },
    })
  })

  it('is made under the policies of the platform that were part of the set then', async () => {
    const call = await called({ to: ['ann@example.com'] })
    const answer = await app.manage('demo', 'audit.cases', { namespace: 'demo', call })
    const sources = Object.entries(files)
      .slice(1)
      .map(([file, text]) => ({ file: file.slice('policies/'.length), text }))
    const of = (builtIn: string, named = builtIn): JsonObject => {
      const hash = policySetHash(sources, named)
      const [first] = (answer as { cases: { record: string }[] }).cases
      const record = JSON.parse(first?.record ?? '{}') as { decision: JsonObject }
      record.decision.policy_set_hash = hash
      const cases = [{ ...first, record: JSON.stringify(record) }]
      return { ...answer, cases, policySets: [{ policySetHash: hash, sources, builtIn }] }
    }
    const older = `@id("older") forbid (principal, action, resource) when { context has nothing };`
    const other = 'forbid (principal, action, resource);'
    expect(await replayCases(of(older))).toMatchObject([{ verdict: 'same' }])
    expect(await replayCases(of(other))).toMatchObject([{ verdict: 'different' }])
    // Told for another set than it is.
    expect(await replayCases(of(older, other))).toMatchObject([{ verdict: 'different' }])
  })

  it('is made again for every decision there is, with what cannot be', async () => {
    await app.call(key, 'demo', 'nothing-such', {})
    const { code, stdout } = await cli('audit', 'replay', '--all', '--since', '1h', '-n', 'demo')
    expect(stdout).toContain('None comes out differently.')
    expect(stdout).toContain(
      'cannot be made again: Policy was not asked: the caller was answered that there is no such thing',
    )
    expect(code).toBe(0)
  })
})

describe('the process that stock Cedar is asked in', () => {
  const module = join(import.meta.dirname, '../../node_modules/@cedar-policy/cedar-wasm/nodejs/cedar_wasm.js')
  const limits = { wallMs: 60_000, memoryMb: 128, answerBytes: 10_000 }
  const ask = async (script: string, input: unknown = null, bounds = limits) =>
    runUnprivileged({ module, script, input: JSON.stringify(input), limits: bounds })

  it('has no environment, no privilege and no file but the module', async () => {
    const tried = await ask(
      `
      const denied = (work) => { try { work(); return 'done' } catch (error) { return error.code } }
      const fs = require('node:fs')
      return {
        environment: Object.keys(process.env),
        root: process.getuid() === 0 || process.getgroups().includes(0),
        passwords: denied(() => fs.readFileSync('/etc/passwd')),
        writing: denied(() => fs.writeFileSync('/tmp/canary', '')),
        child: denied(() => require('node:child_process').spawnSync('/bin/true')),
        worker: denied(() => new (require('node:worker_threads').Worker)('', { eval: true })),
        module: denied(() => fs.readFileSync(process.argv[1])),
        input,
      }`,
      { given: 1 },
    )
    expect(JSON.parse(tried.ok ? tried.answer : '{}')).toEqual({
      environment: [],
      root: false,
      passwords: 'ERR_ACCESS_DENIED',
      writing: 'ERR_ACCESS_DENIED',
      child: 'ERR_ACCESS_DENIED',
      worker: 'ERR_ACCESS_DENIED',
      module: 'done',
      input: { given: 1 },
    })
  })

  it('reaches no network, where a process with one would', async () => {
    let reached = 0
    const server = createServer((socket) => {
      reached += 1
      socket.destroy()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const script = `require('node:net').connect(${port}, '127.0.0.1').on('error', () => {})`
    expect(await ask(`${script}; return Object.keys(require('node:os').networkInterfaces())`)).toEqual({
      ok: true,
      answer: '[]',
    })
    expect(reached).toBe(0)
    await once(spawn(process.execPath, ['--permission', '--eval', script], { env: {}, stdio: 'ignore' }), 'close')
    expect(reached).toBe(1)
    server.close()
  })

  it('gives no answer when it fails, says too much or is late', async () => {
    expect(await ask('throw new Error("no")')).toEqual({ ok: false, reason: 'it ended with code 1' })
    expect(await ask('return "x".repeat(20_000)')).toEqual({ ok: false, reason: 'it said more than 10000 bytes' })
    expect(await ask('for (;;) {}', null, { ...limits, wallMs: 500 })).toEqual({
      ok: false,
      reason: 'SIGKILL ended it',
    })
  })
})
