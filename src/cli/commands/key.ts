import { InvalidArgumentError, type Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

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
      const { terminal, api, connection } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('key.create', {
        namespace,
        agent,
        label: options.label,
        expiresInSeconds: options.expires ?? null,
      })
      terminal.note('The key is shown this once. Only its hash is stored.')
      terminal.result(answer, String(answer.apiKey))
      terminal.note(
        `It is sent to ${connection().url}/mcp/${namespace} as "Authorization: Bearer KEY". Here: export MCPWORKS_AGENT_KEY=KEY`,
      )
      terminal.note(
        `A client's own file: npx mcpworks connect claude-code -n ${namespace} --api-key (or cursor, vscode, codex, gemini, windsurf, json)`,
      )
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
        keyStatus(row, Date.now()),
      ])
      terminal.result(answer, table(['KEY', 'LABEL', 'MADE', 'EXPIRES', 'STATUS'], rows))
    })

  key
    .command('revoke <key>')
    .description('Revokes a key from the next request on. <key> is its id, as "key list" shows it, or the whole key.')
    .option(...namespaceOption)
    .action(async (key: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      // What is not needed is not sent on: of a whole key only the id.
      const id = /^mcpw_([a-z0-9]{12})(?:_|$)/.exec(key)?.[1] ?? key
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('key.revoke', { namespace, key: id })
      terminal.result(answer, `Revoked key ${id}.`)
    })
}

/** `active`, or since when it is not. */
function keyStatus(row: JsonObject, nowMs: number): string {
  if (row.revokedAtMs !== null) return `revoked ${timeOf(row.revokedAtMs)}`
  return typeof row.expiresAtMs === 'number' && row.expiresAtMs <= nowMs ? 'expired' : 'active'
}

const unitSeconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
])

/** Seconds of a duration such as `90d`, for commander. */
export function durationSeconds(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  const unit = unitSeconds.get(match?.[2] ?? '')
  if (match?.[1] === undefined || unit === undefined)
    throw new InvalidArgumentError('write a number and s, m, h or d: 90d')
  const seconds = Number(match[1]) * unit
  if (seconds < 60 || seconds > 366 * 86_400) throw new InvalidArgumentError('write 60s to 366d')
  return seconds
}
