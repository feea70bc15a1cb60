import { nearestName } from '../kernel/index.ts'
import { entityTypeNames } from './cedar-schema.ts'
import { checkLabelNames } from './check-label-names.ts'
import { checkObligationNames } from './check-obligation-names.ts'
import type { NameFinding } from './name-finding.ts'
import { policyScope } from './policy-scope.ts'
import type { ParsedPolicy } from './policy-set.ts'
import { policyTokens, unescapeCedarString, type EntityLiteral } from './policy-tokens.ts'
import type { KnownTool, ToolVocabulary } from './tool-vocabulary.ts'

/**
 * Names in a policy that mean nothing: tools, services, groups and namespaces that are not there or not of this
 * namespace, and arguments and facts that no tool in the policy's scope has. Unknown agents, agent groups
 * and labels are only warned of.
 */
export function checkNames(policy: ParsedPolicy, vocabulary: ToolVocabulary): NameFinding[] {
  const findings: NameFinding[] = []
  for (const literal of policy.literals) {
    const found = checkEntity(literal, vocabulary)
    if (found !== null) findings.push(found)
  }
  if (findings.some(({ severity }) => severity === 'error')) return findings
  findings.push(...checkObligationNames(policy, vocabulary), ...checkLabelNames(policy, vocabulary))
  if (policy.argumentNames.size > 0) findings.push(...checkArguments(policy, vocabulary))
  if (policy.factNames.size > 0) findings.push(...checkFacts(policy, vocabulary))
  return findings
}

function checkEntity(literal: EntityLiteral, vocabulary: ToolVocabulary): NameFinding | null {
  const { type, id, start: offset } = literal
  const { namespace } = vocabulary
  const written = (name: string): string => `${type}::"${name}"`
  const problem = (message: string, near: string | null, severity: 'error' | 'warning' = 'error'): NameFinding => {
    return { message, hint: near === null ? null : `did you mean ${written(near)}?`, offset, severity }
  }
  if (type === 'Namespace') {
    return id === namespace
      ? null
      : problem(`these policies are of namespace "${namespace}" and cannot speak of "${id}"`, namespace)
  }
  // Users and roles belong to the platform; other types and actions are Cedar's validator's to judge.
  if (!entityTypeNames.includes(type) || type === 'User' || type === 'Role') return null
  if (!id.startsWith(`${namespace}/`)) {
    const hasOther = /^[a-z][a-z0-9-]*\//u.test(id)
    if (hasOther)
      return problem(`${written(id)} is of another namespace than "${namespace}", which these policies are of`, null)
    return problem(`${written(id)} lacks its namespace`, `${namespace}/${id}`)
  }
  const known = {
    Tool: vocabulary.tools,
    Service: vocabulary.services,
    Agent: vocabulary.agents,
    AgentGroup: vocabulary.groups,
  }[type]
  if (known === undefined || known === null || known.has(id)) return null
  const kind = { Tool: 'tool', Service: 'service', Agent: 'agent', AgentGroup: 'agent group' }[type] ?? type
  const severity = type === 'Tool' || type === 'Service' ? 'error' : 'warning'
  return problem(`there is no ${kind} "${id}"`, nearestName(id, known.keys()), severity)
}

function checkArguments(policy: ParsedPolicy, vocabulary: ToolVocabulary): NameFinding[] {
  const missing = new Set(policy.argumentNames)
  const visible = new Set<string>()
  const reasons = new Map<string, string>()
  let tools = 0
  for (const tool of vocabulary.toolsInScope(policyScope(policy.json))) {
    tools += 1
    for (const name of Object.keys(tool.arguments.type.attributes)) {
      missing.delete(name)
      visible.add(name)
    }
    noteInvisible(tool, missing, reasons)
  }
  return [...missing].map((name) => {
    const offset = offsetOfAttribute(name, policy.text)
    const why = reasons.get(name)
    if (why !== undefined)
      return { message: `policies cannot see the argument "${name}": ${why}`, hint: null, offset, severity: 'error' }
    if (tools === 0) {
      const hint = 'only calls of tools have arguments: see the action and the resource in the scope'
      return {
        message: `no tool is in the scope of this policy, so there is no argument "${name}"`,
        hint,
        offset,
        severity: 'error',
      }
    }
    const near = nearestName(name, visible)
    const list = [...visible].sort().slice(0, 12).join(', ')
    const hint = near === null ? (list === '' ? null : `there are: ${list}`) : `did you mean "${near}"?`
    return { message: `no tool in the scope of this policy has an argument "${name}"`, hint, offset, severity: 'error' }
  })
}

function checkFacts(policy: ParsedPolicy, vocabulary: ToolVocabulary): NameFinding[] {
  const known = new Set<string>()
  for (const tool of vocabulary.toolsInScope(policyScope(policy.json)))
    for (const name of Object.keys(tool.facts.type.attributes)) known.add(name)
  return [...policy.factNames]
    .filter((name) => !known.has(name))
    .map((name) => {
      const near = nearestName(name, known)
      const list = [...known].sort().slice(0, 12).join(', ')
      const others = list === '' ? 'bind it to a tool in facts.yaml' : `there are: ${list}`
      return {
        message: `no tool in the scope of this policy has a fact "${name}"`,
        hint: near === null ? others : `did you mean "${near}"?`,
        offset: offsetOfAttribute(name, policy.text),
        severity: 'error',
      }
    })
}

function noteInvisible(tool: KnownTool, missing: ReadonlySet<string>, reasons: Map<string, string>): void {
  for (const name of missing) {
    const reason = tool.arguments.invisible.get(name)
    if (reason !== undefined) reasons.set(name, `in ${tool.id}, ${reason}`)
  }
}

/** Where a policy first names an attribute: after a point, after `has`, or as a string. */
function offsetOfAttribute(name: string, text: string): number {
  const { tokens } = policyTokens(text)
  for (let index = 1; index < tokens.length; index += 1) {
    const token = tokens[index]
    const before = tokens[index - 1]?.text
    if (token === undefined) continue
    if (token.kind === 'identifier' && token.text === name && (before === '.' || before === 'has')) return token.start
    if (token.kind === 'string' && (before === '[' || before === 'has') && unescapeCedarString(token.text) === name)
      return token.start
  }
  return 0
}
