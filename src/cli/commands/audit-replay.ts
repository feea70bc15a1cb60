import type { Command } from 'commander'
import type { CaseVerdict, CedarVerdict, JudgedCase } from '../../app/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { printableLine } from '../printable.ts'
import { durationSeconds } from './key.ts'

interface ReplayOptions {
  readonly namespace?: string
  readonly bundleOut?: string
  readonly all?: boolean
  readonly since?: number
}

/** `mcpworks audit replay`. */
export function addAuditReplayCommand(audit: Command, context: () => CommandContext): void {
  audit
    .command('replay [call]')
    .description(
      'Makes a recorded decision again, on this machine, with stock Cedar in a process of its own, and compares it with the log',
    )
    .option(...namespaceOption)
    .option('--bundle-out <directory>', "also write the decision as files for Cedar's own command line tool")
    .option('--all', 'every decision, the newest first')
    .option('--since <duration>', 'with --all: only decisions of this time: 30m, 12h, 7d', durationSeconds)
    .action(async (call: string | undefined, options: ReplayOptions) => {
      const all = options.all === true
      if ((call === undefined) !== all || (all && options.bundleOut !== undefined))
        throw new CliError(exitCode.usage, 'Give one call, or --all.', 'With one call, --bundle-out writes it as files')
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      if (call === undefined) await replayAll(namespace, options.since, current)
      else await replayOne(namespace, call, options.bundleOut, current)
    })
}

async function replayOne(
  namespace: string,
  call: string,
  bundleOut: string | undefined,
  { terminal, api }: CommandContext,
): Promise<void> {
  const { replayCases, writeCase } = await import('../../app/index.ts')
  const client = api()
  const answer = await client.call('audit.cases', { namespace, call })
  const [judged] = await replayCases(answer)
  if (judged === undefined) throw new CliError(exitCode.failed, 'The server answered no decision.', null)
  let files: readonly string[] | null = null
  if (bundleOut !== undefined) {
    const proof = await client.call('audit.prove', { namespace, call })
    files = await writeCase(bundleOut, answer, proof)
  }
  const written =
    bundleOut === undefined
      ? []
      : [files === null ? `Nothing was written to ${bundleOut}.` : `${bundleOut}: begin with README.md.`]
  terminal.result(
    { ...jsonOf(judged), files: files === null ? null : [...files] },
    [judgedText(judged), ...written].join('\n'),
  )
  if (judged.verdict === 'different' || judged.verdict === 'cannot') process.exitCode = exitCode.failed
}

async function replayAll(
  namespace: string,
  since: number | undefined,
  { terminal, api }: CommandContext,
): Promise<void> {
  const { replayCases } = await import('../../app/index.ts')
  const client = api()
  const oldest = since === undefined ? '' : new Date(Date.now() - since * 1000).toISOString()
  const counts: Record<CaseVerdict, number> = { same: 0, different: 0, 'refused-before-cedar': 0, cannot: 0 }
  const reasons = new Map<string, number>()
  let before: JsonObject['before'] = null
  do {
    const answer: JsonObject = await client.call('audit.cases', { namespace, before, limit: 50 })
    const judged = (await replayCases(answer)).filter(({ time }) => time === null || time >= oldest)
    for (const one of judged) {
      counts[one.verdict] += 1
      if (one.verdict === 'different') terminal.note(judgedText(one))
      const [reason = ''] = one.sentences
      if (one.verdict === 'cannot') reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    }
    const cases = Array.isArray(answer.cases) ? answer.cases.length : 0
    before = judged.length < cases ? null : (answer.before ?? null)
  } while (before !== null)
  const missing = [...reasons].toSorted(([, left], [, right]) => right - left)
  const text = [
    `${counts.same} decisions come out of stock Cedar as the log of ${namespace} has them.`,
    counts.different === 0 ? 'None comes out differently.' : `${counts.different} COME OUT DIFFERENTLY.`,
    ...(counts['refused-before-cedar'] === 0
      ? []
      : [`${counts['refused-before-cedar']} were refused by an error that is not Cedar's own.`]),
    ...missing.map(([reason, count]) => `${count} cannot be made again: ${printableLine(reason)}`),
  ]
  const json = { ...counts, reasons: missing.map(([reason, count]) => ({ reason, count })) }
  terminal.result(json, text.join('\n'))
  if (counts.different > 0 || counts.same + counts['refused-before-cedar'] === 0) process.exitCode = exitCode.failed
}

const heads: Readonly<Record<CaseVerdict, string>> = {
  same: 'SAME: stock Cedar decides as the log has it',
  different: 'NOT THE SAME: stock Cedar, or what it was given, is not what the log has',
  'refused-before-cedar': "REFUSED BEFORE CEDAR: the log has a refusal by an error that is not Cedar's own",
  cannot: 'CANNOT BE MADE AGAIN',
}

function judgedText({ call, time, principal, tool, verdict, sentences, notes, recorded, stock }: JudgedCase): string {
  const lines = [
    heads[verdict],
    `  call ${call ?? 'unknown'}, ${time ?? ''}: ${principal ?? ''} -> ${tool ?? ''}`,
    ...sentences.map((sentence) => `  ${sentence}`),
    ...(recorded === null ? [] : [`  log    ${verdictText(recorded)}`]),
    ...(stock === null ? [] : [`  stock  ${verdictText(stock)}`]),
    ...notes.map((note) => `  note: ${note}`),
  ]
  return lines.map(printableLine).join('\n')
}

function verdictText({ engine, effect, basis, determining, failed }: CedarVerdict): string {
  const by = determining.length === 0 ? '' : `, by ${determining.join(', ')}`
  const errors = failed.length === 0 ? '' : `, not evaluated: ${failed.join(', ')}`
  return `${effect} (${basis})${by}${errors}; ${engine ?? 'no engine was asked'}`
}

function jsonOf(judged: JudgedCase): JsonObject {
  return JSON.parse(JSON.stringify(judged)) as JsonObject
}
