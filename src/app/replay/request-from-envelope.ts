import { z } from 'zod'
import type { JsonObject } from '../../kernel/index.ts'
import { recordedUsageSchema as figures, type PolicyRequest } from '../../policy/index.ts'

const recordSchema = z.object({
  namespace: z.string(),
  mcp: z.object({ method: z.literal('tools/call') }),
  pre: z.object({
    approval: z.object({ by: z.string().nullable() }).optional(),
    authn: z.object({
      actors: z.array(z.string()).default([]),
      binding: z.enum(['none', 'dpop', 'mtls']).default('none'),
      client_id: z.string().nullable().default(null),
      issuer: z.string().default(''),
      method: z.string(),
      sender_constrained: z.boolean(),
    }),
    client: z.object({ address: z.string() }),
    door: z.enum(['tool', 'code']),
    labels_before: z.array(z.string()),
    principal: z.object({ type: z.literal('agent'), id: z.string(), groups: z.array(z.string()) }),
    quota: z.object({ agent: figures, tool: figures }).optional(),
    target: z.object({ tool: z.string(), service: z.string() }),
  }),
  decision: z.object({ evaluated_at: z.iso.datetime() }),
})

/**
 * The request of an agent's call of a tool that the engine could not judge, so that there is no input of the engine to
 * take it from: from what the record has in the clear, and the arguments. `null` for anything else.
 */
export function requestFromEnvelope(record: unknown, args: JsonObject): PolicyRequest | null {
  const parsed = recordSchema.safeParse(record)
  if (!parsed.success) return null
  const { namespace, pre, decision } = parsed.data
  const { authn, principal, target } = pre
  return {
    principal: { ...principal, namespace: principal.id.slice(0, principal.id.indexOf('/')) },
    action: 'call',
    resource: { type: 'Tool', id: `${namespace}/${target.tool}`, namespace, service: target.service },
    arguments: args,
    context: {
      authentication: {
        method: authn.method,
        senderConstrained: authn.sender_constrained,
        binding: authn.binding,
        issuer: authn.issuer,
        client: authn.client_id ?? '',
        actors: authn.actors,
      },
      door: pre.door,
      operation: '',
      labels: pre.labels_before,
      ...(pre.approval?.by == null ? {} : { approved: true }),
      ...(pre.quota === undefined ? {} : { usage: pre.quota }),
      timeMs: Date.parse(decision.evaluated_at),
      address: pre.client.address,
    },
  }
}
