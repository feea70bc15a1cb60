import { z } from 'zod'
import type { JsonObject } from '../kernel/index.ts'
import type { PolicyRequest } from './decision.ts'
import { recordedUsageSchema as figures } from './recorded-usage.ts'

/** A request as it was asked, or the sentence that says why it cannot be told from what was recorded. */
export type RecordedRequest =
  | { readonly ok: true; readonly request: PolicyRequest }
  | { readonly ok: false; readonly fault: string }

const uid = z.object({ type: z.string(), id: z.string() })

const entity = z.object({
  uid,
  attrs: z.object({ namespace: z.object({ __entity: uid }).optional() }),
  parents: z.array(uid),
})

const extension = (fn: string) => z.object({ __extn: z.object({ fn: z.literal(fn), arg: z.string() }) })

/** What is optional here came with later versions of this program; older records are without it. */
const inputSchema = z.object({
  action: z.object({ id: z.enum(['call', 'read', 'prompt', 'manage', 'approve', 'audit']) }),
  context: z.object({
    address: extension('ip'),
    approved: z.boolean().optional(),
    authn: z.object({
      actors: z.array(z.string()).default([]),
      age_seconds: z.number().default(0),
      binding: z.enum(['none', 'dpop', 'mtls']).default('none'),
      client: z.string().default(''),
      issuer: z.string().default(''),
      method: z.string(),
      sender_constrained: z.boolean(),
    }),
    door: z.enum(['tool', 'code', 'schedule', 'management', 'console']),
    labels: z.array(z.string()),
    operation: z.string(),
    requester: z.object({ id: z.string(), owner: z.string(), own: z.boolean(), self: z.boolean() }).optional(),
    time: extension('datetime'),
    usage: z.object({ agent: figures, tool: figures }).optional(),
  }),
  entities: z.tuple([entity, entity]),
  principal: uid,
  resource: uid.extend({ type: z.enum(['Tool', 'Resource', 'Prompt', 'Namespace']) }),
})

type Input = z.output<typeof inputSchema>

/**
 * The request that a recorded engine input came from: asked again of the same policies it gives the same engine input,
 * byte for byte. The input has the arguments only as far as Cedar could see them then, so they are given apart.
 * Expects the object whose text the engine wrote: answers a fault for anything else, and does not look whether it was changed since.
 */
export function requestFromRecord(engineInput: JsonObject, args: JsonObject): RecordedRequest {
  const parsed = inputSchema.safeParse(engineInput)
  if (!parsed.success) return { ok: false, fault: 'The recorded input of the engine is not of a form known here.' }
  const { action, context, entities, principal, resource } = parsed.data
  const [principalEntity, resourceEntity] = entities
  const namespace = principalEntity.attrs.namespace?.__entity.id ?? null
  const about = resource.type === 'Namespace' ? resource.id : parentOf(resourceEntity, 'Namespace')
  if (about === null) return { ok: false, fault: 'The recorded resource is in no namespace.' }
  const service = parentOf(resourceEntity, 'Service')
  return {
    ok: true,
    request: {
      principal: {
        type: principal.type === 'Agent' ? 'agent' : 'user',
        id: principal.id,
        namespace,
        groups: groupsOf(principalEntity),
      },
      action: action.id,
      resource: {
        type: resource.type,
        id: resource.id,
        namespace: about,
        service: service === null ? null : service.slice(about.length + 1),
      },
      arguments: args,
      context: circumstancesOf(context),
    },
  }
}

function circumstancesOf(context: Input['context']): PolicyRequest['context'] {
  const { authn } = context
  return {
    authentication: {
      method: authn.method,
      senderConstrained: authn.sender_constrained,
      ageSeconds: authn.age_seconds,
      binding: authn.binding,
      issuer: authn.issuer,
      client: authn.client,
      actors: authn.actors,
    },
    door: context.door,
    operation: context.operation,
    labels: context.labels,
    ...(context.requester === undefined ? {} : { requester: context.requester }),
    ...(context.approved === undefined ? {} : { approved: context.approved }),
    ...(context.usage === undefined ? {} : { usage: context.usage }),
    // oxlint-disable-next-line no-restricted-globals -- reads a recorded time; reads no clock
    timeMs: Date.parse(context.time.__extn.arg),
    address: context.address.__extn.arg,
  }
}

/** Whole ids: a group of an agent may be named with its namespace, and a role that follows from a group is one itself. */
function groupsOf({ parents }: Input['entities'][number]): string[] {
  return parents.filter(({ type }) => ['AgentGroup', 'UserGroup', 'Role'].includes(type)).map(({ id }) => id)
}

function parentOf({ parents }: Input['entities'][number], type: string): string | null {
  return parents.find((parent) => parent.type === type)?.id ?? null
}
