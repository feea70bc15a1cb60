import type { Command } from 'commander'
import { isJsonObject, type JsonValue } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

interface WhichNamespace {
  readonly all?: boolean
}

/** `mcpworks namespace list|close|open`. */
export function addNamespaceCommands(program: Command, context: () => CommandContext): void {
  const namespace = program.command('namespace').description('Namespaces, and the kill switch of each')

  namespace
    .command('list')
    .description('Lists the namespaces')
    .action(async () => {
      const { terminal, api } = context()
      const answer = await api().call('namespace.list', {})
      const rows = objects(answer.namespaces).map((row) => [
        String(row.name),
        timeOf(row.createdAtMs),
        closureText(row.closed) ?? closureText(answer.closed, 'all ') ?? 'open',
      ])
      terminal.result(answer, table(['NAMESPACE', 'MADE', 'STATUS'], rows))
    })

  namespace
    .command('close [namespace]')
    .description(
      'Kill switch: from the next request on no credential of its agents is good, and calls under way are cut off. People still manage.',
    )
    .option('--all', 'all namespaces, those made later included')
    .requiredOption('-r, --reason <text>', 'why, for the record')
    .action(async (name: string | undefined, options: WhichNamespace & { reason: string }) => {
      const { terminal, api } = context()
      const { reason } = options
      const target = which(name, options)
      const answer =
        target === null
          ? await api().call('platform.close', { reason })
          : await api().call('namespace.close', { namespace: target, reason })
      terminal.result(answer, target === null ? 'Closed all namespaces.' : `Closed namespace ${target}.`)
    })

  namespace
    .command('open [namespace]')
    .description('Opens a closed namespace again. Sessions and streams that were cut off have to be begun anew.')
    .option('--all', 'ends the closure of all; those closed one by one stay closed')
    .action(async (name: string | undefined, options: WhichNamespace) => {
      const { terminal, api } = context()
      const target = which(name, options)
      const answer =
        target === null
          ? await api().call('platform.open', {})
          : await api().call('namespace.open', { namespace: target })
      const said =
        answer.opened === true ? `Opened ${target ?? 'the platform'}.` : `${target ?? 'The platform'} was not closed.`
      const still = answer.stillClosed === true ? ' All namespaces are closed: mcpworks namespace open --all' : ''
      terminal.result(answer, `${said}${still}`)
    })
}

/** `null` for all. @throws CliError where neither a name nor --all is given, or both */
function which(name: string | undefined, { all }: WhichNamespace): string | null {
  if ((name === undefined) !== (all === true))
    throw new CliError(exitCode.usage, 'Which namespace?', 'Give its name, or --all.')
  return name ?? null
}

function closureText(closure: JsonValue | undefined, what = ''): string | null {
  if (!isJsonObject(closure)) return null
  return `${what}closed ${timeOf(closure.closedAtMs)} by ${String(closure.closedBy)}: ${String(closure.reason)}`
}
