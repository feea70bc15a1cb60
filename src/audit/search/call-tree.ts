import type { SearchHit } from './log-search.ts'

/** A call with those that it caused, oldest first. */
export interface CallTree {
  readonly hit: SearchHit
  readonly calls: readonly CallTree[]
}

interface Node extends CallTree {
  readonly calls: Node[]
}

/**
 * Puts calls under those that made them. Roots are the calls whose parent is not among them; every call is in the
 * answer once, also where their records name each other in a circle, which no server of ours writes.
 */
export function buildCallTree(hits: readonly SearchHit[]): CallTree[] {
  const ordered = hits.toSorted((one, other) => one.position - other.position)
  const nodes = new Map<string, Node>(ordered.map((hit) => [hit.call, { hit, calls: [] }]))
  const roots: CallTree[] = []
  for (const node of nodes.values()) {
    const parent = parentOf(node, nodes)
    if (parent === null) roots.push(node)
    else parent.calls.push(node)
  }
  return roots
}

/** The node above; `null` for a root. A call is recorded after the one that made it, so that no way up is a circle. */
function parentOf(node: Node, nodes: ReadonlyMap<string, Node>): Node | null {
  const parent = node.hit.parentCall === null ? undefined : nodes.get(node.hit.parentCall)
  return parent !== undefined && parent.hit.position < node.hit.position ? parent : null
}
