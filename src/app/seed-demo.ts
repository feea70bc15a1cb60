import type { InvocationEvents } from '../gateway/index.ts'
import { isJsonObject, McpworksError, type JsonObject } from '../kernel/index.ts'
import { readDesiredState } from './read-desired-state.ts'
import type { RunningApp } from './running-app.ts'

/** The demo as it was set up: each agent with a key that is shown once. */
export interface Demo {
  readonly namespace: string
  readonly agents: readonly { readonly name: string; readonly apiKey: string }[]
}

const quiet: InvocationEvents = { signal: new AbortController().signal, log: () => {}, progress: () => {} }

/**
 * Sets up the namespace that a directory describes and makes a key for each of its agents. Every step goes through the
 * pipeline as the operator and is on the record.
 * @throws McpworksError with the operation's own code where a step is refused.
 */
export async function seedDemo(app: RunningApp, directory: string): Promise<Demo> {
  const read = await readDesiredState(directory)
  if (!read.ok) throw new McpworksError('function_invalid', { data: { problems: read.problems } })
  const { namespace, files } = read
  await manage(app, namespace, 'state.apply', { namespace, files, dryRun: false })
  const agents = []
  for (const { name } of app.registry.listAgents(namespace)) {
    const answer = await manage(app, namespace, 'key.create', {
      namespace,
      agent: name,
      label: 'demo',
      expiresInSeconds: null,
    })
    agents.push({ name, apiKey: String(answer.apiKey) })
  }
  return { namespace, agents }
}

async function manage(app: RunningApp, namespace: string, operation: string, args: JsonObject): Promise<JsonObject> {
  const answer = await app.gateway.perform(
    {
      caller: app.operator,
      namespace,
      door: 'management',
      effect: { kind: 'manage', operation, arguments: args },
      facts: { method: operation, protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    quiet,
  )
  if (answer.status === 'ok') return answer.result
  const data = answer.status === 'protocol-error' && isJsonObject(answer.data) ? answer.data : undefined
  const message = 'message' in answer ? answer.message : answer.status
  throw new McpworksError('internal', {
    message: `${operation} was refused: ${message}`,
    ...(data === undefined ? {} : { data }),
  })
}
