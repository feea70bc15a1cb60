import { InvalidArgumentError, type Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './agent.ts'

/** `mcpworks key create|list|revoke`. */
export function addKeyCommands(program: Command, context: () => CommandContext): void {
  const key = program.command('key').description('API keys of agents')

  key
    .command('create <agent>')
    .description('Makes an API key for an agent and shows it once')
    .option(...namespaceOption)
    .option('-l, --label <text>', 'what the key is for', '')
    .option(
      '-e, --expires <duration>',
      'for how long it is good, such as 90d, 12h or 30m (default: until revoked)',
      durationSeconds,
    )
    .action(async (agent: string, options: { namespace?: string; label: string; expires?: number }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('key.create', {
        namespace,
        agent,
        label: options.label,
        expiresInSeconds: options.expires ?? null,
      })
      terminal.note('The key is shown this once. Only its hash is stored.')
      terminal.result(answer, String(answer.apiKey))
    })

  key
    .command('list <agent>')
    .description('Lists the keys of an agent, without their secrets')
    .option(...namespaceOption)
    .action(async (agent: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('key.list', { namespace, agent })
      const rows = objects(answer.keys).map((row) => [
        String(row.id),
        String(row.label),
        timeOf(row.createdAtMs),
        timeOf(row.expiresAtMs),
        row.revokedAtMs === null ? 'active' : `revoked ${timeOf(row.revokedAtMs)}`,
      ])
      terminal.result(answer, table(['KEY', 'LABEL', 'MADE', 'EXPIRES', 'STATUS'], rows))
    })

  key
    .command('revoke <key>')
    .description('Revokes a key from the next request on. <key> is the id, the part after "mcpw_".')
    .option(...namespaceOption)
    .action(async (id: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('key.revoke', { namespace, key: id })
      terminal.result(answer, `Revoked key ${id}.`)
    })
}

const unitSeconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
])

function durationSeconds(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  const unit = unitSeconds.get(match?.[2] ?? '')
  if (match?.[1] === undefined || unit === undefined)
    throw new InvalidArgumentError('write a number and s, m, h or d: 90d')
  return Number(match[1]) * unit
}
