// One question, answered in two ways, with the tokens of each counted by a tokenizer:
//   the rows of examples/leads put in front of the model, as CSV and as JSON
//   a call of the hosted function leads-top, really run in the sandbox
//
//   npm run demo:tokens            a table
//   npm run demo:tokens -- --json  the same as JSON
import { fileURLToPath } from 'node:url'
import { Tiktoken } from 'js-tiktoken/lite'
import o200kBase from 'js-tiktoken/ranks/o200k_base'
import {
  createFunctionBuilder,
  createFunctionRunner,
  createSchemaValidator,
  formatProblem,
  parseDesiredState,
  readDesiredDirectory,
  toolDefinition,
  type FunctionVersion,
} from '../src/functions/index.ts'
import { systemClock, type JsonObject } from '../src/kernel/index.ts'
import { sandboxConfigSchema, startSandbox, type Sandbox } from '../src/sandbox/index.ts'

const question = 'Which five German leads with over 200 employees score best, and what are they worth?'
const call = { name: 'leads-top', arguments: { n: 5, country: 'DE', min_employees: 201 } }

/** What stands in the model's context, part by part. */
interface Way {
  readonly way: string
  readonly parts: readonly { readonly part: string; readonly tokens: number }[]
  readonly tokens: number
}

const tokenizer = new Tiktoken(o200kBase)
const count = (text: string): number => tokenizer.encode(text, [], []).length

function measure(way: string, parts: Readonly<Record<string, string>>): Way {
  const counted = Object.entries(parts).map(([part, text]) => ({ part, tokens: count(text) }))
  return { way, parts: counted, tokens: counted.reduce((sum, { tokens }) => sum + tokens, 0) }
}

function stop(problems: readonly string[]): never {
  process.stderr.write(`${problems.join('\n')}\n`)
  process.exit(1)
}

async function buildExample(sandbox: Sandbox): Promise<{ versions: readonly FunctionVersion[]; csv: string }> {
  const read = await readDesiredDirectory(fileURLToPath(new URL('./leads', import.meta.url)))
  if (!read.ok) stop(read.problems.map(formatProblem))
  const parsed = parseDesiredState(read.state)
  if (!parsed.ok) stop(parsed.problems.map(formatProblem))
  const build = createFunctionBuilder({ sandbox, validator: createSchemaValidator(), clock: systemClock })
  const built = await build(
    parsed.state.services.flatMap((service) => service.functions),
    'demo/example',
  )
  if (!built.ok) stop(built.problems.map(formatProblem))
  const csv = read.state.files.find(({ path }) => path.endsWith('data/leads.csv'))?.text
  return csv === undefined ? stop(['examples/leads has no leads.csv']) : { versions: built.versions, csv }
}

async function answer(sandbox: Sandbox, versions: readonly FunctionVersion[]): Promise<string> {
  const version = versions.find(({ name }) => name === 'top') ?? stop(['examples/leads has no function top'])
  const runner = createFunctionRunner({ sandbox, clock: systemClock })
  const outcome = await runner.run(version, call.arguments)
  if (outcome.status !== 'ok') stop([`the function ended as ${outcome.status}: ${outcome.detail}`])
  return (outcome.result['content'] as { text: string }[])[0]?.text ?? ''
}

/** The rows as a tool that lists them would give them. */
function toJsonRows(csv: string): string {
  const [header = [], ...rows] = csv
    .trimEnd()
    .split('\n')
    .map((line) =>
      Array.from(
        line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g),
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    )
  return JSON.stringify(
    rows.map((row): JsonObject =>
      Object.fromEntries(
        header.map((name, index) => [name, /^\d+$/.test(row[index] ?? '') ? Number(row[index]) : (row[index] ?? '')]),
      ),
    ),
  )
}

function print(ways: readonly Way[], text: string): void {
  const cheapest = Math.min(...ways.map(({ tokens }) => tokens))
  const lines = [
    ['what the model reads', 'tokens', 'times'],
    ...ways.map(({ way, tokens }) => [way, tokens.toLocaleString('en'), (tokens / cheapest).toFixed(1)]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const table = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
  table.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  const leads = JSON.parse(text) as { company: string; score: number; deal_value_eur: number }[]
  const found = leads.map(
    (lead, index) =>
      `${index + 1}. ${lead.company}: score ${lead.score}, ${lead.deal_value_eur.toLocaleString('en')} EUR`,
  )
  process.stdout.write(
    `${question}\n\n${table.join('\n')}\n\nTokens of o200k_base; other models' tokenizers give other numbers and a similar ratio.\nThe answer, from the function:\n${found.join('\n')}\n`,
  )
}

const sandbox = await startSandbox(sandboxConfigSchema.parse({}))
try {
  const { versions, csv } = await buildExample(sandbox)
  const result = await answer(sandbox, versions)
  const ways = [
    measure('the 500 rows as JSON', { question, rows: toJsonRows(csv) }),
    measure('the 500 rows as CSV', { question, rows: csv }),
    measure('all six tools, one call, its result', {
      question,
      tools: JSON.stringify(versions.map(toolDefinition)),
      call: JSON.stringify(call),
      result,
    }),
  ]
  if (process.argv.includes('--json')) {
    process.stdout.write(
      `${JSON.stringify({ question, tokenizer: 'o200k_base', call, results: ways, answer: JSON.parse(result) as unknown }, null, 2)}\n`,
    )
  } else print(ways, result)
} finally {
  await sandbox.close()
}
