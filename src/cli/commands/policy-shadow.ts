import { Option, type Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { problemLine } from '../api-client.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { readPolicyFiles } from '../read-policy-files.ts'
import { differenceLines, failures, hasFailure, type FailOn } from './policy-differences.ts'
import { objects } from './rows.ts'

/** `mcpworks policy shadow set|show|clear`. */
export function addPolicyShadowCommands(policy: Command, context: () => CommandContext): void {
  const shadow = policy
    .command('shadow')
    .description('Policies that decide each call beside those in force, without a say')

  shadow
    .command('set [directory]')
    .description('Tries the policy files of a directory, or a set that there was, from the next call on')
    .option(...namespaceOption)
    .option('--policy-set <hash>', 'a set that "policy history" lists')
    .option('-m, --comment <text>', 'why; kept with the policies and in the record', '')
    .action(
      async (directory: string | undefined, options: { namespace?: string; policySet?: string; comment: string }) => {
        if ((directory === undefined) === (options.policySet === undefined))
          throw new CliError(exitCode.usage, 'Say which policies to try.', 'Give a directory or --policy-set HASH')
        const current = context()
        const namespace = await chooseNamespace(options.namespace, current)
        const answer = await current.api().call('shadow.set', {
          namespace,
          files: directory === undefined ? null : await readPolicyFiles(directory),
          policySet: options.policySet ?? null,
          comment: options.comment,
        })
        const warnings = objects(answer.problems).map(
          (problem) => `${String(problem.severity)}: ${problemLine(problem)}`,
        )
        const text = `Tried in ${namespace}: ${String(answer.policySetHash)}\nIn force:  ${String(answer.inForce ?? 'nothing')}`
        current.terminal.result(answer, [...warnings, text].join('\n'))
      },
    )

  shadow
    .command('show')
    .description('What the policies that are tried would have decided differently since they were set')
    .option(...namespaceOption)
    .addOption(new Option('--fail-on <what>', 'what to exit with 1 for').choices(failures).default('nothing'))
    .action(async (options: { namespace?: string; failOn: FailOn }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('audit.shadow', { namespace })
      current.terminal.result(answer, shadowText(answer))
      if (hasFailure(answer, options.failOn)) process.exitCode = exitCode.failed
    })

  shadow
    .command('clear')
    .description('Ends the trial; what it found stays in the log')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('shadow.clear', { namespace })
      const text =
        answer.policySetHash === null
          ? `No policies were tried in ${namespace}.`
          : `Not tried any more: ${String(answer.policySetHash)}`
      current.terminal.result(answer, text)
    })
}

function shadowText(answer: JsonObject): string {
  const { shadow, missed } = answer
  if (!isJsonObject(shadow)) return `No policies are tried in ${String(answer.namespace)}.`
  const why = shadow.comment === '' ? '' : `: ${String(shadow.comment)}`
  const counts = Object.entries(isJsonObject(missed) ? missed : {})
  return [
    `${String(shadow.policySetHash)}, tried by ${String(shadow.setBy)} since ${String(shadow.setAt)}${why}`,
    ...(shadow.stopped === null ? [] : [`STOPPED: ${String(shadow.stopped)}. Set them again to go on.`]),
    ...(answer.complete === true ? [] : ['NOT ALL: only the newest records were read']),
    `${String(answer.decided)} ${answer.decided === 1 ? 'call was' : 'calls were'} decided beside ${String(answer.inForce ?? 'nothing')}; ${String(answer.same)} come out the same`,
    ...counts.map(([reason, count]) => `${String(count)} calls were not decided: ${sentences[reason] ?? reason}`),
    ...differenceLines(answer),
  ].join('\n')
}

const sentences: Readonly<Record<string, string>> = {
  busy: 'too many were waiting',
  'too-large': 'the request was over 64 KiB',
  'tool-changed': 'the tool changed while the call was decided',
}
