import { InvalidArgumentError, Option, type Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { position } from '../position.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { printableLine } from '../printable.ts'
import { objects } from './rows.ts'

/** Options that are sent on as they are. */
const filters = [
  ['--agent <agent>', 'calls of this agent'],
  ['--principal <id>', 'calls of this principal, by its whole id: a user, or an agent as namespace/agent'],
  ['--tool <tool>', 'calls of this tool, resource or operation'],
  ['--service <service>', 'calls of the tools of this service'],
  ['--rule <id>', 'calls that this policy decided'],
  ['--basis <basis>', 'permit, forbid, default-deny, barred, error'],
  [
    '--status <status>',
    'how it ended: ok, tool-error, protocol-error, timeout, killed, limit, input-required, abandoned',
  ],
  ['--label <label>', 'calls in runs with this label'],
  ['--door <door>', 'by which it came in: tool, code, management and others'],
  ['--kind <kind>', 'decision, outcome, abandoned, approval, credential, policy-change and others'],
  ['--run <run>', 'calls of this run'],
  ['--parent <call>', 'calls that this call made'],
  ['--call <call>', 'this call'],
  ['--text <words>', 'whole words of reasons, details, names and events; never of arguments or results'],
] as const

/** Pages that one command reads where nothing is found. */
const mostPages = 50

/** `mcpworks audit search` and `mcpworks audit tree`. */
export function addSearchCommands(audit: Command, context: () => CommandContext): void {
  const search = audit
    .command('search')
    .description('Finds calls and other records by any combination of what they say in the clear, newest first')
    .option(...namespaceOption)
  for (const [flags, description] of filters) search.option(flags, description)
  search
    .addOption(new Option('--effect <effect>', 'how it was decided').choices(['allow', 'deny']))
    .option(
      '--since <when>',
      'decided from then on: 2026-11-21T09:00:00Z, or a stretch until now such as 30m, 24h, 7d',
      moment,
    )
    .option('--until <when>', 'decided until then', moment)
    .option('--reads', 'also the calls that read the log')
    .option('--before <position>', 'go on before this position, as the last page said', position)
    .option('-c, --count <number>', 'show this many, 1 to 200', count, 20)
    .action(async (options: Record<string, string | number | boolean | undefined>) => showFound(options, context()))

  audit
    .command('tree <run>')
    .description(
      'Draws the calls of a run, each under the one that made it. Takes the id of a call in place of that of a run.',
    )
    .option(...namespaceOption)
    .action(async (run: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('audit.tree', { namespace, run })
      const lines = [`run ${printableLine(String(answer.run))}`, ...drawn(objects(answer.calls), '')]
      terminal.result(answer, lines.join('\n'))
      if (answer.more === true) terminal.note(`Only ${String(answer.count)} calls are shown: there are more.`)
      noteBehind(answer.behind, terminal)
    })
}

async function showFound(
  { namespace: given, count: limit, ...options }: Record<string, string | number | boolean | undefined>,
  current: CommandContext,
): Promise<void> {
  const { terminal, api } = current
  const namespace = await chooseNamespace(typeof given === 'string' ? given : undefined, current)
  const hits: JsonObject[] = []
  let before = typeof options.before === 'number' ? options.before : null
  let answer: JsonObject = {}
  const wanted = Number(limit)
  // A page that stopped early has looked at as much as a server does for one question: the next goes on there.
  for (let page = 0; page < mostPages; page++) {
    const asked = Object.entries(options).map(([name, value]) => [name, value ?? null])
    answer = await api().call('audit.search', {
      ...(Object.fromEntries(asked) as JsonObject),
      namespace,
      before,
      limit: wanted - hits.length,
    })
    hits.push(...objects(answer.hits))
    before = typeof answer.next === 'number' ? answer.next : null
    if (before === null || hits.length >= wanted) break
  }
  for (const hit of hits) terminal.line(hit, hitLine(hit))
  const index = isJsonObject(answer.index) ? answer.index : {}
  if (hits.length > 0)
    terminal.note('One of them as a page: mcpworks why CALL; with the calls around it: mcpworks audit tree CALL')
  if (hits.length === 0) terminal.note(`Nothing in ${namespace} fits${before === null ? '' : ' so far'}.`)
  if (before !== null) terminal.note(`There may be more: go on with --before ${before}`)
  noteBehind(index.behind, terminal)
}

function noteBehind(behind: unknown, terminal: CommandContext['terminal']): void {
  if (typeof behind === 'number' && behind > 0)
    terminal.note(`The index is ${behind} records behind the log: what they say is not found yet.`)
}

/** One line of what was found. */
function hitLine(hit: JsonObject): string {
  return `${String(hit.position).padStart(7)}  ${String(hit.time)}  ${said(hit)}  ${printableLine(String(hit.call))}`
}

function said(hit: JsonObject): string {
  const { called } = hit
  if (!isJsonObject(called)) {
    const event = JSON.stringify(hit.event)
    return printableLine(`${String(hit.kind)} ${event.length > 200 ? `${event.slice(0, 200)}...` : event}`)
  }
  const rules = objects(called.rules).map((rule) => String(rule.id))
  const by = rules.length === 0 ? String(called.basis) : rules.join(', ')
  const took = typeof called.durationMs === 'number' ? ` in ${called.durationMs.toFixed(0)} ms` : ''
  const ended = called.effect === 'deny' ? '' : `, ${String(called.status ?? 'no outcome yet')}${took}`
  const detail = typeof called.detail === 'string' ? ` (${called.detail})` : ''
  return printableLine(
    `${String(called.effect)}${ended}${detail}  ${String(called.principal)} -> ${String(called.tool)}  [${by}]`,
  )
}

function drawn(calls: readonly JsonObject[], indent: string): string[] {
  return calls.flatMap((call, position) => {
    const isLast = position === calls.length - 1
    const line = `${indent}${isLast ? '`-- ' : '|-- '}${said(call)}  ${printableLine(String(call.call))}`
    return [line, ...drawn(objects(call.calls), `${indent}${isLast ? '    ' : '|   '}`)]
  })
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 200)
    throw new InvalidArgumentError('write a number from 1 to 200')
  return value
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A moment, or a stretch before the present one. */
function moment(text: string): string {
  const stretch = /^(\d{1,6})([smhd])$/.exec(text)
  const ms = stretch === null ? Date.parse(text) : Date.now() - Number(stretch[1]) * (unitMs[stretch[2] ?? ''] ?? 0)
  if (Number.isNaN(ms)) throw new InvalidArgumentError('write a moment such as 2026-11-21T09:00:00Z, or 24h')
  return new Date(ms).toISOString()
}
