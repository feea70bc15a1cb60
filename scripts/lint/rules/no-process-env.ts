import { child, children, nameOf, type Node, type Rule } from '../rule.ts'

const message = 'The environment is read in src/config only: take the value as an argument.'

/** The environment is configuration, and configuration has one reader. */
export const noProcessEnv: Rule = {
  create(context) {
    return {
      MemberExpression(node) {
        const member = node as unknown as Node
        if (nameOf(child(member, 'property')) === 'env' && isProcess(child(member, 'object'))) {
          context.report({ node, message })
        }
      },
      VariableDeclarator(node) {
        const declarator = node as unknown as Node
        const pattern = child(declarator, 'id')
        if (pattern?.type !== 'ObjectPattern' || !isProcess(child(declarator, 'init'))) return
        const names = children(pattern, 'properties').map((property) => nameOf(child(property, 'key')))
        if (names.includes('env')) context.report({ node, message })
      },
      ImportDeclaration(node) {
        if (/^(?:node:)?process$/.test(node.source.value)) {
          context.report({ node, message: 'Use the global `process`, so that reads of the environment are seen.' })
        }
      },
    }
  },
}

function isProcess(node: Node | null): boolean {
  if (node?.type === 'MemberExpression') return nameOf(child(node, 'property')) === 'process'
  return nameOf(node) === 'process'
}
