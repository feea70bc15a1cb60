import type { Rule } from '../rule.ts'

/** `export *` hides what a folder's public surface is. */
export const noExportAll: Rule = {
  create(context) {
    return {
      ExportAllDeclaration(node) {
        context.report({ node, message: 'Name what is exported; `export *` hides the public surface.' })
      },
    }
  },
}
