import { approvalRemedy } from './approval-remedy.ts'
import { circumstanceNames } from './cedar-schema.ts'
import { isForDenials, parseObligations } from './obligation.ts'
import { policyTokens, type PolicyToken } from './policy-tokens.ts'
import type { ShortRule } from './rules-file.ts'

/** Something in a rule that cannot be compiled. */
export interface RuleFault {
  /** Index of the rule, and the member of it that the fault is in; `null` for the rule as a whole. */
  readonly rule: number
  readonly member: keyof ShortRule | null
  readonly message: string
  readonly hint: string | null
}

/** Which part of the file a stretch of the compiled text was made from. */
export interface RuleOrigin {
  /** UTF-16 offsets in the compiled text: from this one, up to but not with that one. */
  readonly start: number
  readonly end: number
  /** Path in the file: `['rules', 0, 'tools', 1]`. */
  readonly path: readonly PropertyKey[]
}

/** The rules as Cedar, or why not. */
export type CompiledRules =
  | { readonly ok: true; readonly text: string; readonly origins: readonly RuleOrigin[] }
  | { readonly ok: false; readonly faults: readonly RuleFault[] }

/** A rule with the line that it begins on in its file, from 1. */
export interface PlacedRule {
  readonly rule: ShortRule
  readonly line: number
}

/**
 * Compiles short rules of a namespace to Cedar. Each becomes one policy for each pair of who and which, all on the line
 * of the rule, so that a mistake found in the Cedar text is on the line of its rule in the file that people edit.
 * A condition is an expression and nothing more: it cannot end the policy that it stands in. Whether what a rule names
 * exists, and whether its conditions have the right types, is checked where Cedar is checked.
 */
export function compileRules(namespace: string, rules: readonly PlacedRule[]): CompiledRules {
  const faults: RuleFault[] = []
  const ids = new Set<string>()
  const origins: RuleOrigin[] = []
  let text = ''
  let line = 1
  for (const [index, { rule, line: own }] of rules.entries()) {
    const fault = (member: RuleFault['member'], message: string, hint: string | null = null): void => {
      faults.push({ rule: index, member, message, hint })
    }
    if (ids.has(rule.id)) fault('id', `the id ${rule.id} is taken by a rule above`)
    ids.add(rule.id)
    const policies = compileRule(namespace, rule, fault)
    text += own > line ? '\n'.repeat(own - line) : text === '' ? '' : ' '
    line = Math.max(line, own)
    for (const [position, pieces] of policies.entries()) {
      if (position > 0) text += ' '
      const start = text.length
      for (const piece of pieces) {
        const before = text.length
        text += piece.text
        if (piece.member !== null)
          origins.push({ start: before, end: text.length, path: ['rules', index, ...piece.member] })
      }
      origins.push({ start, end: text.length, path: ['rules', index] })
    }
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, text: `${text}\n`, origins }
}

/** A stretch of a policy, and the member of its rule that it was made from. */
interface Piece {
  readonly text: string
  readonly member: readonly PropertyKey[] | null
}

const fixed = (text: string): Piece => ({ text, member: null })

type Fault = (member: RuleFault['member'], message: string, hint?: string | null) => void

function compileRule(namespace: string, rule: ShortRule, fault: Fault): Piece[][] {
  const { allow, deny } = rule
  if ((allow === undefined) === (deny === undefined)) {
    fault(null, 'a rule says either "allow" or "deny"', 'allow: group NAME')
    return []
  }
  const effect = allow === undefined ? 'forbid' : 'permit'
  const useless = effect === 'permit' ? 'remedy' : 'obligation'
  if (rule[useless] !== undefined && !(useless === 'obligation' && isForDenials(rule[useless])))
    fault(useless, `"${useless}" means nothing in a rule that ${effect}s`)
  const obligations = rule.obligation === undefined ? null : parseObligations(rule.obligation)
  if (obligations?.ok === false) fault('obligation', obligations.fault.message, obligations.fault.hint)
  const clauses = [
    ...clause('unless', 'except', rule.except, (which) => resourceScope(namespace, which)),
    ...conditionClause('when', rule.when, fault),
    ...conditionClause('unless', rule.unless, fault),
  ]
  if (effect === 'forbid' && rule.remedy === approvalRemedy) clauses.push(fixed(' unless { context.approved }'))
  const whos = placed(effect === 'permit' ? 'allow' : 'deny', allow ?? deny)
  const scopes = whos.flatMap((who) => placed('tools', rule.tools).map((which) => ({ who, which })))
  return scopes.map(({ who, which }, index) => {
    const id = scopes.length === 1 ? rule.id : `${rule.id}.${index + 1}`
    const annotations = [
      annotation('id', id),
      ...(['reason', 'remedy', 'obligation'] as const).map((name) => annotation(name, rule[name])),
    ].filter((text) => text !== null)
    return [
      fixed(`${annotations.join(' ')} ${effect} (`),
      { text: principalScope(namespace, who.value), member: who.member },
      fixed(', action == Action::"call", '),
      { text: resourceScope(namespace, which.value), member: which.member },
      fixed(')'),
      ...clauses,
      fixed(';'),
    ]
  })
}

