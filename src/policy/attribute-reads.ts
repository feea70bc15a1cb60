import type { PolicyJson } from './cedar.ts'

/** What a policy could read of the request's context. Errs on the side of more. */
export interface AttributeReads {
  /** Every attribute name that the conditions mention anywhere, whatever it is an attribute of. */
  readonly names: ReadonlySet<string>
  /** True if the context, or the arguments, are used as one value, so that every attribute counts as read. */
  readonly everything: boolean
}

/**
 * Collects what the conditions of a policy could read. An attribute whose name is not in the answer cannot influence
 * the policy, because Cedar reaches an attribute only by its literal name or through the whole record around it.
 */
export function attributeReads(policy: PolicyJson): AttributeReads {
  const names = new Set<string>()
  let everything = false
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if (Array.isArray(node)) {
      for (const item of node) visit(item)
      return
    }
    for (const [key, value] of Object.entries(node as Record<string, unknown>)) {
      if (key === 'Var') everything ||= value === 'context'
      else if (key === 'Value') continue
      else if ((key === '.' || key === 'has') && isAccess(value)) {
        const attributes = Array.isArray(value.attr) ? value.attr : [value.attr]
        for (const attribute of attributes) names.add(attribute)
        if (isContext(value.left)) {
          // `context.args` on its own hands out every argument at once.
          if (key === '.' && attributes[0] === 'args') everything = true
        } else if (isArguments(value.left)) names.add('args')
        else visit(value.left)
      } else visit(value)
    }
  }
  for (const clause of policy.conditions) visit(clause.body)
  return { names, everything }
}

/** The union of several policies' reads. */
export function unionOfReads(all: readonly AttributeReads[]): AttributeReads {
  const names = new Set<string>()
  let everything = false
  for (const reads of all) {
    everything ||= reads.everything
    for (const name of reads.names) names.add(name)
  }
  return { names, everything }
}

/** Names that the conditions look up directly under `context.args`. */
export function argumentNames(policy: PolicyJson): Set<string> {
  const names = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if (Array.isArray(node)) {
      for (const item of node) visit(item)
      return
    }
    for (const [key, value] of Object.entries(node as Record<string, unknown>)) {
      if (key === 'Value') continue
      if ((key === '.' || key === 'has') && isAccess(value)) {
        const path = Array.isArray(value.attr) ? value.attr : [value.attr]
        if (isArguments(value.left) && path[0] !== undefined) names.add(path[0])
        else if (isContext(value.left) && path[0] === 'args' && path[1] !== undefined) names.add(path[1])
      }
      visit(value)
    }
  }
  for (const clause of policy.conditions) visit(clause.body)
  return names
}

interface Access {
  readonly left: unknown
  readonly attr: string | string[]
}

function isAccess(value: unknown): value is Access {
  return typeof value === 'object' && value !== null && 'left' in value && 'attr' in value
}

function isContext(node: unknown): boolean {
  return typeof node === 'object' && node !== null && 'Var' in node && node.Var === 'context'
}

/** Whether the node is `context.args`. */
function isArguments(node: unknown): boolean {
  if (typeof node !== 'object' || node === null || !('.' in node)) return false
  const access = node['.']
  return isAccess(access) && access.attr === 'args' && isContext(access.left)
}
