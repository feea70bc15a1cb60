import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createFunctionBuilder,
  createFunctionRunner,
  createSchemaValidator,
  formatProblem,
  parseDesiredState,
  parseService,
  readDesiredDirectory,
  toolDefinition,
  type FunctionOutcome,
  type FunctionVersion,
} from '../../src/functions/index.ts'
import { systemClock, toolName, type JsonObject } from '../../src/kernel/index.ts'
import {
  createCedarPolicyEngine,
  type PolicyDecision,
  type PolicyRequest,
  type VisibilityQuestion,
} from '../../src/policy/index.ts'
import { sandboxConfigSchema, startSandbox, type Sandbox } from '../../src/sandbox/index.ts'

const validator = createSchemaValidator()
let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox(sandboxConfigSchema.parse({ engine: 'bubblewrap' }))
}, 60_000)
afterAll(async () => await sandbox.close())

async function build(files: Record<string, string>): Promise<FunctionVersion[] | string[]> {
  const parsed = parseService(
    'demo',
    'test',
    new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
  )
  if (!parsed.ok) return parsed.problems.map(formatProblem)
  const built = await createFunctionBuilder({ sandbox, validator, clock: systemClock })(
    parsed.service.functions,
    'demo/tester',
  )
  return built.ok ? [...built.versions] : built.problems.map(formatProblem)
}

async function buildOne(files: Record<string, string>): Promise<FunctionVersion> {
  const [version] = await build(files)
  if (version === undefined || typeof version === 'string') throw new Error(String(version))
  return version
}

function run(version: FunctionVersion, args: JsonObject): Promise<FunctionOutcome> {
  return createFunctionRunner({ sandbox, clock: systemClock }).run(version, args)
}

function textOf(outcome: FunctionOutcome): string {
  if (outcome.status === 'unavailable') throw new Error(outcome.detail)
  return (outcome.result['content'] as { text: string }[])[0]?.text ?? ''
}

