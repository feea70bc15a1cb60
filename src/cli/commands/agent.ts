import { InvalidArgumentError, type Command } from 'commander'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { CommandContext } from '../context.ts'
import { chooseNamespace, namespaceOption } from '../namespace-option.ts'
import { table } from '../terminal.ts'
import { credentialTable } from './credential.ts'
import { objects, timeOf } from './rows.ts'

interface NamespaceChoice {
  readonly namespace?: string
}

interface AgentSettings extends NamespaceChoice {
  readonly group?: string[]
  readonly owner?: string
  readonly senderConstrained?: boolean
}

/** `mcpworks agent add|show|list|set|disable|enable|revoke`. */
export function addAgentCommands(program: Command, context: () => CommandContext): void {
  const agent = program.command('agent').description('Agents: the programs that act in a namespace')
  addMaking(agent, context)
  addShowing(agent, context)
  addStopping(agent, context)
}

function addMaking(agent: Command, context: () => CommandContext): void {
  agent
    .command('add <agent>')
    .description('Adds an agent. It may do nothing until a policy permits something.')
    .option(...namespaceOption)
    .option('-g, --group <group...>', 'groups that policies can speak of')
    .option('-o, --owner <user>', 'the user who answers for it (default: who adds it)')
    .option('--sender-constrained', 'take only credentials bound to a key that the agent proves to hold (DPoP, mTLS)')
    .action(async (name: string, options: AgentSettings) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('agent.add', {
        namespace,
        agent: name,
        groups: options.group ?? [],
        ...(options.owner === undefined ? {} : { owner: options.owner }),
        senderConstrainedOnly: options.senderConstrained === true,
      })
      // An API key is bound to nothing, and is not taken from an agent that must prove to hold a key.
      const credential =
        options.senderConstrained === true ? `client create ${name} -k public.json` : `key create ${name}`
      const next = `Next: mcpworks ${credential} -n ${namespace}`
      current.terminal.result(answer, `Added agent ${namespace}/${name}.\n${next}`)
    })

  agent
    .command('set <agent>')
    .description('Changes what is given and leaves the rest')
    .option(...namespaceOption)
    .option('-g, --group <group...>', 'its groups, instead of those it has; "none" for no group')
    .option('-o, --owner <user>', 'the user who answers for it; "none" for nobody')
    .option('--sender-constrained <yes|no>', 'whether only credentials bound to a key are taken', yesOrNo)
    .action(async (name: string, options: AgentSettings) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const { group, owner, senderConstrained } = options
      const answer = await current.api().call('agent.set', {
        namespace,
        agent: name,
        ...(group === undefined ? {} : { groups: group.join() === 'none' ? [] : group }),
        ...(owner === undefined ? {} : { owner: owner === 'none' ? null : owner }),
        ...(senderConstrained === undefined ? {} : { senderConstrainedOnly: senderConstrained }),
      })
      current.terminal.result(answer, agentText(objectOf(answer.agent)))
    })
}

function addShowing(agent: Command, context: () => CommandContext): void {
  agent
    .command('show <agent>')
    .description('Shows an agent and its credentials, without secrets')
    .option(...namespaceOption)
    .action(async (name: string, options: NamespaceChoice) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('agent.show', { namespace, agent: name })
      const credentials = credentialTable(objects(answer.credentials))
      current.terminal.result(answer, `${agentText(objectOf(answer.agent))}\n\n${credentials}`)
    })

  agent
    .command('list')
    .description('Lists the agents of a namespace')
    .option(...namespaceOption)
    .action(async (options: NamespaceChoice) => {
      const current = context()
      const namespace = await chooseNamespace(options.namespace, current)
      const answer = await current.api().call('agent.list', { namespace })
      const rows = objects(answer.agents).map((row) => [
        String(row.id),
        statusText(row),
        typeof row.owner === 'string' ? row.owner : '-',
        Array.isArray(row.groups) ? row.groups.join(',') : '',
        timeOf(row.createdAtMs),
        timeOf(row.lastUsedAtMs),
      ])
      current.terminal.result(answer, table(['AGENT', 'STATUS', 'OWNER', 'GROUPS', 'ADDED', 'LAST USED'], rows))
    })
}

function addStopping(agent: Command, context: () => CommandContext): void {
  const commands = [
    {
      name: 'disable',
      operation: 'agent.disable',
      description:
        'Refuses an agent from its next request on and cuts off what it has under way, until it is enabled again',
      done: (id: string) => `Disabled agent ${id}. Its calls under way were cut off.`,
    },
    {
      name: 'enable',
      operation: 'agent.enable',
      description: 'Takes the credentials of a disabled agent again',
      done: (id: string) => `Enabled agent ${id}.`,
    },
    {
      name: 'revoke',
      operation: 'agent.revoke',
      description: 'Revokes an agent and all its credentials, from the next request on. Its name is never used again.',
      done: (id: string) => `Revoked agent ${id} and all its credentials.`,
    },
  ] as const
  for (const { name, operation, description, done } of commands) {
    agent
      .command(`${name} <agent>`)
      .description(description)
      .option(...namespaceOption)
      .action(async (target: string, options: NamespaceChoice) => {
        const current = context()
        const namespace = await chooseNamespace(options.namespace, current)
        const answer = await current.api().call(operation, { namespace, agent: target })
        current.terminal.result(answer, done(`${namespace}/${target}`))
      })
  }
}

function agentText(row: JsonObject): string {
  return [
    `${String(row.id)}  ${statusText(row)}`,
    `  owner                ${typeof row.owner === 'string' ? row.owner : '-'}`,
    `  groups               ${Array.isArray(row.groups) && row.groups.length > 0 ? row.groups.join(', ') : '-'}`,
    `  sender-constrained   ${row.senderConstrainedOnly === true ? 'only' : 'not required'}`,
    `  added                ${timeOf(row.createdAtMs)}`,
    `  last used            ${timeOf(row.lastUsedAtMs)}`,
  ].join('\n')
}

function statusText(row: JsonObject): string {
  const since = row.status === 'revoked' ? row.revokedAtMs : row.disabledAtMs
  return row.status === 'active' ? 'active' : `${String(row.status)} ${timeOf(since)}`
}

function yesOrNo(text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new InvalidArgumentError('write yes or no')
  return text === 'yes'
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
