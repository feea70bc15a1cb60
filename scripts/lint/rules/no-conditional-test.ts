import { child, nameOf, type Node, type Rule } from '../rule.ts'

/** A test that is left out where something is missing looks like one that passed: it has to fail there. */
export const noConditionalTest: Rule = {
  create(context) {
    return {
      MemberExpression(node) {
        const member = node as unknown as Node
        const owner = nameOf(child(member, 'object'))
        if (!/^(?:skipIf|runIf)$/.test(nameOf(child(member, 'property')) ?? '')) return
        if (!/^(?:it|test|describe|suite)$/.test(owner ?? '')) return
        context.report({ node, message: 'A test runs everywhere: where it cannot, it fails and says what is missing.' })
      },
    }
  },
}
