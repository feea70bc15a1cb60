import { cpus } from 'node:os'
import { createCedarPolicyEngine, type PolicyEngine } from '../../src/policy/index.ts'
import { round } from './load.ts'
import { inScope, leadsPolicies, leadsRequest, leadsVocabulary } from './policy/leads-namespace.ts'
import { listThroughGateway } from './policy/list-tools.ts'
import { parsedCedar, plainCedar, type PlainInput } from './policy/plain-cedar.ts'

/*
 * What a decision costs with 1 to 10,000 policies and 10 or 1,000 tools, asked of Cedar and answered from the cache,
 * against Cedar itself over the policies in scope alone and over the full set, in the same run; and what it costs to
 * install a set and to list 500 tools through the gateway. Cases are measured turn about, so that what else the
 * machine does falls on all of them; the median over the turns is what counts.
 */

interface Result {
  readonly case: string
  readonly callers: 1
  readonly p50_ms: number
  readonly p99_ms: number
  readonly per_second: number
}

const turns = 7
/** Decisions in a turn of a case that takes well below a millisecond. */
const many = 400

const measured = new Map<string, number[][]>()

function measure(name: string, count: number, work: (index: number) => void): void {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const start = performance.now()
    work(index)
    times.push(performance.now() - start)
  }
  const before = measured.get(name)
  if (before === undefined) measured.set(name, [times])
  else before.push(times)
}

const sorted = (times: readonly number[]): number[] => times.toSorted((left, right) => left - right)
const at = (times: readonly number[], share: number): number => sorted(times)[Math.floor(times.length * share)] ?? 0

/** Median over the turns of each turn's median, in milliseconds. */
const p50 = (name: string): number =>
  at(
    (measured.get(name) ?? []).map((times) => at(times, 0.5)),
    0.5,
  )

const inputs = Array.from({ length: 50 }, (_, index) => {
  const engine = createCedarPolicyEngine()
  if (!engine.install([{ file: 'bench.cedar', text: leadsPolicies(1, 10) }], leadsVocabulary(10)).ok)
    throw new Error('not installed')
  return JSON.parse(engine.decide(leadsRequest(index, 1)).engineInput) as PlainInput
})
const inputOf = (index: number): PlainInput => inputs[index % inputs.length] ?? raise()
function raise(): never {
  throw new Error('no input')
}

/** So that no request was made before. */
let fresh = 0
function decisions(name: string, engine: PolicyEngine): void {
  measure(`${name}, asked of Cedar`, many, () => {
    fresh += 1
    if (engine.decide(leadsRequest(fresh, -fresh)).effect !== 'allow') throw new Error('a decision denied')
  })
  measure(`${name}, from the cache`, many, () => {
    fresh += 1
    if (engine.decide(leadsRequest(fresh, 1)).effect !== 'allow') throw new Error('a decision denied')
  })
}

const sizes = [1, 10, 100, 1_000, 10_000].flatMap((policies) => [10, 1_000].map((tools) => ({ policies, tools })))
const nameOf = ({ policies, tools }: { policies: number; tools: number }): string =>
  `${policies.toLocaleString('en')} policies, ${tools.toLocaleString('en')} tools`
const installMs: Record<string, number> = {}
const engines = sizes.map((size) => {
  const engine = createCedarPolicyEngine()
  const start = performance.now()
  const sources = [{ file: 'bench.cedar', text: leadsPolicies(size.policies, size.tools) }]
  if (!engine.install(sources, leadsVocabulary(size.tools)).ok) throw new Error('not installed')
  installMs[nameOf(size)] = round(performance.now() - start)
  return { name: nameOf(size), engine }
})
const alone = parsedCedar('alone', leadsPolicies(inScope, 10))
const whole = parsedCedar('whole', leadsPolicies(10_000, 10))
const plainAlone = plainCedar(leadsPolicies(inScope, 10))
const plainWhole = plainCedar(leadsPolicies(10_000, 10))

