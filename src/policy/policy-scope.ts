import type { PolicyJson } from './cedar.ts'

/** An entity as text, `Type::"id"` without escapes: a key for maps, not for Cedar. */
export type EntityKey = string

/** The key of an entity. */
export function entityKey(type: string, id: string): EntityKey {
  return `${type}::"${id}"`
}

/** What one half of a policy's scope (principal or resource) asks for. All given conditions must hold. */
export interface ScopeHalf {
  readonly type: string | null
  /** The entity itself (`==`), or it or one of its ancestors (`in`). */
  readonly entity: { readonly type: string; readonly id: string; readonly key: EntityKey } | null
  readonly exact: boolean
}

/** A policy's scope: what a request must be for its conditions to be looked at. */
export interface PolicyScope {
  readonly principal: ScopeHalf
  readonly resource: ScopeHalf
  /** Ids of the actions; `null` for every action. */
  readonly actions: ReadonlySet<string> | null
}

/** A principal or resource of a request, with everything that it is in. */
export interface ScopedEntity {
  readonly type: string
  readonly id: string
  readonly key: EntityKey
  readonly ancestors: readonly EntityKey[]
}

/** Reads the scope out of a static policy. */
export function policyScope(policy: PolicyJson): PolicyScope {
  return { principal: half(policy.principal), resource: half(policy.resource), actions: actions(policy.action) }
}

/** Whether Cedar would look at the conditions of a policy with this scope half. */
export function halfMatches(scope: ScopeHalf, entity: ScopedEntity): boolean {
  if (scope.type !== null && scope.type !== entity.type) return false
  if (scope.entity === null || scope.entity.key === entity.key) return true
  return !scope.exact && entity.ancestors.includes(scope.entity.key)
}

function half(constraint: PolicyJson['principal'] | PolicyJson['resource']): ScopeHalf {
  switch (constraint.op) {
    case 'All':
      return { type: null, entity: null, exact: false }
    case '==':
      return { type: null, entity: entityOf(constraint), exact: true }
    case 'in':
      return { type: null, entity: entityOf(constraint), exact: false }
    case 'is':
      return {
        type: constraint.entity_type,
        entity: constraint.in === undefined ? null : entityOf(constraint.in),
        exact: false,
      }
  }
}

function entityOf(constraint: object): NonNullable<ScopeHalf['entity']> {
  // A template's slot has no entity; parsing refused templates, so this throws only if that check is gone.
  if (!('entity' in constraint)) throw new TypeError('a policy scope without an entity')
  return keyed(constraint.entity)
}

function keyed(uid: unknown): NonNullable<ScopeHalf['entity']> {
  const plain = typeof uid === 'object' && uid !== null && '__entity' in uid ? uid.__entity : uid
  const { type, id } = plain as { type: string; id: string }
  return { type, id, key: entityKey(type, id) }
}

function actions(constraint: PolicyJson['action']): ReadonlySet<string> | null {
  switch (constraint.op) {
    case 'All':
      return null
    case '==':
      return new Set([entityOf(constraint).id])
    case 'in':
      return new Set(('entities' in constraint ? constraint.entities : [constraint.entity]).map((uid) => keyed(uid).id))
  }
}
