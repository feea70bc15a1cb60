/**
 * A condition in words, for people who do not read Cedar: `the argument limit is at most 25`. Says what a policy says and
 * nothing of a request, so it can be shown to whoever may see the policy. `null` where a part of it has no words here;
 * the Cedar text then has to do.
 */
export function conditionWords(expression: unknown): string | null {
  return sentence(expression, true)
}

const comparisons: Readonly<Record<string, readonly [string, string]>> = {
  '==': ['is', 'is not'],
  '!=': ['is not', 'is'],
  '<': ['is less than', 'is at least'],
  '<=': ['is at most', 'is more than'],
  '>': ['is more than', 'is at most'],
  '>=': ['is at least', 'is less than'],
  lessThan: ['is less than', 'is at least'],
  lessThanOrEqual: ['is at most', 'is more than'],
  greaterThan: ['is more than', 'is at most'],
  greaterThanOrEqual: ['is at least', 'is less than'],
}

const sets: Readonly<Record<string, readonly [string, string]>> = {
  contains: ['holds', 'does not hold'],
  containsAll: ['holds all of', 'does not hold all of'],
  containsAny: ['holds some of', 'holds none of'],
}

const addresses: Readonly<Record<string, readonly [string, string]>> = {
  isLoopback: ['is of this machine', 'is not of this machine'],
  isMulticast: ['is a multicast address', 'is no multicast address'],
  isIpv4: ['is an IPv4 address', 'is no IPv4 address'],
  isIpv6: ['is an IPv6 address', 'is no IPv6 address'],
}

/** Attributes of the context that are sentences by themselves: when true, when false. */
const truths: Readonly<Record<string, readonly [string, string]>> = {
  approved: ['a person approved exactly this call', 'no person approved exactly this call'],
  'authn.sender_constrained': [
    'the credential is bound to a key of the caller',
    'the credential is not bound to a key of the caller',
  ],
}

const nouns: Readonly<Record<string, string>> = {
  address: 'the address of the caller',
  door: 'the door',
  hour: 'the hour (UTC)',
  labels: 'the labels of the run',
  operation: 'the operation',
  time: 'the time',
  weekday: 'the weekday (1 is Monday)',
  'authn.actors': 'who acts with the token',
  'authn.age_seconds': 'the number of seconds since the sign-in',
  'authn.binding': 'how the credential is bound',
  'authn.client': 'the OAuth client',
  'authn.issuer': 'the issuer of the token',
  'authn.method': 'the way of authentication',
}

const figures: Readonly<Record<string, string>> = {
  calls_minute: 'the number of calls in the last minute',
  calls_day: 'the number of calls today',
  bytes_out_day: 'the number of bytes handed out today',
  spend_day: 'what was spent today',
  running: 'the number of calls under way',
}

type Pair = readonly [string, string]

function sentence(node: unknown, holds: boolean): string | null {
  const [operator, operands] = parts(node)
  const pick = ([whenTrue, whenFalse]: Pair): string => (holds ? whenTrue : whenFalse)
  const { left, right, arg } = operands
  const path = pathOf(node)
  if (path !== null) return truth(path, holds)
  switch (operator) {
    case '!':
      return sentence(arg, !holds)
    case '&&':
    case '||': {
      const word = (operator === '&&') === holds ? 'and' : 'or'
      return joined([sentence(left, holds), sentence(right, holds)], word)
    }
    case 'has': {
      const member = `${[...(pathOf(left) ?? [])].join('.')}.${listOf(operands.attr).join('.')}`.replace(/^\./u, '')
      const noun = pathOf(left) === null ? null : nounOf(member.split('.'))
      return noun === null ? null : `${noun} ${pick(['is given', 'is not given'])}`
    }
    case 'like':
      return joinedWith(noun(left), pick(['is like', 'is not like']), patternText(operands.pattern))
    case 'in':
      return joinedWith(noun(left), pick(['is in', 'is not in']), noun(right))
    case 'is':
      return joinedWith(noun(left), pick(['is of the type', 'is not of the type']), String(operands.entity_type))
    case 'isEmpty':
      return joinedWith(noun(arg), pick(['is empty', 'is not empty']), '')
    default:
      return relation(operator, operands, pick)
  }
}

