import type { Rule } from '../rule.ts'

/** A comment that turns a rule off says why: `// oxlint-disable-next-line RULE -- reason`. */
export const disableNeedsReason: Rule = {
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const text = comment.value.trim()
          if (!/^(?:oxlint|eslint)-disable/.test(text) || /\s--\s+\S.{7,}/s.test(text)) continue
          context.report({ node: comment, message: 'Say why the rule is off here: `-- reason`.' })
        }
      },
    }
  },
}
