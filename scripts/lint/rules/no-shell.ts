import { child, children, nameOf, textOf, type Node, type Rule } from '../rule.ts'

const starters = /^(?:spawn|spawnSync|execFile|execFileSync|fork)$/
const shells = /(?:^|\/)(?:sh|bash|dash|zsh|ksh|busybox|cmd(?:\.exe)?|powershell(?:\.exe)?)$/

/** A command is a list of arguments. Nothing is ever handed to a shell or put together as a string. */
export const noShell: Rule = {
  create(context) {
    return {
      ImportDeclaration(node) {
        if (!/^(?:node:)?child_process$/.test(node.source.value)) return
        for (const specifier of children(node as unknown as Node, 'specifiers')) {
          const name = specifier.type === 'ImportSpecifier' ? nameOf(child(specifier, 'imported')) : null
          if (name === null) {
            report(specifier, 'Import the functions of node:child_process by name.')
          } else if (name === 'exec' || name === 'execSync') {
            report(specifier, `${name} runs a shell: use spawn or execFile with a list of arguments.`)
          }
        }
      },
      Property(node) {
        const property = node as unknown as Node
        if (nameOf(child(property, 'key')) !== 'shell' || child(property, 'value')?.['value'] === false) return
        if (isOptionOfStarter(property)) report(property, 'No shell: give the arguments as a list.')
      },
      CallExpression(node) {
        const call = node as unknown as Node
        if (!isStarter(call)) return
        const command = children(call, 'arguments')[0] ?? null
        const isBuilt =
          command?.type === 'BinaryExpression' ||
          (command?.type === 'TemplateLiteral' && children(command, 'expressions').length > 0)
        if (isBuilt) report(call, 'The command is built as a string: name the program and list its arguments.')
        if (shells.test(textOf(command) ?? '')) report(call, 'No shell: start the program itself.')
      },
    }

    function report(node: Node, message: string): void {
      context.report({ node: node as never, message })
    }
  },
}

function isStarter(call: Node): boolean {
  const callee = child(call, 'callee')
  const name = callee?.type === 'MemberExpression' ? nameOf(child(callee, 'property')) : nameOf(callee)
  return starters.test(name ?? '')
}

/** Whether an object's property is written inside the arguments of a call that starts a process, or in a variable for one. */
function isOptionOfStarter(property: Node): boolean {
  const object = property.parent
  const owner = object?.parent
  if (owner?.type === 'CallExpression') return isStarter(owner)
  return owner?.type === 'VariableDeclarator' && /option/i.test(nameOf(child(owner, 'id')) ?? '')
}
