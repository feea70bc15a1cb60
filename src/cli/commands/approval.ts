import type { Command } from 'commander'
import type { OperationName } from '../../contract/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { printableLine } from '../printable.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

interface InNamespace {
  readonly namespace?: string
}

/** `mcpworks approval list|show|approve|deny|link`. */
export function addApprovalCommands(program: Command, context: () => CommandContext): void {
  const approval = program.command('approval').description('Calls that wait for a person')
  const operate = async (operation: OperationName, options: InNamespace, input: JsonObject) => {
    const current = context()
    const namespace = await chooseNamespace(options.namespace, current)
    const answer = await current.api().call(operation, { namespace, ...input })
    return { answer, namespace, terminal: current.terminal }
  }

  approval
    .command('list')
    .description('Lists calls that wait for a person, and those decided on that are still open')
    .option(...namespaceOption)
    .option('--all', 'every request that is kept')
    .action(async (options: InNamespace & { all?: boolean }) => {
      const { answer, terminal } = await operate('approval.list', options, { all: options.all === true })
      const rows = objects(answer.approvals).map((row) => [
        String(row.id),
        String(row.status),
        String(row.requester),
        String(row.tool),
        timeOf(row.requestedAtMs),
        timeOf(row.expiresAtMs),
        typeof row.decidedBy === 'string' ? row.decidedBy : '-',
      ])
      terminal.result(answer, table(['REQUEST', 'STATUS', 'OF', 'TOOL', 'SINCE', 'UNTIL', 'DECIDED BY'], rows))
    })

  approval
    .command('show <request>')
    .description('Shows a call that waits with its whole arguments; secrets in them are hidden')
    .option(...namespaceOption)
    .action(async (id: string, options: InNamespace) => {
      const { answer, terminal } = await operate('approval.show', options, { approval: id })
      terminal.result(answer, shownText(isJsonObject(answer.approval) ? answer.approval : {}))
    })

  approval
    .command('approve <request>')
    .description('Lets exactly this call be made, once, when it is made again. See it first with "approval show".')
    .option(...namespaceOption)
    .option('-m, --comment <text>', 'why; kept with the request and in the record', '')
    .action(async (id: string, options: InNamespace & { comment: string }) => {
      const { answer, terminal } = await operate('approval.approve', options, {
        approval: id,
        comment: options.comment,
      })
      terminal.result(answer, `Approved. The call can be made once${untilOf(answer)}.`)
    })

  approval
    .command('deny <request>')
    .description('Denies a call that waits. The same call asks nobody again for a while.')
    .option(...namespaceOption)
    .option('-m, --comment <text>', 'why; told to whoever asked', '')
    .action(async (id: string, options: InNamespace & { comment: string }) => {
      const { answer, terminal } = await operate('approval.deny', options, { approval: id, comment: options.comment })
      terminal.result(answer, `Denied. The same call asks nobody${untilOf(answer)}.`)
    })

  approval
    .command('link <request>')
    .description('Makes a link by which a user decides on a call that waits, once, without signing in')
    .option(...namespaceOption)
    .requiredOption('--user <user>', 'who decides with it. Whoever has the link can: send it to nobody else.')
    .action(async (id: string, options: InNamespace & { user: string }) => {
      const { answer, terminal } = await operate('approval.link', options, { approval: id, user: options.user })
      const text = `For ${line(answer.user)}, until ${timeOf(answer.linkExpiresAtMs)}:\n  ${line(answer.link)}`
      terminal.result(answer, text)
    })
}

function untilOf({ approval }: JsonObject): string {
  return isJsonObject(approval) ? `, until ${timeOf(approval.expiresAtMs)}` : ''
}

/** Names, sentences and arguments are the words of others: nothing in them can look like a line of this page. */
function shownText(approval: JsonObject): string {
  const facts = [
    ['request', line(approval.id)],
    ['status', line(approval.status)],
    ['of', [approval.requester, ...listOf(approval.actors)].map(line).join(', used by ')],
    ['tool', `${line(approval.tool)} of ${line(approval.service)}, by the ${line(approval.door)} door`],
    ...(approval.toolIsUnchanged === false ? [['', 'THE TOOL HAS CHANGED SINCE: it cannot be approved']] : []),
    ['because of', listOf(approval.rules).map(line).join(', ')],
    ...listOf(approval.reasons).map((reason) => ['', line(reason)]),
    ['asked', `${timeOf(approval.requestedAtMs)}, by call ${line(approval.call)}`],
    ['until', timeOf(approval.expiresAtMs)],
    ...(approval.decidedBy === null
      ? []
      : [['decided', `by ${line(approval.decidedBy)}, ${timeOf(approval.decidedAtMs)}`]]),
    ...(approval.comment === '' ? [] : [['comment', line(approval.comment)]]),
    ...(approval.spentByCall === null
      ? []
      : [['used', `by call ${line(approval.spentByCall)}, ${timeOf(approval.spentAtMs)}`]]),
  ].map(([label = '', value = '']) => `${label.padEnd(12)}${value}`)
  const shown =
    typeof approval.argumentsText === 'string'
      ? approval.argumentsText.split('\n').map(line)
      : [`(see: mcpworks why ${line(approval.call)})`]
  return [...facts, 'arguments', ...shown.map((text) => `  ${text}`)].join('\n')
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : []
}

function line(value: JsonValue | undefined): string {
  return printableLine(String(value))
}