function principalScope(namespace: string, who: string): string {
  const [kind, name = ''] = who.split(' ')
  if (kind === 'anyone') return 'principal'
  const id = cedarString(`${namespace}/${name}`)
  return kind === 'agent' ? `principal == Agent::${id}` : `principal in AgentGroup::${id}`
}

function resourceScope(namespace: string, which: string): string {
  if (which === 'any tool') return `resource in Namespace::${cedarString(namespace)}`
  const [kind, name] = which.split(' ')
  return name === undefined
    ? `resource == Tool::${cedarString(`${namespace}/${kind ?? ''}`)}`
    : `resource in Service::${cedarString(`${namespace}/${name}`)}`
}

function annotation(name: string, value: string | undefined): string | null {
  return value === undefined ? null : `@${name}(${cedarString(value)})`
}

/** `when` demands all of its expressions, `unless` none of its. */
function conditionClause(kind: 'when' | 'unless', written: ShortRule['when'], fault: Fault): Piece[] {
  return clause(kind, kind, written, (text) => conditionExpression(text, (message) => fault(kind, message)))
}

/** The values of a member as one clause; nothing where there are none. */
function clause(
  kind: 'when' | 'unless',
  member: keyof ShortRule,
  written: ShortRule['when'],
  expressionOf: (value: string) => string,
): Piece[] {
  const operator = kind === 'when' ? ' && ' : ' || '
  const expressions = placed(member, written).flatMap(({ value, member: path }, index) => [
    ...(index === 0 ? [] : [fixed(operator)]),
    { text: `(${expressionOf(value)})`, member: path },
  ])
  return expressions.length === 0 ? [] : [fixed(` ${kind} { `), ...expressions, fixed(' }')]
}

/** The values of a member, each with its path in the rule. */
function placed(
  member: keyof ShortRule,
  value: string | readonly string[] | undefined,
): { readonly value: string; readonly member: readonly PropertyKey[] }[] {
  if (value === undefined) return []
  if (typeof value === 'string') return [{ value, member: [member] }]
  return value.map((one, index) => ({ value: one, member: [member, index] }))
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** The expression with `context.` before the names of circumstances, written anew from its tokens: without comments. */
function conditionExpression(text: string, fault: (message: string) => void): string {
  const { tokens, brokenAt } = policyTokens(text)
  if (brokenAt !== null) fault(`this cannot be read from ${JSON.stringify(text.slice(brokenAt, brokenAt + 20))} on`)
  else if (tokens.length === 0) fault('there is no condition here')
  else if (!isOneExpression(tokens))
    fault('this is not one expression: its brackets do not match, or it holds ";" or "@"')
  return tokens.map((token, index) => (isCircumstance(tokens, index) ? `context.${token.text}` : token.text)).join(' ')
}

/** Whether the tokens keep to themselves: nothing closes a bracket that was opened outside, or ends the policy. */
function isOneExpression(tokens: readonly PolicyToken[]): boolean {
  const open: string[] = []
  for (const { kind, text } of tokens) {
    if (kind !== 'symbol') continue
    if (text === ';' || text === '@') return false
    const closes = closing[text]
    if (closes !== undefined) open.push(closes)
    else if (text === ')' || text === ']' || text === '}') {
      if (open.pop() !== text) return false
    }
  }
  return open.length === 0
}

/** Whether a token is a circumstance by its short name: not a member of something else, a key, or part of a type. */
function isCircumstance(tokens: readonly PolicyToken[], index: number): boolean {
  const token = tokens[index]
  if (token?.kind !== 'identifier' || !circumstanceNames.has(token.text)) return false
  const before = tokens[index - 1]?.text ?? ''
  const after = tokens[index + 1]?.text ?? ''
  return !['.', '::', 'has'].includes(before) && ![':', '::', '('].includes(after)
}

/** A Cedar string literal. */
function cedarString(text: string): string {
  const escaped = text.replaceAll(/[\\"\p{Cc}]/gu, (character) =>
    character === '\\' || character === '"' ? `\\${character}` : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
  return `"${escaped}"`
}
