import type { CedarRecord, CedarType } from './argument-type.ts'
import type { SchemaJson } from './cedar.ts'
import type { PolicyAction, PolicyRequest, ResourceType } from './decision.ts'
import type { SchemaType } from './read-part.ts'

/** Actions in the schema. Those that no request can ask for yet are reserved, so that policies may already name them. */
export const actionResources: Readonly<Record<PolicyAction | ReservedAction, readonly ResourceType[]>> = {
  call: ['Tool'],
  list: ['Tool', 'Resource', 'Prompt'],
  read: ['Resource'],
  prompt: ['Prompt'],
  execute: ['Namespace'],
  connect: ['Namespace'],
  use: ['Namespace'],
  manage: ['Namespace'],
  approve: ['Tool', 'Namespace'],
  audit: ['Namespace'],
}

type ReservedAction = 'list' | 'execute' | 'connect' | 'use'

/** The Cedar entity type of a principal. */
export const principalTypes: Readonly<Record<PolicyRequest['principal']['type'], 'Agent' | 'User'>> = {
  agent: 'Agent',
  user: 'User',
}

const ownNamespace = {
  type: 'Record',
  attributes: { namespace: { type: 'Entity', name: 'Namespace', required: false } },
} as const

/** Entity types: parents, and for principals the namespace they belong to (absent for a platform user). */
const entityTypes: SchemaJson<string>[string]['entityTypes'] = {
  Namespace: {},
  AgentGroup: {},
  UserGroup: {},
  Role: {},
  Service: { memberOfTypes: ['Namespace'] },
  Agent: { memberOfTypes: ['AgentGroup', 'Namespace'], shape: ownNamespace },
  User: { memberOfTypes: ['Role', 'UserGroup', 'Namespace'], shape: ownNamespace },
  Tool: { memberOfTypes: ['Service', 'Namespace'] },
  Resource: { memberOfTypes: ['Service', 'Namespace'] },
  Prompt: { memberOfTypes: ['Service', 'Namespace'] },
}

const usageFigures = {
  type: 'Record',
  attributes: {
    calls_minute: { type: 'Long', required: true },
    calls_day: { type: 'Long', required: true },
    bytes_out_day: { type: 'Long', required: true },
    spend_day: { type: 'Long', required: true },
    running: { type: 'Long', required: true },
  },
  required: true,
} as const

/** What every request's context holds besides the arguments. */
const circumstanceTypes = {
  authn: {
    type: 'Record',
    attributes: {
      method: { type: 'String', required: true },
      sender_constrained: { type: 'Boolean', required: true },
      age_seconds: { type: 'Long', required: true },
      binding: { type: 'String', required: true },
      issuer: { type: 'String', required: true },
      client: { type: 'String', required: true },
      actors: { type: 'Set', element: { type: 'String' }, required: true },
    },
  },
  door: { type: 'String' },
  operation: { type: 'String' },
  labels: { type: 'Set', element: { type: 'String' } },
  approved: { type: 'Boolean' },
  usage: { type: 'Record', attributes: { agent: usageFigures, tool: usageFigures } },
  time: { type: 'Extension', name: 'datetime' },
  hour: { type: 'Long' },
  weekday: { type: 'Long' },
  address: { type: 'Extension', name: 'ipaddr' },
} as const

/** What it holds besides under `approve`: whose call waits. */
const requesterType = {
  requester: {
    type: 'Record',
    attributes: {
      id: { type: 'String', required: true },
      owner: { type: 'String', required: true },
      own: { type: 'Boolean', required: true },
      self: { type: 'Boolean', required: true },
    },
  },
} as const

/** The attributes of a request's context. Short rules are about calls, which have no requester. */
export const circumstanceNames: ReadonlySet<string> = new Set(['args', 'facts', ...Object.keys(circumstanceTypes)])

/** The types of what only calls of tools have. */
export interface CallParts {
  readonly args: CedarRecord
  readonly facts: CedarRecord
}

const nothing: CedarRecord = { type: 'Record', attributes: {} }

/** The entity type names, for hints. */
export const entityTypeNames: readonly string[] = Object.keys(entityTypes)

/**
 * The schema that policies are validated against: every entity type and action, with the given types as those of
 * `context.args` and `context.facts` under `call`. The other actions have neither: what no schema describes, no policy
 * can name.
 */
export function validationSchema(args: CedarRecord, facts: CedarRecord = nothing): SchemaJson<string> {
  const actions: SchemaJson<string>[string]['actions'] = {}
  for (const [action, resourceTypes] of Object.entries(actionResources)) {
    actions[action] = {
      appliesTo: {
        principalTypes: ['Agent', 'User'],
        resourceTypes: [...resourceTypes],
        context: contextType(action, action === 'call' ? { args, facts } : null),
      },
    }
  }
  return { '': { entityTypes, actions } }
}

/**
 * The part of that schema that one kind of request needs: one action, one principal type, one resource type, and the
 * part of the context's type that policies could read. Smaller is faster, and it accepts no less strictly.
 */
export function requestSchema(
  action: PolicyAction,
  principalType: PolicyRequest['principal']['type'],
  resourceType: ResourceType,
  context: SchemaType,
): SchemaJson<string> {
  const principal = principalTypes[principalType]
  const types: SchemaJson<string>[string]['entityTypes'] = {}
  for (const name of ['Namespace', 'Service', 'AgentGroup', 'UserGroup', 'Role', principal, resourceType]) {
    const type = entityTypes[name]
    if (type !== undefined) types[name] = type
  }
  return {
    '': {
      entityTypes: types,
      actions: {
        [action]: {
          appliesTo: { principalTypes: [principal], resourceTypes: [resourceType], context },
        },
      },
    },
  }
}

/** A record type with only the attributes of these names; `null`: all of them. */
export function projectRecord(record: CedarRecord, names: ReadonlySet<string> | null): CedarRecord {
  if (names === null) return record
  const attributes: Record<string, CedarType & { required: boolean }> = Object.create(null) as Record<string, never>
  for (const name of Object.keys(record.attributes)) {
    const attribute = record.attributes[name]
    if (attribute !== undefined && names.has(name)) attributes[name] = attribute
  }
  return { type: 'Record', attributes }
}

/** The type of a request's whole context; `parts` is `null` where the action has no arguments. */
export function contextType(action: string, parts: CallParts | null): SchemaType {
  const own = action === 'approve' ? requesterType : {}
  return { type: 'Record', attributes: { ...parts, ...circumstanceTypes, ...own } }
}
