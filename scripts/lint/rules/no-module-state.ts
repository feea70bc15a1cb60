import { child, children, nameOf, type Node, type Rule } from '../rule.ts'

/** Module-level state is shared by every tenant, test and server of a process: pass it in instead. */
export const noModuleState: Rule = {
  create(context) {
    return {
      Program(program) {
        for (const statement of children(program as unknown as Node, 'body')) {
          const declaration = statement.type === 'ExportNamedDeclaration' ? child(statement, 'declaration') : statement
          if (declaration?.type !== 'VariableDeclaration' || declaration['declare'] === true) continue
          const isMutable = declaration['kind'] !== 'const'
          for (const declarator of children(declaration, 'declarations')) {
            if (!isMutable && !isEmptyContainer(child(declarator, 'init'))) continue
            context.report({
              node: declarator as never,
              message: 'No mutable state at module level: put it into what is constructed.',
            })
          }
        }
      },
      PropertyDefinition(node) {
        if (node.static && !node.readonly) {
          context.report({ node, message: 'A static field is module state: make it readonly or an instance field.' })
        }
      },
    }
  },
}

/** `new Map()`, `[]` or `{}`: a constant with nothing in it is there to be filled later. */
function isEmptyContainer(init: Node | null): boolean {
  if (init === null) return false
  if (init.type === 'ArrayExpression') return children(init, 'elements').length === 0
  if (init.type === 'ObjectExpression') return children(init, 'properties').length === 0
  if (init.type !== 'NewExpression' || children(init, 'arguments').length > 0) return false
  return /^(?:Map|Set|WeakMap|WeakSet|Array)$/.test(nameOf(child(init, 'callee')) ?? '')
}
