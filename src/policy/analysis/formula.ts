import type { PolicyJson } from '../cedar.ts'
import { staticOutcome, outcome, type KnownRequest } from '../static-outcome.ts'

/** A condition as conjunctions and alternatives of questions about single attributes of the context. */
export type Formula =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Formula[] }
  | { readonly kind: 'atom'; readonly atom: Atom; readonly holds: boolean }

/** One question. Paths are names below `context` with dots. Numbers are whole: decimals times 10,000, times in ms. */
export type Atom =
  | { readonly kind: 'has' | 'true' | 'empty'; readonly path: string }
  | { readonly kind: 'at-most'; readonly path: string; readonly value: number; readonly unit: NumberUnit }
  | { readonly kind: 'number'; readonly path: string; readonly value: number; readonly unit: NumberUnit }
  | { readonly kind: 'text'; readonly path: string; readonly value: string }
  | { readonly kind: 'like'; readonly path: string; readonly pattern: readonly (string | null)[] }
  | { readonly kind: 'holds'; readonly path: string; readonly value: string | number }
  | { readonly kind: 'within'; readonly path: string; readonly values: readonly (string | number)[] }
  | { readonly kind: 'network'; readonly path: string; readonly value: string }
  /** What is not understood here: may be either. */
  | { readonly kind: 'other'; readonly text: string }

/** What a number of an atom counts. */
export type NumberUnit = 'long' | 'decimal' | 'datetime'

/** Always true, and never. */
const always: Formula = { kind: 'and', parts: [] }
const never: Formula = { kind: 'or', parts: [] }

/** When a policy whose scope matches applies to a request of which all but the context is known. */
export function policyFormula(policy: PolicyJson, request: KnownRequest): Formula {
  const parts = policy.conditions.map((clause) => read(clause.body, clause.kind === 'when', request))
  return { kind: 'and', parts }
}

/** The opposite. */
export function negated(formula: Formula): Formula {
  if (formula.kind === 'atom') return { ...formula, holds: !formula.holds }
  return { kind: formula.kind === 'and' ? 'or' : 'and', parts: formula.parts.map(negated) }
}

interface Operands {
  readonly left?: unknown
  readonly right?: unknown
  readonly arg?: unknown
  readonly attr?: unknown
  readonly pattern?: unknown
  readonly if?: unknown
  readonly then?: unknown
  readonly else?: unknown
}

function read(node: unknown, holds: boolean, request: KnownRequest): Formula {
  const known = knownTruth(node, request)
  if (known !== null) return known === holds ? always : never
  const [operator, operands] = operation(node)
  const atom = (value: Atom): Formula => ({ kind: 'atom', atom: value, holds })
  const path = pathOf(node)
  if (path !== null) return atom({ kind: 'true', path })
  switch (operator) {
    case '!':
      return read(operands.arg, !holds, request)
    case '&&':
    case '||': {
      const parts = [read(operands.left, holds, request), read(operands.right, holds, request)]
      return { kind: (operator === '&&') === holds ? 'and' : 'or', parts }
    }
    case 'if-then-else': {
      const branch = (test: boolean, then: unknown): Formula => ({
        kind: 'and',
        parts: [read(operands.if, test, request), read(then, holds, request)],
      })
      return { kind: 'or', parts: [branch(true, operands.then), branch(false, operands.else)] }
    }
    case 'has':
      return has(operands, holds) ?? atom(other(node))
    case 'like': {
      const of = pathOf(operands.left)
      return of === null ? atom(other(node)) : atom({ kind: 'like', path: of, pattern: patternOf(operands.pattern) })
    }
    case 'isEmpty': {
      const of = pathOf(operands.arg)
      return of === null ? atom(other(node)) : atom({ kind: 'empty', path: of })
    }
    case 'contains':
    case 'containsAll':
    case 'containsAny':
      return membership(operator, operands, holds) ?? atom(other(node))
    default:
      return relation(node, holds) ?? atom(other(node))
  }
}

/** What does not depend on the context is known already. */
function knownTruth(node: unknown, request: KnownRequest): boolean | null {
  const all = { op: 'All' } as const
  const body = node as PolicyJson['conditions'][number]['body']
  const policy: PolicyJson = {
    effect: 'permit',
    principal: all,
    action: all,
    resource: all,
    conditions: [{ kind: 'when', body }],
  }
  const mask = staticOutcome(policy, request)
  return mask === outcome.true ? true : mask === outcome.false ? false : null
}

/** `a has b.c` asks for `b` and for `b.c`. */
function has({ left, attr }: Operands, holds: boolean): Formula | null {
  const before = pathOf(left)
  if (before === null) return null
  const names = listOf(attr).map(String)
  const parts = names.map((_, index): Formula => {
    const path = [...(before === '' ? [] : [before]), ...names.slice(0, index + 1)].join('.')
    return { kind: 'atom', atom: { kind: 'has', path }, holds }
  })
  return { kind: holds ? 'and' : 'or', parts }
}

function membership(operator: string, { left, right }: Operands, holds: boolean): Formula | null {
  const [set, items] = [pathOf(left), literals(right)]
  const each = (path: string, values: readonly (string | number)[], every: boolean): Formula => ({
    kind: every === holds ? 'and' : 'or',
    parts: values.map((value): Formula => ({ kind: 'atom', atom: { kind: 'holds', path, value }, holds })),
  })
  if (set !== null && items !== null) return each(set, items, operator !== 'containsAny')
  const [given, of] = [literals(left), pathOf(right)]
  if (given === null || of === null) return null
  if (operator === 'containsAll') return { kind: 'atom', atom: { kind: 'within', path: of, values: given }, holds }
  if (operator === 'containsAny') return each(of, given, false)
  const equal = given.map((value): Formula => ({ kind: 'atom', atom: equalTo(of, value), holds }))
  return { kind: holds ? 'or' : 'and', parts: equal }
}

