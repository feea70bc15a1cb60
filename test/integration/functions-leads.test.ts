import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  createFunctionBuilder,
  createSchemaValidator,
  formatProblem,
  parseDesiredState,
  readDesiredDirectory,
  toolDefinition,
  type FunctionVersion,
} from '../../src/functions/index.ts'
import { systemClock, toolName, type JsonObject } from '../../src/kernel/index.ts'
import {
  createCedarPolicyEngine,
  type PolicyDecision,
  type PolicyRequest,
  type VisibilityQuestion,
} from '../../src/policy/index.ts'
import { functionBench, textOf } from '../support/function-bench.ts'

const validator = createSchemaValidator()
const { buildOne, run, sandbox } = functionBench()

describe('the leads example', () => {
  const versions = new Map<string, FunctionVersion>()
  beforeAll(async () => {
    const read = await readDesiredDirectory(fileURLToPath(new URL('../../examples/leads', import.meta.url)))
    if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'))
    const parsed = parseDesiredState(JSON.parse(JSON.stringify(read.state)))
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
    const built = await createFunctionBuilder({ sandbox: sandbox(), validator, clock: systemClock })(
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
