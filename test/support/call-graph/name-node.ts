import { SyntaxKind, type Node } from 'typescript/unstable/ast'

type Named = Node & { readonly name?: Node & { readonly text?: string } }

/** Kinds of declarations that a name of the graph is made of. */
const naming = new Set<SyntaxKind>([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.MethodSignature,
  SyntaxKind.PropertySignature,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.PropertyAssignment,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
  SyntaxKind.VariableDeclaration,
])

/** Kinds without a name of their own that are still something that can be called. */
const anonymous = new Set<SyntaxKind>([
  SyntaxKind.ArrowFunction,
  SyntaxKind.FunctionExpression,
  SyntaxKind.Constructor,
  SyntaxKind.FunctionType,
])

/**
 * What a declaration is called: `src/auth/create-identity-registry.ts createIdentityRegistry.addAgent`. A function without a
 * name is called by what it is the value of, or by its line.
 */
export function nameNode(node: Node, path: string): string {
  const parts: string[] = []
  for (let at: Node | undefined = node; at !== undefined && at.kind !== SyntaxKind.SourceFile; at = at.parent) {
    const { name } = at as Named
    const text = naming.has(at.kind) && name !== undefined ? (name.text ?? name.getText()) : null
    if (text !== null) parts.unshift(text)
    else if (anonymous.has(at.kind) && !isValueOfName(at)) parts.unshift(placeOf(at))
  }
  return `${path} ${parts.length === 0 ? '(module)' : parts.join('.')}`
}

function placeOf(node: Node): string {
  if (node.kind === SyntaxKind.Constructor) return 'constructor'
  const file = node.getSourceFile()
  const { line, character } = file.getLineAndCharacterOfPosition(node.getStart(file))
  return `${line + 1}:${character + 1}`
}

/** Whether the function is all that a named thing consists of: `const f = () => ...`, `m: () => void`. */
function isValueOfName({ parent }: Node): boolean {
  return parent !== undefined && naming.has(parent.kind)
}
