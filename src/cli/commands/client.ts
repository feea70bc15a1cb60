import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { CliError } from '../cli-error.ts'
import { exitCode } from '../exit-code.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'
import { objects, timeOf } from './rows.ts'

/** `mcpworks client create|add|list|remove`. */
export function addClientCommands(program: Command, context: () => CommandContext): void {
  const client = program
    .command('client')
    .description('OAuth clients: those by which agents get tokens, and applications that people let act for them')

  client
    .command('create <agent>')
    .description('Makes an OAuth client of an agent, for client credentials, and shows its secret once')
    .option(...namespaceOption)
    .option('-l, --label <text>', 'what the client is for', '')
    .option('-k, --keys <file>', 'file with a public JWK or JWK set: the client signs assertions and has no secret')
    .option('--dpop', 'give tokens only with a DPoP proof', false)
    .action(async (agent: string, options: { namespace?: string; label: string; keys?: string; dpop: boolean }) => {
      const current = context()
      const { terminal, api, connection } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('client.create', {
        namespace,
        agent,
        label: options.label,
        keys: options.keys === undefined ? null : readKeys(options.keys),
        dpop: options.dpop,
      })
      const id = String(isJsonObject(answer.client) ? answer.client.id : '')
      const { url } = connection()
      terminal.note(`Issuer: ${url}  resource: ${url}/mcp/${namespace}  client id: ${id}`)
      if (typeof answer.clientSecret === 'string')
        terminal.note('The secret is shown this once. Only its hash is stored.')
      terminal.result(answer, typeof answer.clientSecret === 'string' ? answer.clientSecret : id)
    })

  client
    .command('add <title>')
    .description('Adds an application that people can let act for them')
    .requiredOption('-r, --redirect <uri...>', 'where it takes answers: https, http on loopback, or its own scheme')
    .action(async (title: string, options: { redirect: string[] }) => {
      const { terminal, api } = context()
      const answer = await api().call('application.add', { title, redirects: options.redirect })
      terminal.result(answer, String(isJsonObject(answer.application) ? answer.application.id : ''))
    })

  client
    .command('list')
    .description('Lists applications, or with a namespace the clients of its agents')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const { terminal, api } = context()
      if (options.namespace === undefined) {
        const answer = await api().call('application.list', {})
        const rows = objects(answer.applications).map((row) => [
          String(row.id),
          String(row.name),
          String(row.source),
          timeOf(row.expiresAtMs),
        ])
        return terminal.result(answer, table(['APPLICATION', 'NAME', 'ADDED BY', 'EXPIRES'], rows))
      }
      const answer = await api().call('client.list', { namespace: options.namespace })
      const rows = objects(answer.clients).map((row) => [
        String(row.id),
        String(row.principalId),
        String(row.label),
        String(row.method),
        row.revokedAtMs === null ? timeOf(row.expiresAtMs) : `revoked ${timeOf(row.revokedAtMs)}`,
      ])
      return terminal.result(answer, table(['CLIENT', 'AGENT', 'LABEL', 'METHOD', 'EXPIRES'], rows))
    })

  client
    .command('remove <client>')
    .description('Removes an application (app-...), or revokes the client of an agent, with every token it has')
    .option(...namespaceOption)
    .action(async (id: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      if (id.startsWith('app-')) {
        const answer = await api().call('application.remove', { application: id })
        return terminal.result(answer, `Removed ${id}; ${String(answer.ended)} grants ended.`)
      }
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('client.revoke', { namespace, client: id })
      return terminal.result(answer, `Revoked client ${id}.`)
    })

  client
    .command('rotate-keys')
    .description('Signs access tokens with a new key from now on. Tokens in use stay good until they expire.')
    .action(async () => {
      const { terminal, api } = context()
      const answer = await api().call('signing-key.rotate', {})
      terminal.result(answer, `Signing with ${String(answer.kid)} (${String(answer.algorithm)}).`)
    })
}

/** One public JWK or a set of them (RFC 7517). */
function readKeys(path: string): JsonObject {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (isJsonObject(value)) return Array.isArray(value.keys) ? { keys: value.keys } : { keys: [value] }
  } catch {
    throw new CliError(exitCode.usage, `${path} cannot be read, or is no JSON.`)
  }
  throw new CliError(exitCode.usage, `${path} holds no JWK and no JWK set.`)
}
