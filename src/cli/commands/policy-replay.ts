import { Option, type Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import { problemLine } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { readPolicyFiles } from '../read-policy-files.ts'
import { durationSeconds } from './key.ts'
import { countOf, differenceLines, differenceSection, failures, hasFailure, type FailOn } from './policy-differences.ts'
import { objects } from './rows.ts'

interface ReplayOptions {
  readonly namespace?: string
  readonly since: number
  readonly with?: string
  readonly policySet?: string
  readonly max: string
  readonly failOn: FailOn
}

/** `mcpworks policy replay`. */
export function addPolicyReplayCommand(policy: Command, context: () => CommandContext): void {
  policy
    .command('replay')
    .description('Decides recorded calls again under other policies and tells what would change; changes nothing')
    .option(...namespaceOption)
    .requiredOption('--since <duration>', 'how far back: 30m, 12h, 7d', durationSeconds)
    .option('--with <directory>', 'the policy files of this directory')
    .option('--policy-set <hash>', 'a set that "policy history" lists')
    .option('--max <number>', 'look at this many of the newest decisions', '200000')
    .addOption(
      new Option('--fail-on <what>', 'what to exit with 1 for; mismatches always are')
        .choices(failures)
        .default('changes'),
    )
    .action(async (options: ReplayOptions) => {
      if ((options.with === undefined) === (options.policySet === undefined))
        throw new CliError(exitCode.usage, 'Say which policies to try.', 'Give --with DIRECTORY or --policy-set HASH')
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('audit.replay', {
        namespace,
        sinceSeconds: options.since,
        maxDecisions: Number(options.max),
        files: options.with === undefined ? null : await readPolicyFiles(options.with),
        policySet: options.policySet ?? null,
      })
      current.terminal.result(answer, replayText(answer))
      if (isFailure(answer, options.failOn)) process.exitCode = exitCode.failed
    })
}

/** A replay that could try nothing at all proves nothing, and is a failure too unless nothing is to be one. */
function isFailure(answer: JsonObject, failOn: FailOn): boolean {
  if (countOf(answer.mismatches) > 0) return true
  if (failOn !== 'nothing' && answer.replayed === 0 && answer.decisions !== 0) return true
  return hasFailure(answer, failOn)
}

function replayText(answer: JsonObject): string {
  const warnings = objects(answer.problems).map((problem) => `${String(problem.severity)}: ${problemLine(problem)}`)
  const head =
    `${String(answer.decisions)} decisions of ${String(answer.namespace)} since ${String(answer.since)}, ` +
    `${String(answer.replayed)} decided again under ${String(answer.policySetHash)}`
  const incomplete =
    answer.complete === true
      ? []
      : [`NOT ALL: it ended at ${String(answer.oldest)}; older decisions were not looked at`]
  return [
    ...warnings,
    head,
    ...incomplete,
    `${String(answer.unchanged)} come out the same; ${String(answer.sameQuestion)} were decided by these very policies`,
    ...(answer.factsDerived === 0 ? [] : [`for ${String(answer.factsDerived)} facts were derived anew`]),
    ...differenceLines(answer),
    ...differenceSection(
      'MISMATCHES: the same policies, and yet another decision; report this as a bug',
      answer.mismatches,
    ),
    ...notReplayed(answer),
    ...changedTools(answer),
  ].join('\n')
}

function notReplayed(answer: JsonObject): string[] {
  const rows = objects(answer.notReplayed)
  if (rows.length === 0) return []
  return [
    '',
    'Not decided again:',
    ...rows.map(
      ({ count, sentence, examples }) =>
        `  ${String(count)} x ${String(sentence)}, such as ${Array.isArray(examples) ? String(examples[0]) : ''}`,
    ),
  ]
}

function changedTools(answer: JsonObject): string[] {
  const rows = objects(answer.changedTools)
  if (rows.length === 0) return []
  return [
    '',
    'Tools that changed since: their calls were decided as the tools are today',
    ...rows.map(({ tool, count }) => `  ${String(tool)} (${String(count)} calls)`),
  ]
}
