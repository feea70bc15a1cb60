import type { JsonObject } from '../../../src/kernel/index.ts'
import type { PolicyRequest, PolicyVocabulary } from '../../../src/policy/index.ts'

/** Policies that speak of the measured agent and tool, where a set has as many; all others speak of others. */
export const inScope = 10

/** A namespace with this many tools in twenty services, of fifty different types of arguments. */
export function leadsVocabulary(toolCount: number): PolicyVocabulary {
  return {
    namespace: 'demo',
    tools: Array.from({ length: toolCount }, (_, index) => ({
      name: `leads-query${index}`,
      service: `leads${index % 20}`,
      inputSchema: inputSchema(index),
    })),
  }
}

/** The JSON Schema of the arguments of a tool. */
export function inputSchema(index: number): JsonObject {
  return {
    type: 'object',
    properties: { query: { type: 'string' }, limit: { type: 'integer' }, [`own${index % 50}`]: { type: 'boolean' } },
    required: ['query'],
  }
}

/** The first `inScope` policies are about the analysts and the first tool, the others about other groups and tools. */
export function leadsPolicies(count: number, toolCount: number): string {
  const lines: string[] = []
  for (let index = 0; index < count; index += 1) {
    const mine = index < inScope
    const group = mine ? 'analysts' : `group${index}`
    const tool = mine ? 0 : 1 + (index % (toolCount - 1))
    lines.push(
      `@id("p${index}") @reason("Policy ${index}.") permit (principal in AgentGroup::"demo/${group}", action == Action::"call", ` +
        `resource == Tool::"demo/leads-query${tool}") when { context.args has limit && context.args.limit <= ${index + 1} };`,
    )
  }
  return lines.join('\n')
}

/**
 * An analyst's call of the first tool, allowed by every policy in scope. No two indexes give the same request;
 * `limit`, which is all that the policies read, is the caller's choice (at most 1).
 */
export function leadsRequest(index: number, limit: number): PolicyRequest {
  const figures = { callsMinute: 1, callsDay: index, bytesOutDay: index * 10, spendDay: 0, running: 0 }
  return {
    principal: { type: 'agent', id: 'demo/analyst', namespace: 'demo', groups: ['analysts'] },
    action: 'call',
    resource: { type: 'Tool', id: 'demo/leads-query0', namespace: 'demo', service: 'leads0' },
    arguments: { query: `companies in state ${index}`, limit },
    context: {
      authentication: { method: 'api-key', senderConstrained: false },
      door: 'tool',
      operation: '',
      labels: [],
      usage: { agent: figures, tool: figures },
      timeMs: 1_788_000_000_000 + index,
      address: '127.0.0.1',
    },
  }
}