function relation(operator: string, operands: Operands, pick: (pair: Pair) => string): string | null {
  const [first, second] = operands.list ?? [operands.left, operands.right]
  const own = address(operator)
  if (own !== null) return joinedWith(noun(first), pick(own), '')
  if (operator === 'isInRange') return joinedWith(noun(first), pick(['is in', 'is not in']), noun(second))
  const known = comparisons[operator] ?? sets[operator]
  return known === undefined ? null : joinedWith(noun(first), pick(known), noun(second))
}

const address = (operator: string): Pair | null => addresses[operator] ?? null

function truth(path: readonly string[], holds: boolean): string | null {
  const known = truths[path.join('.')]
  if (known !== undefined) return holds ? known[0] : known[1]
  const name = nounOf(path)
  return name === null ? null : `${name} is ${holds ? 'true' : 'false'}`
}

/** A value in words: an attribute, the principal, or what the policy's author wrote. */
function noun(node: unknown): string | null {
  const path = pathOf(node)
  if (path !== null) return nounOf(path)
  const [operator, operands] = parts(node)
  if (operator === 'Var')
    return { principal: 'the caller', resource: 'the tool', action: 'the action' }[String(operands.value)] ?? null
  if (operator === 'Value') return literal(operands.value)
  if (operator === 'Set') {
    const items = listOf((node as { Set: unknown }).Set).map(noun)
    return items.includes(null) ? null : `[${items.join(', ')}]`
  }
  if (['decimal', 'ip', 'datetime', 'duration'].includes(operator))
    return noun(operands.list?.[0])?.replaceAll('"', '') ?? null
  const sign = { '+': '+', '-': '-', '*': '×' }[operator]
  return sign === undefined ? null : joinedWith(noun(operands.left), sign, noun(operands.right))
}

function literal(value: unknown): string | null {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object' || value === null || !('__entity' in value)) return null
  const { type, id } = value.__entity as { type: string; id: string }
  return `${type} ${id}`
}

function nounOf(path: readonly string[]): string | null {
  const [first, ...rest] = path
  if (first === 'args' && rest.length > 0) return `the argument ${rest.join('.')}`
  if (first === 'facts' && rest.length > 0) return `the fact ${rest.join('.')}`
  if (first === 'usage' && rest.length === 2) {
    const figure = figures[rest[1] ?? '']
    return figure === undefined ? null : `${figure} ${rest[0] === 'tool' ? 'of this tool' : 'of all tools'}`
  }
  return nouns[path.join('.')] ?? null
}

/** The names of a chain that begins at `context`; `null` for anything else. */
function pathOf(node: unknown): readonly string[] | null {
  const names: string[] = []
  let at: unknown = node
  for (;;) {
    if (typeof at !== 'object' || at === null) return null
    if ('Var' in at) return at.Var === 'context' ? names : null
    if (!('.' in at)) return null
    const { left, attr } = at['.'] as { left: unknown; attr: unknown }
    names.unshift(...listOf(attr).map(String))
    at = left
  }
}

interface Operands {
  readonly left?: unknown
  readonly right?: unknown
  readonly arg?: unknown
  readonly attr?: unknown
  readonly pattern?: unknown
  readonly entity_type?: unknown
  readonly value?: unknown
  /** Of a function's call. */
  readonly list?: readonly unknown[]
}

function parts(node: unknown): readonly [string, Operands] {
  if (typeof node !== 'object' || node === null) return ['', {}]
  const [entry] = Object.entries(node)
  if (entry === undefined) return ['', {}]
  const [operator, operands] = entry as [string, unknown]
  if (Array.isArray(operands)) return [operator, { list: operands }]
  if (operator === 'Value' || operator === 'Var') return [operator, { value: operands }]
  return [operator, operands ?? {}]
}

function patternText(pattern: unknown): string {
  const text = listOf(pattern).map((part) =>
    typeof part === 'object' && part !== null && 'Literal' in part ? String(part.Literal) : '*',
  )
  return JSON.stringify(text.join(''))
}

function joined(sentences: readonly (string | null)[], word: 'and' | 'or'): string | null {
  if (sentences.includes(null)) return null
  const other = word === 'and' ? ' or ' : ' and '
  return sentences.map((text) => (text?.includes(other) === true ? `(${text})` : text)).join(` ${word} `)
}

function joinedWith(left: string | null, word: string, right: string | null): string | null {
  return left === null || right === null ? null : `${left} ${word} ${right}`.trim()
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}