const equalTo = (path: string, value: string | number): Atom =>
  typeof value === 'string' ? { kind: 'text', path, value } : { kind: 'number', path, value, unit: 'long' }

const flipped: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }
const plain: Readonly<Record<string, string>> = {
  lessThan: '<',
  lessThanOrEqual: '<=',
  greaterThan: '>',
  greaterThanOrEqual: '>=',
}

function relation(node: unknown, holds: boolean): Formula | null {
  const [name, operands, list] = operation(node)
  const [left, right] = list ?? [operands.left, operands.right]
  if (name === 'isInRange') {
    const [path, range] = [pathOf(left), extension(right, 'ip')]
    return path === null || range === null
      ? null
      : { kind: 'atom', atom: { kind: 'network', path, value: range }, holds }
  }
  const operator = plain[name] ?? name
  const path = pathOf(left)
  if (path !== null) return compared(operator, path, right, holds)
  const turned = pathOf(right)
  return turned === null ? null : compared(flipped[operator] ?? operator, turned, left, holds)
}

function compared(operator: string, path: string, node: unknown, holds: boolean): Formula | null {
  const text = literal(node)
  if (operator === '==' || operator === '!=') {
    const is = (operator === '==') === holds
    if (typeof text === 'boolean') return { kind: 'atom', atom: { kind: 'true', path }, holds: is === text }
    if (typeof text === 'string') return { kind: 'atom', atom: { kind: 'text', path, value: text }, holds: is }
    const address = extension(node, 'ip')
    if (address !== null) return { kind: 'atom', atom: { kind: 'network', path, value: address }, holds: is }
  }
  const number = numberOf(node)
  if (number === null) return null
  const { value, unit } = number
  const atMost = (limit: number, is: boolean): Formula => ({
    kind: 'atom',
    atom: { kind: 'at-most', path, value: limit, unit },
    holds: is,
  })
  switch (operator) {
    case '==':
    case '!=':
      return { kind: 'atom', atom: { kind: 'number', path, value, unit }, holds: (operator === '==') === holds }
    case '<':
      return atMost(value - 1, holds)
    case '<=':
      return atMost(value, holds)
    case '>':
      return atMost(value, !holds)
    case '>=':
      return atMost(value - 1, !holds)
    default:
      return null
  }
}

function numberOf(node: unknown): { value: number; unit: NumberUnit } | null {
  const value = literal(node)
  if (typeof value === 'number') return { value, unit: 'long' }
  const [operator, operands] = operation(node)
  if (operator === 'neg') {
    const positive = numberOf(operands.arg)
    return positive === null ? null : { ...positive, value: -positive.value }
  }
  const decimal = extension(node, 'decimal')
  if (decimal !== null) return { value: Math.round(Number(decimal) * 10_000), unit: 'decimal' }
  const time = extension(node, 'datetime')
  // oxlint-disable-next-line no-restricted-globals -- reads a time that a policy's author wrote, and no clock
  const ms = time === null ? Number.NaN : Date.parse(time)
  return Number.isNaN(ms) ? null : { value: ms, unit: 'datetime' }
}

function extension(node: unknown, name: string): string | null {
  const [operator, , list] = operation(node)
  const value = operator === name ? literal(list?.[0]) : null
  return typeof value === 'string' ? value : null
}

function literal(node: unknown): string | number | boolean | null {
  if (typeof node !== 'object' || node === null || !('Value' in node)) return null
  const { Value: value } = node
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function literals(node: unknown): (string | number)[] | null {
  const single = literal(node)
  if (typeof single === 'string' || typeof single === 'number') return [single]
  if (typeof node !== 'object' || node === null || !('Set' in node)) return null
  const items = listOf(node.Set).map(literal)
  const good = items.filter((item) => typeof item === 'string' || typeof item === 'number')
  return good.length === items.length ? good : null
}

/** Names of a chain that begins at `context`; `null` for anything else. */
function pathOf(node: unknown): string | null {
  const names: string[] = []
  let at: unknown = node
  for (;;) {
    if (typeof at !== 'object' || at === null) return null
    if ('Var' in at) return at.Var === 'context' ? names.join('.') : null
    if (!('.' in at)) return null
    const { left, attr } = at['.'] as Operands
    names.unshift(...listOf(attr).map(String))
    at = left
  }
}

function operation(node: unknown): readonly [string, Operands, (readonly unknown[])?] {
  if (typeof node !== 'object' || node === null) return ['', {}]
  const [entry] = Object.entries(node)
  if (entry === undefined) return ['', {}]
  const [operator, operands] = entry as [string, unknown]
  if (Array.isArray(operands)) return [operator, {}, operands]
  return [operator, typeof operands === 'object' && operands !== null ? operands : {}]
}

/** The pieces of a `like`; `null` for a wildcard. */
function patternOf(pattern: unknown): (string | null)[] {
  return listOf(pattern).map((part) =>
    typeof part === 'object' && part !== null && 'Literal' in part ? String(part.Literal) : null,
  )
}

const other = (node: unknown): Atom => ({ kind: 'other', text: JSON.stringify(node) })

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}
