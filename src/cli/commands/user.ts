import type { Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

const roleHelp = 'owner, admin, author, approver, auditor or viewer; or in one namespace: demo/auditor'

/** `mcpworks user add|list|set-roles|link|disable|enable|revoke`. */
export function addUserCommands(program: Command, context: () => CommandContext): void {
  const user = program.command('user').description('Users: the people who sign in')

  user
    .command('add <user>')
    .description('Adds a user and shows a one-time link with which they set a passkey or a password')
    .option('-r, --role <role...>', roleHelp, [])
    .action(async (name: string, options: { role: string[] }) => {
      const { terminal, api } = context()
      const answer = await api().call('user.add', { user: name, roles: options.role })
      terminal.note(linkNote(answer))
      terminal.result(answer, String(answer.link))
    })

  user
    .command('list')
    .description('Lists the users')
    .action(async () => {
      const { terminal, api } = context()
      const answer = await api().call('user.list', {})
      const rows = objects(answer.users).map((row) => [
        String(row.id),
        Array.isArray(row.roles) ? row.roles.join(',') : '',
        factorsOf(row),
        timeOf(row.createdAtMs),
        statusOf(row),
      ])
      terminal.result(answer, table(['USER', 'ROLES', 'SIGNS IN WITH', 'ADDED', 'STATUS'], rows))
    })

  user
    .command('set-roles <user> [roles...]')
    .description(`Gives a user these roles and no others: ${roleHelp}`)
    .action(async (name: string, roles: string[]) => {
      const { terminal, api } = context()
      const answer = await api().call('user.set-roles', { user: name, roles })
      terminal.result(answer, `${name} is now ${roles.length === 0 ? 'in no role' : roles.join(', ')}.`)
    })

  user
    .command('link <user>')
    .description('Makes a one-time link for a user who cannot sign in. Links made before are worth nothing.')
    .action(async (name: string) => {
      const { terminal, api } = context()
      const answer = await api().call('user.link', { user: name })
      terminal.note(linkNote(answer))
      terminal.result(answer, String(answer.link))
    })

  const simple = [
    ['disable', 'Ends all sessions of a user and lets nobody in under that name until it is enabled', 'Disabled'],
    ['enable', 'Lets a disabled user sign in again', 'Enabled'],
    ['revoke', 'Revokes a user for good, from the next request on. The name is never used again.', 'Revoked'],
  ] as const
  for (const [verb, description, done] of simple) {
    user
      .command(`${verb} <user>`)
      .description(description)
      .action(async (name: string) => {
        const { terminal, api } = context()
        const answer = await api().call(`user.${verb}`, { user: name })
        terminal.result(answer, `${done} user ${name}.`)
      })
  }
}

function linkNote(answer: JsonObject): string {
  return `The link is shown this once, is good once and until ${timeOf(answer.linkExpiresAtMs)}. Whoever opens it first has the account.`
}

function factorsOf(row: JsonObject): string {
  const parts = [
    ...(typeof row.passkeys === 'number' && row.passkeys > 0 ? [`passkeys (${row.passkeys})`] : []),
    ...(row.password === true ? ['password'] : []),
    ...(Array.isArray(row.accounts) && row.accounts.length > 0 ? ['issuer'] : []),
  ]
  return parts.length === 0 ? '-' : parts.join(', ')
}

function statusOf(row: JsonObject): string {
  if (row.revokedAtMs !== null) return `revoked ${timeOf(row.revokedAtMs)}`
  return row.disabledAtMs === null ? 'active' : `disabled ${timeOf(row.disabledAtMs)}`
}
