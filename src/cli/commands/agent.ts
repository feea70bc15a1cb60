import type { Command } from 'commander'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'

/** `mcpworks agent add|list|revoke`. */
export function addAgentCommands(program: Command, context: () => CommandContext): void {
  const agent = program.command('agent').description('Agents: the programs that act in a namespace')

  agent
    .command('add <agent>')
    .description('Adds an agent. It may do nothing until a policy permits something.')
    .option(...namespaceOption)
    .option('-g, --group <group...>', 'groups that policies can speak of', [])
    .action(async (name: string, options: { namespace?: string; group: string[] }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('agent.add', { namespace, agent: name, groups: options.group })
      terminal.result(answer, `Added agent ${namespace}/${name}.\nNext: mcpworks key create ${name} -n ${namespace}`)
    })

  agent
    .command('list')
    .description('Lists the agents of a namespace')
    .option(...namespaceOption)
    .action(async (options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('agent.list', { namespace })
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
    .option(...namespaceOption)
    .action(async (name: string, options: { namespace?: string }) => {
      const current = context()
      const { terminal, api } = current
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await api().call('agent.revoke', { namespace, agent: name })
      terminal.result(answer, `Revoked agent ${namespace}/${name} and all its keys.`)
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
