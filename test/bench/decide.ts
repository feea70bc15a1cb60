import { cpus } from 'node:os'
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import {
  builtInPolicies,
  createCedarPolicyEngine,
  type PolicyEngine,
  type PolicyRequest,
  type PolicyVocabulary,
} from '../../src/policy/index.ts'
import { round } from './load.ts'

/*
 * What a decision costs with 100 and with 10,000 policies of which a dozen are in scope, against Cedar's own stateful
 * call over those dozen alone, in the same run; and what it costs to list and to install.
 */

const inScope = 10
const rounds = 6_000

interface Result {
  readonly case: string
  readonly callers: 1
  readonly p50_ms: number
  readonly p99_ms: number
  readonly per_second: number
  readonly cpu_ms: number
}

function measure(name: string, count: number, work: (round: number) => void): Result {
  for (let index = 0; index < count / 4; index += 1) work(index)
  const times: number[] = []
  const cpu = process.cpuUsage()
  const begun = performance.now()
  for (let index = 0; index < count; index += 1) {
    const start = performance.now()
    work(index)
    times.push(performance.now() - start)
  }
  const elapsed = performance.now() - begun
  const used = process.cpuUsage(cpu)
  times.sort((left, right) => left - right)
  const at = (share: number): number => round(times[Math.floor(times.length * share)] ?? 0)
  const cpuMs = (used.user + used.system) / 1000 / count
  return {
    case: name,
    callers: 1,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    per_second: Math.round((count / elapsed) * 1000),
    cpu_ms: round(cpuMs),
  }
}

const vocabulary: PolicyVocabulary = {
  namespace: 'demo',
  tools: Array.from({ length: 500 }, (_, index) => ({
    name: `leads-query${index}`,
    service: `leads${index % 20}`,
    inputSchema: {
      type: 'object',
      properties: { query: { type: 'string' }, limit: { type: 'integer' }, [`own${index % 50}`]: { type: 'boolean' } },
      required: ['query'],
    },
  })),
}

/** `inScope` policies for the analysts and the first tool, the others for other groups and tools. */
function policies(count: number): string {
  const lines: string[] = []
  for (let index = 0; index < count; index += 1) {
    const mine = index < inScope
    const group = mine ? 'analysts' : `group${index}`
    const tool = mine ? 0 : 1 + (index % 499)
    lines.push(
      `@id("p${index}") @reason("Policy ${index}.") permit (principal in AgentGroup::"demo/${group}", action == Action::"call", ` +
        `resource == Tool::"demo/leads-query${tool}") when { context.args has limit && context.args.limit <= ${index + 1} };`,
    )
  }
  return lines.join('\n')
}

const request = (index: number): PolicyRequest => ({
  principal: { type: 'agent', id: 'demo/analyst', namespace: 'demo', groups: ['analysts'] },
  action: 'call',
  resource: { type: 'Tool', id: 'demo/leads-query0', namespace: 'demo', service: 'leads0' },
  arguments: { query: `companies in state ${index}`, limit: 5 },
  context: {
    authentication: { method: 'api-key', senderConstrained: false },
    door: 'tool',
    operation: '',
    labels: [],
    timeMs: 1_788_000_000_000 + index,
    address: '127.0.0.1',
  },
})

function installed(count: number): { engine: PolicyEngine; installMs: number; againMs: number } {
  const engine = createCedarPolicyEngine()
  const sources = [{ file: 'bench.cedar', text: policies(count) }]
  const times = [0, 1].map(() => {
    const start = performance.now()
    const check = engine.install(sources, vocabulary)
    if (!check.ok) throw new Error(JSON.stringify(check.problems.slice(0, 3)))
    return round(performance.now() - start)
  })
  return { engine, installMs: times[0] ?? 0, againMs: times[1] ?? 0 }
}

