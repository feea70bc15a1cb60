import { child, nameOf, textOf, type Node, type Rule } from '../rule.ts'

const loaders = /^(?:require|createRequire|getBuiltinModule|dlopen|binding|_linkedBinding)$/

/** A module that is loaded by a computed name, or past `import`, escapes the boundary check. */
export const noHiddenImport: Rule = {
  create(context) {
    return {
      ImportExpression(node) {
        if (textOf(child(node as unknown as Node, 'source')) === null) {
          context.report({ node, message: 'Import by a literal name, so that the boundaries can be checked.' })
        }
      },
      CallExpression(node) {
        const callee = child(node as unknown as Node, 'callee')
        const name = callee?.type === 'MemberExpression' ? nameOf(child(callee, 'property')) : nameOf(callee)
        const from = callee?.type === 'MemberExpression' ? nameOf(child(callee, 'object')) : null
        if (name === null || !loaders.test(name)) return
        if (from !== null && !/^(?:process|module|globalThis)$/.test(from)) return
        context.report({ node, message: `Use import: ${name}() is not seen by the boundary check.` })
      },
    }
  },
}
