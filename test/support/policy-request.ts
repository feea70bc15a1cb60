import type { JsonObject } from '../../src/kernel/index.ts'
import type { PolicyRequest, PolicyVocabulary } from '../../src/policy/index.ts'

/** A small namespace to write policies about. */
export const demoVocabulary: PolicyVocabulary = {
  namespace: 'demo',
  labels: ['private', 'untrusted', 'untrusted-input'],
  tools: [
    {
      name: 'leads-top',
      service: 'leads',
      inputSchema: {
        type: 'object',
        properties: {
          query: { type: 'string' },
          limit: { type: 'integer' },
          score: { type: 'number' },
          exact: { type: 'boolean' },
          tags: { type: 'array', items: { type: 'string' } },
          filter: {
            type: 'object',
            properties: { state: { type: 'string' }, size: { type: ['integer', 'null'] } },
            required: ['state'],
          },
          anything: {},
        },
        required: ['query', 'limit'],
      },
    },
    {
      name: 'leads-drop',
      service: 'leads',
      inputSchema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
    },
    {
      name: 'mail-send',
      service: 'mail',
      inputSchema: {
        type: 'object',
        properties: {
          to: { type: 'array', items: { type: 'string' } },
          amount: { type: 'number' },
          retries: { type: 'integer' },
        },
        required: ['to', 'amount', 'retries'],
      },
      outputSchema: {
        type: 'object',
        properties: {
          sent: { type: 'array', items: { type: 'object', properties: { work_email: {}, phone: {}, owner: {} } } },
        },
      },
    },
  ],
  channels: ['ops', 'security'],
  agents: ['analyst', 'mailer'],
  groups: ['analysts', 'mailers'],
}

/** What a test says of a request; everything else is as an analyst calling `leads-top` would have it. */
export interface RequestParts {
  readonly principal?: Partial<PolicyRequest['principal']>
  readonly action?: PolicyRequest['action']
  readonly resource?: Partial<PolicyRequest['resource']>
  readonly arguments?: JsonObject
  readonly context?: Partial<PolicyRequest['context']>
}

/** A complete request from the parts that matter. The time is Wednesday 2026-09-02, 10:40 UTC. */
export function policyRequest(parts: RequestParts = {}): PolicyRequest {
  return {
    principal: { type: 'agent', id: 'demo/analyst', namespace: 'demo', groups: ['analysts'], ...parts.principal },
    action: parts.action ?? 'call',
    resource: { type: 'Tool', id: 'demo/leads-top', namespace: 'demo', service: 'leads', ...parts.resource },
    arguments: parts.arguments ?? { query: 'companies', limit: 5 },
    context: {
      authentication: { method: 'api-key', senderConstrained: false },
      door: 'tool',
      operation: '',
      labels: [],
      timeMs: 1_788_345_600_000,
      address: '127.0.0.1',
      ...parts.context,
    },
  }
}
