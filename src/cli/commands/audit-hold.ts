import type { Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import { confirm } from '../confirm.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { objects } from './rows.ts'

/** `mcpworks audit hold set|list|lift` and `mcpworks audit erase`. */
export function addHoldCommands(audit: Command, context: () => CommandContext): void {
  const hold = audit.command('hold').description('Legal holds: orders that nothing is deleted or erased')

  hold
    .command('set')
    .description('Keeps everything of a namespace, or of one principal in it, until the hold is lifted')
    .option(...namespaceOption)
    .option(
      '--subject <id>',
      'only what is beside the records of this principal: a user, or an agent as namespace/agent',
    )
    .requiredOption('--reason <text>', 'why; stands in the record')
    .action(async (options: { namespace?: string; subject?: string; reason: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const { subject, reason } = options
      const answer = await current.api().call('hold.place', {
        namespace,
        reason,
        ...(subject === undefined ? {} : { subject }),
      })
      current.terminal.result(answer, `On hold: ${holdLine(answer.hold as JsonObject)}`)
    })

  hold
    .command('list')
    .description('Lists the holds of a namespace')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('hold.list', { namespace })
      const lines = objects(answer.holds).map(holdLine)
      current.terminal.result(answer, lines.length === 0 ? `Nothing is on hold in ${namespace}.` : lines.join('\n'))
    })

  hold
    .command('lift <hold>')
    .description('Lifts a hold. What it kept goes where its time is over.')
    .option(...namespaceOption)
    .requiredOption('--reason <text>', 'why; stands in the record')
    .action(async (id: string, options: { namespace?: string; reason: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('hold.lift', { namespace, hold: id, reason: options.reason })
      current.terminal.result(answer, `Lifted: ${holdLine(answer.lifted as JsonObject)}`)
    })

  audit
    .command('erase')
    .description('Erases arguments, results and engine inputs of a principal everywhere, by deleting the keys')
    .requiredOption('--subject <id>', 'the principal: a user, or an agent as namespace/agent')
    .option('--with-agents', 'also of the agents that the user owns')
    .option('--confirm <id>', 'the id once more, to do it without being asked')
    .action(async (options: { subject: string; withAgents?: boolean; confirm?: string }) => {
      const current = context()
      const { subject } = options
      const said =
        options.confirm ??
        ((await confirm(`Erase what ${subject} sent and got? This cannot be undone.`)) ? subject : null)
      if (said !== subject)
        throw new CliError(exitCode.usage, 'Nothing was erased.', `Give --confirm ${subject} to erase it`)
      const answer = await current
        .api()
        .call('erasure.erase', { subject, confirm: said, agents: options.withAgents === true })
      current.terminal.result(
        answer,
        [...objects(answer.erased).map(erasedLine), ...objects(answer.held).map(heldLine)].join('\n'),
      )
    })
}

function holdLine({ hold, subject, reason, placedBy, placedAt }: JsonObject): string {
  const what = subject === null ? 'everything' : String(subject)
  return `${String(hold)}  ${what}  by ${String(placedBy)} at ${String(placedAt)}: ${String(reason)}`
}

function erasedLine({ subject, namespaces }: JsonObject): string {
  const places = objects(namespaces).map(({ namespace, keys }) => `${String(namespace)} (${String(keys)} keys)`)
  return `${String(subject)}: ${places.length === 0 ? 'nothing was kept of it' : `erased in ${places.join(', ')}`}`
}

function heldLine(held: JsonObject): string {
  return `${String(held.subject)}: NOT erased in ${String(held.namespace)}, on hold there: ${holdLine(held)}`
}