const listed = leadsVocabulary(500)
const lister = createCedarPolicyEngine()
const listedPolicies = leadsPolicies(10_000, 500)
function installListed(comment: string): void {
  if (!lister.install([{ file: 'bench.cedar', text: `${comment}\n${listedPolicies}` }], listed).ok)
    throw new Error('not installed')
}
installListed('')
const list = listThroughGateway(lister, listed)
function listing(agent: string): void {
  if (list(agent) !== 1) throw new Error(`${list(agent)} tools are visible`)
}

for (let turn = 0; turn < turns; turn += 1) {
  measure('parsed Cedar, the policies in scope alone', many, (index) => alone(inputOf(index)))
  measure('parsed Cedar, 10,000 policies', 5, (index) => whole(inputOf(index)))
  measure('plain Cedar, the policies in scope alone', 50, (index) => plainAlone(inputOf(index)))
  measure('plain Cedar, 10,000 policies', 1, (index) => plainWhole(inputOf(index)))
  for (const { name, engine } of engines) decisions(name, engine)
  // Another set each time, so that nothing about these requests is remembered.
  installListed(`// ${turn}`)
  measure('tools/list, 500 tools, 10,000 policies, first after an activation', 1, () => listing('analyst'))
  measure('tools/list, 500 tools, 10,000 policies, first of another agent', 5, (index) => listing(`analyst${index}`))
  measure('tools/list, 500 tools, 10,000 policies, again', many, () => listing('analyst'))
}

const largest = '10,000 policies, 1,000 tools'
const aloneCase = '10 policies, 1,000 tools, asked of Cedar'
const ratio = (name: string, over: string): number => round(p50(name) / p50(over))
function goal(name: string, unit: string, limit: number, value: number) {
  return { name, unit, goal: limit, measured: value, met: value <= limit }
}
const overParsed = 'times parsed Cedar over the policies in scope alone'
const goals = [
  goal(
    'asked of Cedar, 10,000 policies and 1,000 tools, ten in scope',
    'times a decision over these ten alone',
    1.3,
    ratio(`${largest}, asked of Cedar`, aloneCase),
  ),
  goal(
    'asked of Cedar, 10,000 policies and 1,000 tools, ten in scope',
    overParsed,
    1.3,
    ratio(`${largest}, asked of Cedar`, 'parsed Cedar, the policies in scope alone'),
  ),
  goal(
    'from the cache, 10,000 policies and 1,000 tools',
    'times a decision over the ten in scope alone, asked of Cedar',
    0.1,
    ratio(`${largest}, from the cache`, aloneCase),
  ),
  goal(
    'from the cache, 10,000 policies and 1,000 tools',
    overParsed,
    0.1,
    ratio(`${largest}, from the cache`, 'parsed Cedar, the policies in scope alone'),
  ),
  goal(
    'tools/list, 500 tools, first after an activation',
    'ms',
    30,
    round(p50('tools/list, 500 tools, 10,000 policies, first after an activation')),
  ),
  goal(
    'tools/list, 500 tools, first of another agent',
    'ms',
    30,
    round(p50('tools/list, 500 tools, 10,000 policies, first of another agent')),
  ),
  goal('tools/list, 500 tools, again', 'ms', 1, round(p50('tools/list, 500 tools, 10,000 policies, again'))),
]
const results = [...measured].map(([name, all]): Result => {
  const middle = p50(name)
  const worst = at(all.flat(), 0.99)
  return {
    case: name,
    callers: 1,
    p50_ms: round(middle),
    p99_ms: round(worst),
    per_second: Math.round(1000 / middle),
  }
})
const report = {
  benchmark: 'policy',
  machine: { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version },
  results,
  parsed_full_set_over_decision: round(p50('parsed Cedar, 10,000 policies') / p50(`${largest}, asked of Cedar`)),
  plain_full_set_over_decision: round(p50('plain Cedar, 10,000 policies') / p50(`${largest}, asked of Cedar`)),
  install_ms: installMs,
  rss_mb: Math.round(process.memoryUsage().rss / 1_048_576),
  goals,
}
process.stdout.write(`${JSON.stringify(report, null, process.argv.includes('--json') ? 0 : 2)}\n`)
