import { nearestName } from '../kernel/index.ts'
import type { NameFinding } from './name-finding.ts'
import type { ParsedPolicy } from './policy-set.ts'
import { policyTokens, unescapeCedarString } from './policy-tokens.ts'
import type { ToolVocabulary } from './tool-vocabulary.ts'

const tests = ['contains', 'containsAll', 'containsAny']

/**
 * Labels that a policy looks for and no tool declares: a forbid that waits for a misspelt one never forbids. Warnings,
 * because a function may come to declare them later.
 */
export function checkLabelNames(policy: ParsedPolicy, vocabulary: ToolVocabulary): NameFinding[] {
  const { labels } = vocabulary
  if (labels === null || !policy.text.includes('labels')) return []
  return [...labelsLookedFor(policy.json.conditions)]
    .filter((label) => !labels.has(label))
    .map((label) => {
      const near = nearestName(label, labels)
      const hint = near === null ? 'a function declares it with "labels" in service.yaml' : `did you mean "${near}"?`
      const message = `no tool declares the label "${label}", so no run has it`
      return { message, hint, offset: offsetOfText(label, policy.text), severity: 'warning' }
    })
}

/** The texts that are compared with `context.labels`, anywhere in a condition as Cedar prints it in JSON. */
function labelsLookedFor(node: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof node !== 'object' || node === null) return found
  for (const [name, value] of Object.entries(node)) {
    if (tests.includes(name) && isTestOfLabels(value)) collectTexts(value.right, found)
    labelsLookedFor(value, found)
  }
  return found
}

function isTestOfLabels(value: unknown): value is { readonly left: unknown; readonly right: unknown } {
  if (typeof value !== 'object' || value === null || !('left' in value) || !('right' in value)) return false
  return JSON.stringify(value.left) === '{".":{"left":{"Var":"context"},"attr":"labels"}}'
}

function collectTexts(node: unknown, found: Set<string>): void {
  if (typeof node !== 'object' || node === null) return
  if ('Value' in node && typeof node.Value === 'string') found.add(node.Value)
  if ('Set' in node && Array.isArray(node.Set)) for (const member of node.Set) collectTexts(member, found)
}

function offsetOfText(text: string, policy: string): number {
  const { tokens } = policyTokens(policy)
  const from = tokens.findIndex(({ text: word }) => word === 'labels')
  const literal = tokens.find(
    ({ kind, text: word }, index) => index > from && kind === 'string' && unescapeCedarString(word) === text,
  )
  return literal?.start ?? 0
}
