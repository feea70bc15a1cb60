/** A node of the parser's tree. What it holds beyond this depends on its type and is asked for by name. */
export interface SyntaxNode {
  readonly type: string
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } } | null
  readonly [member: string]: unknown
}

/** The node under a name, or null. */
export function child(node: SyntaxNode | null, name: string): SyntaxNode | null {
  const value = node?.[name]
  return isNode(value) ? value : null
}

/** The nodes of a list under a name. */
export function childList(node: SyntaxNode | null, name: string): SyntaxNode[] {
  const value = node?.[name]
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** The text under a name, or the empty text. */
export function textOf(node: SyntaxNode | null, name: string): string {
  const value = node?.[name]
  return typeof value === 'string' ? value : ''
}

/** The last doc comment in front of a node, without its slashes. */
export function docCommentOf(node: SyntaxNode | null): string | null {
  const comments = childList(node, 'leadingComments').filter((comment) => comment.type === 'CommentBlock')
  return comments.length === 0 ? null : textOf(comments.at(-1) ?? null, 'value')
}

/** The name of a property or identifier: `n`, `'n'`. Null for computed ones. */
export function nameOf(node: SyntaxNode | null): string | null {
  if (node?.type === 'Identifier') return textOf(node, 'name')
  return node?.type === 'StringLiteral' ? textOf(node, 'value') : null
}

/** The JSON value of a literal, wrapped; null where the node is something else. */
export function literalOf(node: SyntaxNode | null): { readonly value: unknown } | null {
  switch (node?.type) {
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
      return { value: node['value'] }
    case 'NullLiteral':
      return { value: null }
    case 'UnaryExpression': {
      const inner = child(node, 'argument')
      return node['operator'] === '-' && inner?.type === 'NumericLiteral' ? { value: -Number(inner['value']) } : null
    }
    case 'ArrayExpression': {
      const items = childList(node, 'elements').map(literalOf)
      return items.every((item) => item !== null) ? { value: items.map((item) => item.value) } : null
    }
    case 'ObjectExpression':
      return childList(node, 'properties').length === 0 ? { value: {} } : null
    default:
      return null
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}
