import type { EntityJson, TypeAndId } from './cedar.ts'
import { builtInRoles } from './built-in-policies.ts'
import { principalTypes } from './cedar-schema.ts'
import type { PolicyRequest } from './decision.ts'
import { entityKey, type ScopedEntity } from './policy-scope.ts'

/** A principal or resource as Cedar gets it, and as the index of policies looks it up. */
export interface RequestEntity {
  readonly uid: TypeAndId
  readonly scoped: ScopedEntity
  /** The one entry in the entity store. Its parents are all of its ancestors. */
  readonly json: EntityJson
}

/**
 * The principal's entity. An agent is in the `AgentGroup`s named by its groups and in its `Namespace`. A user is in a
 * `Role` for each plain group name, in a `UserGroup` for each `namespace/name`, and in its `Namespace` if it has one.
 * A role can be held in one namespace only: whoever is in the group `demo/auditor` is in `Role::"auditor"` too where
 * the request is about `demo` (`about`), and nowhere else.
 * Answers a sentence for a principal that contradicts itself (an id or a group of another namespace).
 */
export function principalEntity(principal: PolicyRequest['principal'], about: string): RequestEntity | string {
  const { id, namespace, groups } = principal
  const type = principalTypes[principal.type]
  if (type === undefined || !id.isWellFormed()) return 'The principal is not of a known kind.'
  const parents: TypeAndId[] = []
  if (type === 'Agent') {
    if (namespace === null || !id.startsWith(`${namespace}/`))
      return 'The agent has no namespace, or an id of another one.'
    for (const group of groups) {
      const groupId = group.includes('/') ? group : `${namespace}/${group}`
      if (!groupId.startsWith(`${namespace}/`)) return 'The agent is in a group of another namespace.'
      parents.push({ type: 'AgentGroup', id: groupId })
    }
  } else {
    for (const group of groups) {
      if (!group.includes('/')) parents.push({ type: 'Role', id: group })
      else if (namespace !== null && !group.startsWith(`${namespace}/`))
        return 'The user is in a group of another namespace.'
      else parents.push({ type: 'UserGroup', id: group })
      const role = builtInRoles.find((name) => group === `${about}/${name}`)
      if (role !== undefined) parents.push({ type: 'Role', id: role })
    }
  }
  if (namespace !== null) parents.push({ type: 'Namespace', id: namespace })
  const attrs = namespace === null ? {} : { namespace: { __entity: { type: 'Namespace', id: namespace } } }
  return entity({ type, id }, attrs, parents)
}

/** The resource's entity, in its service and its namespace. Answers a sentence for a resource that contradicts itself. */
export function resourceEntity(resource: PolicyRequest['resource']): RequestEntity | string {
  const { type, id, namespace, service } = resource
  if (!id.isWellFormed()) return 'The resource id is not Unicode text.'
  if (type === 'Namespace') {
    if (id !== namespace) return 'The resource is another namespace than the one that it says it is in.'
    return entity({ type, id }, {}, [])
  }
  if (!id.startsWith(`${namespace}/`)) return 'The resource has an id of another namespace.'
  const parents: TypeAndId[] = [{ type: 'Namespace', id: namespace }]
  if (service !== null) parents.push({ type: 'Service', id: `${namespace}/${service}` })
  return entity({ type, id }, {}, parents)
}

function entity(uid: TypeAndId, attrs: EntityJson['attrs'], parents: TypeAndId[]): RequestEntity {
  const ancestors = parents.map((parent) => entityKey(parent.type, parent.id))
  const scoped = { ...uid, key: entityKey(uid.type, uid.id), ancestors: [...new Set(ancestors)] }
  const sorted = [...new Map(parents.map((parent, index) => [ancestors[index] ?? '', parent])).entries()]
  const unique = sorted.sort(([left], [right]) => (left < right ? -1 : 1)).map(([, parent]) => parent)
  return { uid, scoped, json: { uid, attrs, parents: unique } }
}
