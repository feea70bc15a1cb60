import { nearestName } from '../kernel/index.ts'
import { createFieldNames } from './field-names.ts'
import type { NameFinding } from './name-finding.ts'
import { parseObligations } from './obligation.ts'
import { policyScope } from './policy-scope.ts'
import type { ParsedPolicy } from './policy-set.ts'
import { policyTokens } from './policy-tokens.ts'
import type { ToolVocabulary } from './tool-vocabulary.ts'

/**
 * Names in an obligation that probably mean nothing: fields that no tool in the policy's scope says that it gives out,
 * where all of them say what they give out, and channels without an address. Warnings: a tool may give out more than it
 * says, and a channel may get its address later.
 */
export function checkObligationNames(policy: ParsedPolicy, vocabulary: ToolVocabulary): NameFinding[] {
  if (policy.obligation === null || policy.json.effect !== 'permit') return []
  const parsed = parseObligations(policy.obligation)
  if (!parsed.ok) return []
  return parsed.obligations.flatMap((one) => {
    if (one.kind === 'redact') return unknownFields(one.fields, policy, vocabulary)
    return one.kind === 'notify' ? unknownChannels(one.channels, policy, vocabulary) : []
  })
}

function unknownFields(fields: readonly string[], policy: ParsedPolicy, vocabulary: ToolVocabulary): NameFinding[] {
  const given = new Set<string>()
  let tools = 0
  for (const { outputNames } of vocabulary.toolsInScope(policyScope(policy.json))) {
    if (outputNames === null) return []
    for (const name of outputNames) given.add(name)
    tools += 1
  }
  if (tools === 0) return []
  return fields
    .filter((field) => {
      const names = createFieldNames([field])
      return ![...given].some((name) => names.has(name))
    })
    .map((field) =>
      finding(policy, field, `no tool in the scope of this policy says that it gives out a field "${field}"`, given),
    )
}

function unknownChannels(channels: readonly string[], policy: ParsedPolicy, vocabulary: ToolVocabulary): NameFinding[] {
  const known = vocabulary.channels
  if (known === null) return []
  return channels
    .filter((channel) => !known.has(channel))
    .map((channel) => {
      const message = `the channel "${channel}" is not configured, so it is told by a line of the log of the server`
      return finding(policy, channel, message, known)
    })
}

function finding(policy: ParsedPolicy, name: string, message: string, known: ReadonlySet<string>): NameFinding {
  const near = nearestName(name, known)
  const hint = near === null ? null : `did you mean "${near}"?`
  return { message, hint, offset: offsetInAnnotation(name, policy.text), severity: 'warning' }
}

/** Where a name stands in `@obligation("...")`; the whole annotation where it is written with escapes. */
function offsetInAnnotation(name: string, text: string): number {
  const { tokens } = policyTokens(text)
  const literal = tokens.find(({ kind }, index) => kind === 'string' && tokens[index - 2]?.text === 'obligation')
  if (literal === undefined) return 0
  const words = literal.text.matchAll(/[^\s,;"]+/gu)
  for (const { 0: word, index } of words) if (word === name) return literal.start + index
  return literal.start
}
