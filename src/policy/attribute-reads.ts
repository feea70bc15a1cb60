import type { PolicyJson } from './cedar.ts'

/**
 * What policies could read of a value: all of it (`whole`), or only the members named here, of which the same is said
 * again; with neither, no more than whether it is there (`has`). Errs on the side of more.
 */
export interface AttributeReads {
  readonly whole: boolean
  readonly members: ReadonlyMap<string, AttributeReads>
}

interface GrowingReads extends AttributeReads {
  whole: boolean
  readonly members: Map<string, GrowingReads>
}

/**
 * What the conditions of a policy could read of the context. An attribute that is not in the answer cannot influence
 * the policy: Cedar reaches an attribute only by a chain of literal names from `context`, or through a record around
 * it that is used as a value (compared, put into a set or a record, chosen by an `if`), and such a record counts whole.
 */
export function attributeReads(policy: PolicyJson): AttributeReads {
  const root = growing()
  for (const clause of policy.conditions) readExpression(clause.body, root)
  return root
}

/** The union of several policies' reads. */
export function unionOfReads(all: readonly AttributeReads[]): AttributeReads {
  const union = growing()
  for (const reads of all) addReads(union, reads)
  return union
}

/** Names that the conditions look up directly under one record of the context (`args`, `facts`). */
export function namesUnder(reads: AttributeReads, record: string): ReadonlySet<string> {
  return new Set(reads.members.get(record)?.members.keys())
}

/** The reads of one member of a value; `null` where nothing can read it. */
export function readsOf(reads: AttributeReads, name: string): AttributeReads | null {
  if (reads.whole) return { whole: true, members: new Map() }
  return reads.members.get(name) ?? null
}

/** Whether policies can read no more of a value than that it is there. */
export function readsOnlyPresence({ whole, members }: AttributeReads): boolean {
  return !whole && members.size === 0
}

/** One spelling for equal reads, whatever order they were found in. */
export function readsKey({ whole, members }: AttributeReads): string {
  if (whole) return '*'
  const sorted = [...members].sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${sorted.map(([name, member]) => `${JSON.stringify(name)}:${readsKey(member)}`).join(',')}}`
}

const growing = (): GrowingReads => ({ whole: false, members: new Map() })

function addReads(union: GrowingReads, reads: AttributeReads): void {
  union.whole ||= reads.whole
  for (const [name, member] of reads.members) addReads(memberOf(union, name), member)
}

function memberOf(reads: GrowingReads, name: string): GrowingReads {
  let member = reads.members.get(name)
  if (member === undefined) {
    member = growing()
    reads.members.set(name, member)
  }
  return member
}

/** Notes what the value of an expression depends on. Every node is one operator with its operands. */
function readExpression(node: unknown, root: GrowingReads): void {
  if (typeof node !== 'object' || node === null) return
  const place = placeOf(node, root)
  if (place !== null) {
    place.whole = true
    return
  }
  for (const [operator, operands] of Object.entries(node)) {
    if (operator === 'Value' || operator === 'Var') continue
    const access = operator === 'has' || operator === '.' ? accessOf(operands) : null
    // Whether a member is there is less than what it is; noting the place is all there is to it.
    if (access !== null && placeOf(access.left, root, access.attributes) !== null) continue
    for (const operand of operandsOf(operands)) readExpression(operand, root)
  }
}

/** Where a chain of names that begins at `context`, and then `further` ones, leads; `null` for any other expression. */
function placeOf(node: unknown, root: GrowingReads, further: readonly string[] = []): GrowingReads | null {
  const names: string[] = [...further]
  let step: unknown = node
  for (;;) {
    if (typeof step !== 'object' || step === null) return null
    if ('Var' in step && step.Var === 'context') break
    const access: Access | null = '.' in step ? accessOf(step['.']) : null
    if (access === null) return null
    names.unshift(...access.attributes)
    step = access.left
  }
  let place = root
  for (const name of names) place = memberOf(place, name)
  return place
}

interface Access {
  readonly left: unknown
  readonly attributes: readonly string[]
}

function accessOf(operands: unknown): Access | null {
  if (typeof operands !== 'object' || operands === null || !('left' in operands && 'attr' in operands)) return null
  return { left: operands.left, attributes: Array.isArray(operands.attr) ? operands.attr : [String(operands.attr)] }
}

/** The operands, the expressions among them: a list, or the members of an object, such as a record's. */
function operandsOf(operands: unknown): unknown[] {
  if (typeof operands !== 'object' || operands === null) return []
  return Object.values(operands).flatMap((operand: unknown): unknown[] =>
    Array.isArray(operand) ? operand : [operand],
  )
}
