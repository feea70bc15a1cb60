import type { Command } from 'commander'
import type { JsonObject } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

/** `mcpworks credential list|revoke`: what agents can enter with, of every kind. */
export function addCredentialCommands(program: Command, context: () => CommandContext): void {
  const credential = program
    .command('credential')
    .description('What agents can enter with: API keys, OAuth clients, consents, bindings to tokens of other issuers')

  credential
    .command('list [agent]')
    .description('Lists the credentials of an agent, or of all agents of a namespace, without secrets')
    .option(...namespaceOption)
    .action(async (agent: string | undefined, options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current
        .api()
        .call('credential.list', { namespace, ...(agent === undefined ? {} : { agent }) })
      current.terminal.result(answer, credentialTable(objects(answer.credentials)))
    })

  credential
    .command('revoke <credential>')
    .description('Revokes a credential, and with it every token issued under it, from the next request on')
    .option(...namespaceOption)
    .action(async (id: string, options: { namespace?: string }) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('credential.revoke', { namespace, credential: id })
      current.terminal.result(answer, `Revoked credential ${id}.`)
    })
}

/** Credentials as `credential.list` and `agent.show` answer them. */
export function credentialTable(rows: readonly JsonObject[]): string {
  return table(
    ['CREDENTIAL', 'KIND', 'AGENT', 'LABEL', 'SCOPES', 'MADE', 'EXPIRES', 'LAST USED', 'STATUS'],
    rows.map((row) => [
      String(row.id),
      String(row.kind),
      String(row.agent),
      String(row.label),
      Array.isArray(row.scopes) ? row.scopes.join(' ') : '',
      timeOf(row.createdAtMs),
      timeOf(row.expiresAtMs),
      timeOf(row.lastUsedAtMs),
      row.status === 'revoked' ? `revoked ${timeOf(row.revokedAtMs)}` : String(row.status),
    ]),
  )
}