describe('the leads example', () => {
  const versions = new Map<string, FunctionVersion>()
  beforeAll(async () => {
    const read = await readDesiredDirectory(fileURLToPath(new URL('../../examples/leads', import.meta.url)))
    if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'))
    const parsed = parseDesiredState(JSON.parse(JSON.stringify(read.state)))
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
    const built = await createFunctionBuilder({ sandbox, validator, clock: systemClock })(
      parsed.state.services.flatMap(({ functions }) => functions),
      'demo/tester',
    )
    if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
    for (const version of built.versions) versions.set(version.name, version)
  }, 60_000)

  const version = (name: string): FunctionVersion => versions.get(name) ?? expect.fail(`no function ${name}`)

  it('answers with the best German leads from the CSV that ships with the function', async () => {
    const outcome = await run(version('top'), { n: 5, country: 'DE', min_employees: 201 })
    expect(outcome).toMatchObject({ status: 'ok', facts: { engine: 'bubblewrap' } })
    const leads = JSON.parse(textOf(outcome)) as { country: string; employees: number; score: number }[]
    expect(leads.length).toBe(5)
    expect(leads.every((lead) => lead.country === 'DE' && lead.employees > 200)).toBe(true)
    expect(leads.map((lead) => lead.score)).toEqual(leads.map((lead) => lead.score).toSorted((a, b) => b - a))
    expect(outcome).toMatchObject({ result: { structuredContent: { result: leads } } })
  })

  it('shows agents a tool with everything derived from the code', () => {
    expect(toolDefinition(version('top'))).toMatchObject({
      name: 'leads-top',
      title: 'Best leads',
      description:
        'The best leads by score, best first, with what they are worth. Equal scores: the larger deal first.',
      inputSchema: {
        type: 'object',
        properties: {
          n: { type: 'integer', default: 5, description: 'How many leads, from 1 to 50.' },
          country: { type: 'string', enum: expect.arrayContaining(['DE']) },
        },
        additionalProperties: false,
      },
      outputSchema: {
        type: 'object',
        required: ['result'],
        properties: { result: { type: 'array', items: { required: expect.arrayContaining(['deal_value_eur']) } } },
      },
      annotations: { readOnlyHint: true },
    })
  })

  it('counts in TypeScript what Python counts', async () => {
    const forecast = JSON.parse(textOf(await run(version('forecast'), {}))) as {
      stages: { stage: string; leads: number; chance: number; expectedEur: number }[]
    }
    const summary = JSON.parse(textOf(await run(version('summary'), { by: 'stage' }))) as {
      group: string
      leads: number
      deal_value_eur: number
    }[]
    for (const { stage, leads, chance, expectedEur } of forecast.stages) {
      const total = summary.find(({ group }) => group === stage)
      expect([stage, leads, expectedEur]).toEqual([
        stage,
        total?.leads,
        Math.round((total?.deal_value_eur ?? 0) * chance),
      ])
    }
  })

  it('turns an exception into a tool error that names the function’s own line and nothing of the host', async () => {
    const outcome = await run(version('top'), { n: 0 })
    expect(outcome.status).toBe('tool-error')
    expect(textOf(outcome)).toContain('ValueError: n must be from 1 to 50, not 0')
    expect(textOf(outcome)).toContain('top.py')
    expect(textOf(outcome)).not.toMatch(/adapter|\/usr\/|python3|runner|\/fn\//)
  })

  it('lets its policy say who sees and calls what', () => {
    const engine = createCedarPolicyEngine()
    const tools = [...versions.values()].map(({ service, name, inputSchema }) => ({
      name: toolName(service, name),
      service,
      inputSchema,
    }))
    const names = ['analyst', 'intern']
    const vocabulary = { namespace: 'demo', tools, agents: names, groups: names.map((name) => `${name}s`) }
    const policies = new URL('../../examples/leads/policies/leads.cedar', import.meta.url)
    const installed = engine.install([{ file: 'leads.cedar', text: readFileSync(policies, 'utf8') }], vocabulary)
    expect(installed).toMatchObject({ ok: true, problems: [] })

    const question = (agent: string, tool: string): VisibilityQuestion => ({
      principal: { type: 'agent', id: `demo/${agent}`, namespace: 'demo', groups: [`${agent}s`] },
      action: 'call',
      resource: { type: 'Tool', id: `demo/${tool}`, namespace: 'demo', service: 'leads' },
    })
    const context: PolicyRequest['context'] = {
      authentication: { method: 'api-key', senderConstrained: false },
      door: 'tool',
      operation: '',
      labels: [],
      timeMs: 0,
      address: '127.0.0.1',
    }
    const decide = (agent: string, tool: string, args: JsonObject): PolicyDecision =>
      engine.decide({ ...question(agent, tool), arguments: args, context })
    const seen = (agent: string): string[] =>
      tools.map(({ name }) => name).filter((name) => engine.isVisible(question(agent, name)))
    expect(seen('analyst')).toEqual([
      'leads-briefing',
      'leads-export',
      'leads-find',
      'leads-forecast',
      'leads-summary',
      'leads-top',
    ])
    expect(seen('intern')).toEqual(['leads-summary'])
    expect(decide('analyst', 'leads-top', { n: 5 }).effect).toBe('allow')
    expect(decide('analyst', 'leads-export', { limit: 25 }).effect).toBe('allow')
    expect(decide('intern', 'leads-summary', { by: 'country' }).effect).toBe('allow')
    expect(decide('intern', 'leads-top', { n: 5 })).toMatchObject({ effect: 'deny', basis: 'default-deny' })
    expect(decide('analyst', 'leads-export', { limit: 26 })).toMatchObject({
      effect: 'deny',
      basis: 'forbid',
      determining: [{ reason: 'Bulk export of contact data needs a person: ask for 25 rows or fewer.' }],
    })
  })

  it('holds the CSV that its script makes', () => {
    const script = fileURLToPath(new URL('../../examples/generate-leads.script.ts', import.meta.url))
    const made = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
    expect([made.status, made.stderr]).toEqual([0, ''])
  })

  it('ships data to the function read-only', async () => {
    const probe = await buildOne({
      'probe.py': 'def probe() -> str:\n    """Writes."""\n    open(__file__, "w")\n    return "written"\n',
    })
    expect((await run(probe, {})).status).toBe('tool-error')
  })
})

describe('calling conventions', () => {
  it.each<[string, Record<string, string>, JsonObject, unknown]>([
    [
      'keywords',
      { 'f.py': 'def f(a: int, *, b: str = "x") -> list:\n    """F."""\n    return [a, b]\n' },
      { a: 1 },
      [1, 'x'],
    ],
    [
      'one dict',
      { 'f.py': 'def f(input: dict) -> dict:\n    """F."""\n    return input\n' },
      { a: { b: [1] } },
      { a: { b: [1] } },
    ],
    [
      'a dataclass, nested, in and out',
      {
        'f.py':
          'from dataclasses import dataclass\n@dataclass\nclass Inner:\n    n: int\n@dataclass\nclass Q:\n    inner: Inner\n    many: list[Inner]\ndef f(input: Q) -> Q:\n    """F."""\n    assert isinstance(input.inner, Inner) and isinstance(input.many[0], Inner)\n    return input\n',
      },
      { inner: { n: 1 }, many: [{ n: 2 }] },
      { inner: { n: 1 }, many: [{ n: 2 }] },
    ],
    [
      'a decorated function',
      {
        'f.py':
          'import functools\ndef twice(g):\n    @functools.wraps(g)\n    def wrapper(*args, **kwargs):\n        return g(*args, **kwargs) * 2\n    return wrapper\n@twice\ndef f(n: int) -> int:\n    """F."""\n    return n\n',
      },
      { n: 2 },
      4,
    ],
    [
      'a file named like a module of the standard library',
      { 'calendar.py': 'def calendar(n: int) -> int:\n    """F."""\n    return n + 1\n' },
      { n: 1 },
      2,
    ],
    [
      'dates and sets',
      {
        'f.py':
          'import datetime\ndef f() -> list:\n    """F."""\n    return [datetime.date(2026, 11, 20), {3, 1}, (1, 2)]\n',
      },
      {},
      ['2026-11-20', [1, 3], [1, 2]],
    ],
    [
      'an async function',
      {
        'f.py':
          'import asyncio, datetime\nasync def f(n: int) -> list:\n    """F."""\n    await asyncio.sleep(0)\n    return [n, datetime.date(2026, 11, 20)]\n',
      },
      { n: 1 },
      [1, '2026-11-20'],
    ],
    [
      'an object in TypeScript',
      { 'f.ts': '/** F. */\nexport function f({ n = 3 }: { n?: number }): number { return n }\n' },
      {},
      3,
    ],
    [
      'an async arrow function',
      { 'f.ts': '/** F. */\nexport const f = async (input: { n: number }): Promise<number[]> => [input.n]\n' },
      { n: 1 },
      [1],
    ],
    ['a default export', { 'f.ts': '/** F. */\nexport default function f(): string { return "ok" }\n' }, {}, 'ok'],
  ])('takes %s', async (_title, files, args, expected) => {
    const outcome = await run(await buildOne(files), args)
    const text = textOf(outcome)
    expect([outcome.status, typeof expected === 'string' ? text : (JSON.parse(text) as unknown)]).toEqual([
      'ok',
      expected,
    ])
  })
})

describe('functions that misbehave', () => {
  const python = (body: string, limits = ''): Record<string, string> => ({
    'f.py': `def f() -> int:\n    """F."""\n${body.replace(/^/gm, '    ')}\n`,
    ...(limits === '' ? {} : { 'service.yaml': `limits: ${limits}\n` }),
  })

  it.each<[string, Record<string, string>, FunctionOutcome['status'], RegExp]>([
    ['loops for ever', python('while True: pass', '{ wallMs: 500 }'), 'timeout', /stopped after 500 ms/],
    ['eats memory', python('x = "x" * (900 * 1024 * 1024)\nreturn len(x)'), 'limit', /more memory than its limit/],
    [
      'returns too much',
      python('return "x" * 5000', '{ resultBytes: 1000 }'),
      'limit',
      /more than its limit of 1000 bytes/,
    ],
    ['starts a process', python('import os\nos.fork()'), 'limit', /start a process/],
    ['returns what JSON cannot carry', python('return object()'), 'tool-error', /JSON cannot carry/],
    ['calls exit', python('import sys\nsys.exit(0)'), 'tool-error', /exit/],
    [
      'fails while it is loaded',
      { 'f.py': 'import missing_module\ndef f() -> int:\n    """F."""\n    return 1\n' },
      'tool-error',
      /missing_module/,
    ],
    [
      'throws in TypeScript',
      { 'f.ts': '/** F. */\nexport function f(): number { throw new TypeError("no such lead") }\n' },
      'tool-error',
      /TypeError: no such lead[^]*f\.ts/,
    ],
  ])('tells an agent what happened when one %s', async (_title, files, status, text) => {
    const outcome = await run(await buildOne(files), {})
    expect(textOf(outcome)).toMatch(text)
    expect(outcome).toMatchObject({ status, result: { isError: true } })
    expect(textOf(outcome)).not.toMatch(/\/usr\/|adapter|\/fn\//)
  })

  it('keeps stdout for the owner and shows callers none of it', async () => {
    const outcome = await run(await buildOne(python('print("a secret")\nraise RuntimeError("broken")')), {})
    expect(outcome.facts.stdout).toContain('a secret')
    expect(textOf(outcome)).not.toContain('a secret')
  })

  it('stops when the caller is gone', async () => {
    const controller = new AbortController()
    const version = await buildOne(python('from mcpworks import log\nlog("started")\nwhile True: pass'))
    const runner = createFunctionRunner({ sandbox, clock: systemClock })
    const outcome = await runner.run(version, {}, { signal: controller.signal, onLog: () => controller.abort() })
    expect(outcome).toMatchObject({ status: 'killed', detail: expect.any(String) })
    expect(textOf(outcome)).toBe('The call was cancelled.')
  })
})

describe('building', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'a parameter without a type',
      { 'f.py': 'def f(n, m: int):\n    """F."""\n' },
      'services/test/f.py:1:7: the parameter n has no type (write for example n: str)',
    ],
    [
      'a type without a JSON form',
      { 'f.py': 'import datetime\ndef f(day: datetime.date):\n    """F."""\n' },
      'services/test/f.py:2:12: the parameter day: the type date has no JSON form here (arguments arrive as JSON: write str, int, float, bool, list, dict, Literal, a TypedDict or a dataclass)',
    ],
    [
      'a starred parameter',
      { 'f.py': 'def f(**filters):\n    """F."""\n' },
      'services/test/f.py:1:9: **filters cannot be described (name each parameter)',
    ],
    ['a syntax error', { 'f.py': 'def f(:\n' }, 'services/test/f.py:1:7: invalid syntax'],
    [
      'a file without its function',
      { 'f.py': 'def g(): pass\n' },
      'services/test/f.py:1:1: there is no function f at the top level of the file (the file has: g)',
    ],
    [
      'a function that does not say what it does',
      { 'f.py': 'def f(): pass\n' },
      'services/test/f.py: f does not say what it does, and agents choose tools by that (write a docstring)',
    ],
    ['a TypeScript syntax error', { 'f.ts': 'export function f( {\n' }, 'services/test/f.ts:2:1: Unexpected token'],
    [
      'a TypeScript function that is not exported',
      { 'f.ts': '/** F. */\nfunction f() {}\n' },
      'services/test/f.ts:2:1: f is not exported (write export in front of it)',
    ],
    [
      'several TypeScript parameters',
      { 'f.ts': '/** F. */\nexport function f(a: string, b: number) {}\n' },
      'services/test/f.ts:2:30: a function gets one object, not several arguments (write (input: { a: string; b: number }))',
    ],
    [
      'a type from elsewhere',
      { 'f.ts': 'import type { Q } from "zod"\n/** F. */\nexport function f(input: Q) {}\n' },
      'services/test/f.ts:3:26: the type Q is not known in these files, or has no JSON form (arguments arrive as JSON: write string, number, boolean, arrays, literals and interfaces of these)',
    ],
    [
      'a schema that misspells a keyword',
      {
        'f.py': 'def f(n):\n    """F."""\n',
        'service.yaml': 'functions:\n  f:\n    inputSchema: { type: object, proprties: {} }\n',
      },
      'services/test/service.yaml: functions.f.inputSchema.proprties: "proprties" is no JSON Schema keyword (did you mean "properties"?)',
    ],
    [
      'an input schema that is no object',
      { 'f.py': 'def f(n):\n    """F."""\n', 'service.yaml': 'functions:\n  f:\n    inputSchema: { type: string }\n' },
      'services/test/service.yaml: functions.f.inputSchema: arguments are always an object (write "type: object" and name them under "properties")',
    ],
  ])('refuses %s and says where and what to write', async (_title, files, message) => {
    expect(await build(files)).toEqual([message])
  })

  it('tells the problems of all functions at once', async () => {
    expect(
      (await build({ 'a.py': 'def a(x):\n    """A."""\n', 'b.py': 'def b(:\n', 'c.ts': 'export const c = 1\n' }))
        .length,
    ).toBe(3)
  })

  it('does not run the code that it reads', async () => {
    const files = (body: string): Record<string, string> => ({
      'f.py': `${body}\ndef f() -> int:\n    """F."""\n    return 1\n`,
      'g.ts': `${body === '' ? '' : 'throw new Error("ran")'}\n/** G. */\nexport function g(): number { return 1 }\n`,
    })
    const versions = await build(files('raise SystemExit("ran")'))
    expect(versions).toMatchObject([{ name: 'f' }, { name: 'g' }])
    expect(textOf(await run(versions[0] as FunctionVersion, {}))).not.toBe('1')
  })

  it('says so when a file breaks the parser, and does not fail itself', async () => {
    expect(await build({ 'f.py': `def f():\n    """F."""\n    return ${'('.repeat(50_000)}\n` })).toEqual([
      expect.stringMatching(/^services\/test\/f\.py:\d+:\d+: /),
    ])
    expect(
      await build({ 'f.ts': `/** F. */\nexport function f(): number { return ${'['.repeat(100_000)} }\n` }),
    ).toEqual([expect.stringMatching(/^services\/test\/f\.ts/)])
  })

  it('names a version by what decides its behaviour: the same twice, another for one more byte, code apart from text', async () => {
    const one = await buildOne({ 'f.py': 'def f() -> int:\n    """F."""\n    return 1\n' })
    const same = await buildOne({ 'f.py': 'def f() -> int:\n    """F."""\n    return 1\n' })
    const data = await buildOne({ 'f.py': 'def f() -> int:\n    """F."""\n    return 1\n', 'data/a.csv': 'x' })
    const described = await buildOne({
      'f.py': 'def f() -> int:\n    """F."""\n    return 1\n',
      'service.yaml': 'functions:\n  f: { description: Other words. }\n',
    })
    expect([same.versionHash, same.codeHash]).toEqual([one.versionHash, one.codeHash])
    expect(data.codeHash).not.toBe(one.codeHash)
    expect(described.codeHash).toBe(one.codeHash)
    expect(described.versionHash).not.toBe(one.versionHash)
  })
})
