import { asNode, child, children, descendants, isFunction, nameOf, type Node, type Rule } from '../rule.ts'

const message =
  'This catch can let the work go on. Rethrow, or answer with a refusal ({ status: "denied" }, deny(...), reject(...)).'

/** Names of functions that refuse, and of values that are refusals. `error` is neither: it is what was caught. */
const refusing =
  /^(?:deny|denied|denial|refus|reject|fail|abort|kill|breach|terminate|destroy|invalid|unavailable|crash|unauthenticated)/i
/** Functions that hand their argument over as the answer, so that a refusal in it counts; a logger's does not. */
const answering = /^(?:resolve|settle|answer|respond|reply|finish|complete|send|post|done|end)/i
const refusal =
  /den(?:y|ied)|refus|reject|fail|error|invalid|unavailable|unknown|crash|missing|malformed|expired|revoked|abort|kill|time-?out|limit|broken|unreadable|mismatch|corrupt|exhausted|not-/i
const verdicts = /^(?:ok|allow|allowed|permit|permitted|valid|success|granted|intact)$/
/** Functions whose `false` is the answer that lets something through. */
const falseMeansGo = /revoked|expired|blocked|denied|forbidden|disabled|tampered|limited|over/i
/** Functions whose `null` is the answer that lets something through. */
const nullMeansGo = /problem|violation|mistake|reason|refus|denial|deny|error|fault|check|verify|validate/i

/**
 * In the folders that decide, a caught error ends in a refusal: every `return` of the handler is one, and its end
 * cannot be reached. `null` is one where the function declares that it may answer `null`, which its callers then have
 * to handle, unless its name says that `null` is the good answer (`problemOf`, `checkName`).
 * Not seen: what those callers do, and a value that a handler assigns and that is returned later.
 */
export const catchFailsClosed: Rule = {
  create(context) {
    return {
      CatchClause(node) {
        const clause = node as unknown as Node
        const body = child(clause, 'body')
        if (body === null || !closes(body, ownerOf(clause))) context.report({ node, message })
      },
      CallExpression(node) {
        const call = node as unknown as Node
        const callee = child(call, 'callee')
        if (callee?.type !== 'MemberExpression') return
        const method = nameOf(child(callee, 'property'))
        const handler = children(call, 'arguments')[method === 'catch' ? 0 : 1]
        if ((method !== 'catch' && method !== 'then') || handler === undefined) return
        if (!handlerCloses(handler, ownerOf(call))) context.report({ node: handler as never, message })
      },
    }
  },
}

/** What the meaning of a bare answer depends on. */
interface Owner {
  readonly name: string
  /** Whether its declared return type has `null` in it. */
  readonly mayAnswerNull: boolean
}

function handlerCloses(handler: Node, owner: Owner): boolean {
  if (!isFunction(handler)) return refuses(handler, owner)
  const body = child(handler, 'body')
  if (body === null) return false
  return body.type === 'BlockStatement' ? closes(body, owner) : refuses(body, owner)
}

function closes(body: Node, owner: Owner): boolean {
  for (const node of descendants(body)) {
    if (node.type === 'ReturnStatement' && !refuses(child(node, 'argument'), owner)) return false
    if (node.type === 'ContinueStatement' || node.type === 'BreakStatement') {
      if (leaves(node, body)) return false
    }
  }
  return ends(body, owner)
}

/** Whether a jump goes out of the handler, rather than out of a loop or switch inside it. */
function leaves(jump: Node, body: Node): boolean {
  for (let node = jump.parent; node !== undefined && node !== body; node = node.parent) {
    if (/^(?:For|While|DoWhile)/.test(node.type)) return false
    if (node.type === 'SwitchStatement' && jump.type === 'BreakStatement') return false
  }
  return true
}

/** Whether control cannot fall out of the bottom of the statement without a refusal. */
function ends(statement: Node | null, owner: Owner): boolean {
  if (statement === null) return false
  switch (statement.type) {
    case 'ThrowStatement':
    case 'ReturnStatement':
      return true
    case 'BlockStatement':
      return ends(children(statement, 'body').at(-1) ?? null, owner)
    case 'IfStatement':
      return ends(child(statement, 'consequent'), owner) && ends(child(statement, 'alternate'), owner)
    case 'TryStatement': {
      const handler = child(statement, 'handler')
      return (
        ends(child(statement, 'finalizer'), owner) ||
        (ends(child(statement, 'block'), owner) && (handler === null || ends(child(handler, 'body'), owner)))
      )
    }
    case 'SwitchStatement': {
      const cases = children(statement, 'cases')
      const hasDefault = cases.some((item) => item['test'] === null)
      return hasDefault && ends(children(cases.at(-1) as Node, 'consequent').at(-1) ?? null, owner)
    }
    case 'ExpressionStatement':
      return refuses(child(statement, 'expression'), owner)
    default:
      return false
  }
}

function refuses(expression: Node | null, owner: Owner): boolean {
  if (expression === null) return false
  switch (expression.type) {
    case 'Literal':
      if (expression['value'] === false) return !falseMeansGo.test(owner.name)
      if (expression['value'] === null) return owner.mayAnswerNull && !nullMeansGo.test(owner.name)
      return isRefusalText(expression)
    case 'Identifier':
      return refusing.test(nameOf(expression) ?? '')
    case 'MemberExpression':
      return refusing.test(nameOf(child(expression, 'property')) ?? '')
    case 'AwaitExpression':
    case 'YieldExpression':
    case 'UnaryExpression':
      return refuses(child(expression, 'argument'), owner)
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'ParenthesizedExpression':
    case 'ChainExpression':
      return refuses(child(expression, 'expression'), owner)
    case 'ConditionalExpression':
      return refuses(child(expression, 'consequent'), owner) && refuses(child(expression, 'alternate'), owner)
    case 'NewExpression':
      return nameOf(child(expression, 'callee'))?.endsWith('Error') ?? false
    case 'CallExpression': {
      const callee = child(expression, 'callee')
      const called = callee?.type === 'MemberExpression' ? nameOf(child(callee, 'property')) : nameOf(callee)
      if (refusing.test(called ?? '')) return true
      return answering.test(called ?? '') && children(expression, 'arguments').some((item) => refuses(item, owner))
    }
    case 'ObjectExpression':
      return children(expression, 'properties').some(isRefusalProperty)
    default:
      return false
  }
}

function isRefusalProperty(property: Node): boolean {
  const value = child(property, 'value')
  if (value?.type !== 'Literal') return false
  if (value['value'] === false) return verdicts.test(nameOf(child(property, 'key')) ?? '')
  return isRefusalText(value)
}

function isRefusalText(literal: Node): boolean {
  return typeof literal['value'] === 'string' && refusal.test(literal['value'])
}

/** The function, method or accessor that the node is in. */
function ownerOf(node: Node): Owner {
  for (let outer = node.parent; outer !== undefined; outer = asNode(outer.parent) ?? undefined) {
    if (!isFunction(outer)) continue
    const holder = outer.parent
    const name =
      nameOf(child(outer, 'id')) ??
      (holder === undefined ? null : (nameOf(child(holder, 'key')) ?? nameOf(child(holder, 'id'))))
    const returnType = child(outer, 'returnType')
    const types = returnType === null ? [] : [...descendants(returnType)]
    return { name: name ?? '', mayAnswerNull: types.some(({ type }) => type === 'TSNullKeyword') }
  }
  return { name: '', mayAnswerNull: false }
}
