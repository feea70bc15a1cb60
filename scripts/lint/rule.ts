import type { RuleTester } from 'oxlint/plugins-dev'

/** A rule as oxlint's plugin interface (the one of ESLint) takes it. */
export type Rule = Parameters<RuleTester['run']>[1]

/** What the parser hands over. Only the fields that a rule has looked at are known to exist. */
export interface Node {
  readonly type: string
  readonly parent?: Node
  readonly [field: string]: unknown
}

/** The node in a field, or null when there is none. */
export function child(node: Node, field: string): Node | null {
  return asNode(node[field])
}

/** The nodes in a list field; holes and anything else are left out. */
export function children(node: Node, field: string): readonly Node[] {
  const list = node[field]
  return Array.isArray(list) ? list.map(asNode).filter((item) => item !== null) : []
}

/** The name of an identifier, a private name or a string literal; null for anything computed. */
export function nameOf(node: Node | null): string | null {
  if (node?.type === 'Identifier' || node?.type === 'PrivateIdentifier') return String(node['name'])
  return textOf(node)
}

/** The text of a string literal; null for anything else. */
export function textOf(node: Node | null): string | null {
  return node?.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : null
}

/** Whether the node makes a scope of its own, whose `return` and `throw` are not the outer function's. */
export function isFunction(node: Node): boolean {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)
}

/** Every node below, in no promised order; functions inside are not entered. */
export function* descendants(node: Node): Generator<Node> {
  for (const [field, value] of Object.entries(node)) {
    if (field === 'parent') continue
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const next = asNode(item)
      if (next === null) continue
      yield next
      if (!isFunction(next)) yield* descendants(next)
    }
  }
}

/** A parsed value as a node, or null when it is none. */
export function asNode(value: unknown): Node | null {
  return typeof value === 'object' && value !== null && 'type' in value ? (value as Node) : null
}