/** Cedar alone over the policies in scope: same request, same schema, everything parsed beforehand. */
function baseline(): Result {
  const input = JSON.parse(engineInputOf(request(0))) as Omit<
    Parameters<typeof statefulIsAuthorized>[0],
    'preparsedPolicySetId'
  >
  const attributes = {
    args: {
      type: 'Record',
      attributes: {
        query: { type: 'String', required: true },
        limit: { type: 'Long', required: false },
        own0: { type: 'Boolean', required: false },
      },
    },
    authn: {
      type: 'Record',
      attributes: {
        actors: { type: 'Set', element: { type: 'String' } },
        age_seconds: { type: 'Long' },
        binding: { type: 'String' },
        client: { type: 'String' },
        issuer: { type: 'String' },
        method: { type: 'String' },
        sender_constrained: { type: 'Boolean' },
      },
    },
    door: { type: 'String' },
    operation: { type: 'String' },
    labels: { type: 'Set', element: { type: 'String' } },
    time: { type: 'Extension', name: 'datetime' },
    hour: { type: 'Long' },
    weekday: { type: 'Long' },
    address: { type: 'Extension', name: 'ipaddr' },
  } as const
  const prepared = [
    preparseSchema('baseline', {
      '': {
        entityTypes: {
          Namespace: {},
          AgentGroup: {},
          Service: { memberOfTypes: ['Namespace'] },
          Agent: {
            memberOfTypes: ['AgentGroup', 'Namespace'],
            shape: {
              type: 'Record',
              attributes: { namespace: { type: 'Entity', name: 'Namespace', required: false } },
            },
          },
          Tool: { memberOfTypes: ['Service', 'Namespace'] },
        },
        actions: {
          call: {
            appliesTo: { principalTypes: ['Agent'], resourceTypes: ['Tool'], context: { type: 'Record', attributes } },
          },
        },
      },
    }),
    preparsePolicySet('baseline', { staticPolicies: builtInPolicies + policies(inScope) }),
  ]
  if (prepared.some(({ type }) => type !== 'success')) throw new Error('the baseline was not prepared')
  return measure('stock Cedar over the policies in scope', rounds, () => {
    const answer = statefulIsAuthorized({
      ...input,
      preparsedSchemaName: 'baseline',
      preparsedPolicySetId: 'baseline',
      validateRequest: true,
    })
    if (answer.type !== 'success' || answer.response.decision !== 'allow') throw new Error('the baseline denied')
  })
}

function engineInputOf(asked: PolicyRequest): string {
  return installed(inScope).engine.decide(asked).engineInput
}

function decisions(name: string, engine: PolicyEngine): Result {
  return measure(name, rounds, (index) => {
    if (engine.decide(request(index)).effect !== 'allow') throw new Error('a decision denied')
  })
}

function listing(engine: PolicyEngine): void {
  const visible = vocabulary.tools.filter(({ name, service }) =>
    engine.isVisible({
      principal: request(0).principal,
      action: 'call',
      resource: { type: 'Tool', id: `demo/${name}`, namespace: 'demo', service },
    }),
  )
  if (visible.length !== 1) throw new Error(`${visible.length} tools are visible`)
}

const small = installed(100)
const large = installed(10_000)
const coldStart = performance.now()
listing(large.engine)
const coldListMs = round(performance.now() - coldStart)
const results: Result[] = []
for (const turn of ['', ' again']) {
  results.push({ ...baseline(), case: `stock Cedar over the policies in scope${turn}` })
  results.push(decisions(`decide, 100 policies${turn}`, small.engine))
  results.push(decisions(`decide, 10,000 policies${turn}`, large.engine))
}
results.push(measure('list 500 tools, 10,000 policies, warm', 200, () => listing(large.engine)))

const best = (name: string): number =>
  Math.min(...results.filter((result) => result.case.startsWith(name)).map((result) => result.p50_ms))
const flat = round(best('decide, 10,000') / best('decide, 100 '))
const overhead = round(best('decide, 10,000') / best('stock Cedar'))
const goals = [
  { name: 'decide with 10,000 policies over 100 policies, p50', unit: 'x', goal: 1.5, measured: flat, met: flat < 1.5 },
  {
    name: 'decide with 10,000 policies over stock Cedar on the slice, p50',
    unit: 'x',
    goal: 1.3,
    measured: overhead,
    met: overhead <= 1.3,
  },
]
const report = {
  benchmark: 'decide',
  machine: { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version },
  results,
  install_ms: { policies_100: small.installMs, policies_10000: large.installMs, policies_10000_again: large.againMs },
  list_500_tools_cold_ms: coldListMs,
  rss_mb: Math.round(process.memoryUsage().rss / 1_048_576),
  goals,
}
process.stdout.write(`${JSON.stringify(report, null, process.argv.includes('--json') ? 0 : 2)}\n`)
