import type { Clause, PolicyJson } from './cedar.ts'
import { entityKey, type ScopedEntity } from './policy-scope.ts'

/** What evaluating something might give: a set of bits. */
export const outcome = { true: 1, false: 2, error: 4 } as const

/** The known part of a request: everything but its context. */
export interface KnownRequest {
  readonly principal: ScopedEntity
  readonly namespace: string | null
  readonly action: string
  readonly resource: ScopedEntity
}

type Known =
  | { readonly entity: ScopedEntity }
  | { readonly value: string | number | boolean }
  | { readonly mask: number }

/** Integer and time arithmetic is all that can fail in a policy that passed strict validation. */
const canFail = new Set([
  '+',
  '-',
  '*',
  'neg',
  'offset',
  'durationSince',
  'toDate',
  'toTime',
  'datetime',
  'duration',
  'decimal',
  'ip',
])

/**
 * What a policy whose scope matches can come out as, over every possible context: a union of the bits in `outcome`.
 * Never leaves out what can happen; may include what cannot.
 */
export function staticOutcome(policy: PolicyJson, request: KnownRequest): number {
  let mask: number = outcome.true
  for (const clause of policy.conditions) mask = andMask(mask, () => clauseMask(clause, request))
  return mask
}

function clauseMask(clause: Clause, request: KnownRequest): number {
  const mask = maskOf(evaluate(clause.body, request))
  return clause.kind === 'when' ? mask : notMask(mask)
}

function evaluate(node: unknown, request: KnownRequest): Known {
  if (typeof node !== 'object' || node === null) return unknown(node)
  const [entry] = Object.entries(node as Record<string, unknown>)
  if (entry === undefined) return unknown(node)
  const [operator, body] = entry
  const operands = body as Record<string, unknown>
  switch (operator) {
    case 'Value':
      return valueOf(body, request) ?? unknown(node)
    case 'Var':
      return variable(body, request) ?? unknown(node)
    case '&&':
      return {
        mask: andMask(maskOf(evaluate(operands.left, request)), () => maskOf(evaluate(operands.right, request))),
      }
    case '||':
      return {
        mask: notMask(
          andMask(notMask(maskOf(evaluate(operands.left, request))), () =>
            notMask(maskOf(evaluate(operands.right, request))),
          ),
        ),
      }
    case '!':
      return { mask: notMask(maskOf(evaluate(operands.arg, request))) }
    case '==':
    case '!=': {
      const equal = equality(evaluate(operands.left, request), evaluate(operands.right, request))
      if (equal === null) return unknown(node)
      return { value: operator === '==' ? equal : !equal }
    }
    case 'in':
      return membership(evaluate(operands.left, request), operands.right, request) ?? unknown(node)
    case 'is': {
      const left = evaluate(operands.left, request)
      if (!('entity' in left)) return unknown(node)
      if (left.entity.type !== operands.entity_type) return { value: false }
      return operands.in === undefined ? { value: true } : (membership(left, operands.in, request) ?? unknown(node))
    }
    case 'has':
      return isPrincipal(operands.left) && operands.attr === 'namespace'
        ? { value: request.namespace !== null }
        : unknown(node)
    case '.':
      if (isPrincipal(operands.left) && operands.attr === 'namespace' && request.namespace !== null) {
        return { entity: bare('Namespace', request.namespace) }
      }
      return unknown(node)
    case 'if-then-else': {
      const test = maskOf(evaluate(operands.if, request))
      let mask = test & outcome.error
      if ((test & outcome.true) !== 0) mask |= maskOf(evaluate(operands.then, request))
      if ((test & outcome.false) !== 0) mask |= maskOf(evaluate(operands.else, request))
      return { mask }
    }
    default:
      return unknown(node)
  }
}

function unknown(node: unknown): Known {
  return { mask: outcome.true | outcome.false | (mayFail(node) ? outcome.error : 0) }
}

function mayFail(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  if (Array.isArray(node)) return node.some(mayFail)
  return Object.entries(node as Record<string, unknown>).some(
    ([key, value]) => canFail.has(key) || (key !== 'Value' && mayFail(key === 'like' ? likened(value) : value)),
  )
}

/** What a `like` looks at. Its pattern is one node for each character, and none of them does anything. */
function likened(operands: unknown): unknown {
  const isLike = typeof operands === 'object' && operands !== null && 'left' in operands && 'pattern' in operands
  return isLike ? operands.left : operands
}

function maskOf(known: Known): number {
  if ('mask' in known) return known.mask
  if ('value' in known && typeof known.value === 'boolean') return known.value ? outcome.true : outcome.false
  return outcome.true | outcome.false | outcome.error
}

function andMask(left: number, right: () => number): number {
  const rest = (left & outcome.true) === 0 ? 0 : right()
  return (left & (outcome.false | outcome.error)) | rest
}

function notMask(mask: number): number {
  return (
    (mask & outcome.error) |
    ((mask & outcome.true) === 0 ? 0 : outcome.false) |
    ((mask & outcome.false) === 0 ? 0 : outcome.true)
  )
}

function valueOf(value: unknown, request: KnownRequest): Known | null {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return { value }
  if (typeof value !== 'object' || value === null || !('__entity' in value)) return null
  const { type, id } = value.__entity as { type: string; id: string }
  const key = entityKey(type, id)
  // A literal may name the request's own principal or resource, whose ancestors are known.
  for (const known of [request.principal, request.resource]) if (known.key === key) return { entity: known }
  return { entity: bare(type, id) }
}

function variable(name: unknown, request: KnownRequest): Known | null {
  if (name === 'principal') return { entity: request.principal }
  if (name === 'resource') return { entity: request.resource }
  return name === 'action' ? { entity: bare('Action', request.action) } : null
}

/** `null` where it cannot be told. */
function equality(left: Known, right: Known): boolean | null {
  if ('entity' in left && 'entity' in right) return left.entity.key === right.entity.key
  if ('value' in left && 'value' in right) return left.value === right.value
  return null
}

function membership(left: Known, right: unknown, request: KnownRequest): Known | null {
  if (!('entity' in left)) return null
  const items = typeof right === 'object' && right !== null && 'Set' in right ? (right.Set as unknown[]) : [right]
  let found = false
  for (const item of items) {
    const target = evaluate(item, request)
    if (!('entity' in target)) return null
    found ||= left.entity.key === target.entity.key || left.entity.ancestors.includes(target.entity.key)
  }
  return { value: found }
}

const bare = (type: string, id: string): ScopedEntity => ({ type, id, key: entityKey(type, id), ancestors: [] })

const isPrincipal = (node: unknown): boolean =>
  typeof node === 'object' && node !== null && 'Var' in node && node.Var === 'principal'
