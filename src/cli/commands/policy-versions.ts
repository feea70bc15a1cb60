import type { Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

/** `mcpworks policy history|show|activate|rollback`. */
export function addPolicyVersionCommands(policy: Command, context: () => CommandContext): void {
  policy
    .command('history')
    .description('Lists which policies were put in force, when, by whom and why, newest first')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('policy.history', { namespace })
      const rows = objects(answer.activations).map((row) => [
        String(row.policySetHash),
        timeOf(row.activatedAtMs),
        String(row.activatedBy),
        row.active === true ? 'in force' : '',
        String(row.comment),
      ])
      current.terminal.result(answer, table(['POLICIES', 'SINCE', 'BY', '', 'WHY'], rows))
    })

  policy
    .command('show [set]')
    .description('Prints the files of a policy set: those in force, or those of any that "policy history" lists')
    .option(...namespaceOption)
    .action(async (set: string | undefined, options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current
        .api()
        .call('policy.show', { namespace, ...(set === undefined ? {} : { policySet: set }) })
      const files = objects(answer.files).map((file) => `// ${String(file.path)}\n${String(file.text).trimEnd()}\n`)
      current.terminal.note(
        answer.policySetHash === null
          ? `${namespace} has no policies.`
          : `${String(answer.policySetHash)} by ${String(answer.activatedBy)}, ${timeOf(answer.activatedAtMs)}`,
      )
      current.terminal.result(answer, files.join('\n').trimEnd())
    })

  policy
    .command('activate <set>')
    .description('Puts policies in force again that were before, if they still fit the tools')
    .option(...namespaceOption)
    .option('-m, --comment <text>', 'why; kept with the policies and in the record', '')
    .action(async (set: string, options: { namespace?: string; comment: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current
        .api()
        .call('policy.activate', { namespace, policySet: set, comment: options.comment })
      current.terminal.result(answer, activatedText(answer))
    })

  policy
    .command('rollback')
    .description('Puts the policies in force again that were before those in force')
    .option(...namespaceOption)
    .option('-m, --comment <text>', 'why; kept with the policies and in the record', '')
    .action(async (options: { namespace?: string; comment: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const { activations } = await current.api().call('policy.history', { namespace })
      const [newest, ...older] = objects(activations).map(({ policySetHash }) => String(policySetHash))
      const before = older.find((set) => set !== newest)
      if (newest === undefined || before === undefined) {
        throw new CliError(exitCode.failed, `${namespace} had no other policies before those in force.`)
      }
      const answer = await current.api().call('policy.activate', {
        namespace,
        policySet: before,
        // What is taken back is what this person saw, not what somebody put in force a moment ago.
        base: newest,
        comment: options.comment === '' ? `roll back ${newest}` : options.comment,
      })
      current.terminal.result(answer, activatedText(answer))
    })
}

function activatedText({ policySetHash, replaces }: JsonObject): string {
  return policySetHash === replaces
    ? `${String(policySetHash)} is in force already.`
    : `In force: ${String(policySetHash)}\nBefore:   ${String(replaces ?? 'nothing')}`
}
