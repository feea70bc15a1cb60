import type { Expr, PolicyJson } from './cedar.ts'
import type { PolicyToken } from './policy-tokens.ts'

/**
 * Bounds on policy texts. They keep Cedar's recursion far from the end of its fixed stack: measured with Cedar 4.13,
 * evaluation traps above about 350 chained operators and parsing above about 110 nested brackets, and a trap takes
 * the engine down for the whole process.
 */
export const policyLimits = {
  /** UTF-16 units in one file. */
  fileLength: 8 * 1024 * 1024,
  /** Policies in one namespace. */
  policies: 20_000,
  /** Tokens in one policy. */
  tokens: 8_192,
  /** Operators in one policy. */
  operators: 512,
  /** Brackets inside brackets. */
  bracketDepth: 16,
  /** `if` in one policy. */
  conditionals: 16,
  /** Levels of the expression tree; a chain of `&&` is as deep as it is long. */
  expressionDepth: 100,
} as const

const operators = new Set(['&&', '||', '!', '+', '-', '*', '==', '!=', '<', '<=', '>', '>=', 'in', 'has', 'like', 'is'])

/** What bound the tokens of one policy break, as a sentence; `null` if none. Checked before Cedar sees the text. */
export function brokenTokenLimit(tokens: readonly PolicyToken[]): string | null {
  if (tokens.length > policyLimits.tokens) return `a policy has at most ${policyLimits.tokens} tokens; split it`
  let depth = 0
  let operatorCount = 0
  let conditionals = 0
  for (const { kind, text } of tokens) {
    if (kind === 'string') continue
    if (text === '(' || text === '[' || text === '{') depth += 1
    else if (text === ')' || text === ']' || text === '}') depth -= 1
    else if (text === 'if') conditionals += 1
    else if (operators.has(text)) operatorCount += 1
    if (depth > policyLimits.bracketDepth) return `brackets nest at most ${policyLimits.bracketDepth} deep`
  }
  if (operatorCount > policyLimits.operators)
    return `a policy has at most ${policyLimits.operators} operators; split it`
  if (conditionals > policyLimits.conditionals)
    return `a policy has at most ${policyLimits.conditionals} "if"; split it`
  return null
}

/** What bound the parsed policy breaks, as a sentence; `null` if none. */
export function brokenTreeLimit(policy: PolicyJson): string | null {
  const deepest = policy.conditions.length + Math.max(0, ...policy.conditions.map((clause) => depthOf(clause.body)))
  if (deepest <= policyLimits.expressionDepth) return null
  return `conditions are at most ${policyLimits.expressionDepth} levels deep; write [..].contains(x) for a long chain of ||, or split the policy`
}

function depthOf(root: Expr): number {
  let deepest = 0
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 1 }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.depth > deepest) deepest = next.depth
    if (typeof next.value !== 'object' || next.value === null) continue
    // One operator is an object inside an object ({"&&": {left, right}}): only every second level is a level of the tree.
    for (const value of Object.values(next.value)) pending.push({ value, depth: next.depth + 0.5 })
  }
  return Math.ceil(deepest)
}
