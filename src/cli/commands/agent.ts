import type { Command } from 'commander'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { table } from '../terminal.ts'

/** `mcpworks agent add|list|revoke`. */
export function addAgentCommands(program: Command, context: () => CommandContext): void {
  const agent = program.command('agent').description('Agents: the programs that act in a namespace')

  agent
    .command('add <agent>')
    .description('Adds an agent. It may do nothing until a policy permits something.')
    .requiredOption('-n, --namespace <name>', 'namespace of the agent')
    .option('-g, --group <group...>', 'groups that policies can speak of', [])
    .action(async (name: string, options: { namespace: string; group: string[] }) => {
      const { terminal, api } = context()
      const answer = await api().call('agent.add', { namespace: options.namespace, agent: name, groups: options.group })
      terminal.result(
        answer,
        `Added agent ${options.namespace}/${name}.\nNext: mcpworks key create ${name} -n ${options.namespace}`,
      )
    })

  agent
    .command('list')
    .description('Lists the agents of a namespace')
    .requiredOption('-n, --namespace <name>', 'namespace')
    .action(async (options: { namespace: string }) => {
      const { terminal, api } = context()
      const answer = await api().call('agent.list', { namespace: options.namespace })
      const rows = objects(answer.agents).map((row) => [
        String(row.id),
        Array.isArray(row.groups) ? row.groups.join(',') : '',
        timeOf(row.createdAtMs),
        row.revokedAtMs === null ? 'active' : `revoked ${timeOf(row.revokedAtMs)}`,
      ])
      terminal.result(answer, table(['AGENT', 'GROUPS', 'ADDED', 'STATUS'], rows))
    })

  agent
    .command('revoke <agent>')
    .description('Revokes an agent and all its keys, from the next request on. Its name is never used again.')
    .requiredOption('-n, --namespace <name>', 'namespace of the agent')
    .action(async (name: string, options: { namespace: string }) => {
      const { terminal, api } = context()
      const answer = await api().call('agent.revoke', { namespace: options.namespace, agent: name })
      terminal.result(answer, `Revoked agent ${options.namespace}/${name} and all its keys.`)
    })
}

/** The objects of a JSON array; empty for anything else. */
export function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** ISO 8601 to the second, for tables. */
export function timeOf(value: JsonValue | undefined): string {
  return typeof value === 'number' ? `${new Date(value).toISOString().slice(0, 19)}Z` : '-'
}
