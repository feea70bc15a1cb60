import type { ConditionText } from '../../policy/index.ts'
import type { RefusalExplanation, TodaysAnswer } from './refusal-explanation.ts'

const labelWidth = 11

/** A page for people: what refused the call, on which condition, and what would change it. Ends in a newline. */
export function renderWhyNot(explanation: RefusalExplanation): string {
  const { call, namespace, time, principal, tool, refused, sentence, rules, nearMisses, elsewhere } = explanation
  const lines = [
    refused ? `REFUSED: ${sentence}` : `NOT REFUSED: ${sentence}`,
    '',
    ...section('Call', [`${call} in ${namespace}`, `${principal} asked for ${tool}, ${time}`]),
    ...(refused ? section('Rule', rules.flatMap(ruleLines)) : []),
    ...section('Closest', [
      ...nearMisses.flatMap(({ policyId, failed, conditions }) => [
        `${policyId} would permit it, but ${failed.length} of its ${conditions} conditions ${failed.length === 1 ? 'was' : 'were'} not so:`,
        ...failed.map((one) => `  ${said(one)}${one.evaluated ? '' : ' (could not be evaluated)'}`),
      ]),
      ...elsewhere.map(({ policyId, words }) => `${policyId} does not cover it: ${words}`),
    ]),
    ...section('Change', explanation.changes),
    ...section('Today', refused ? todayLines(explanation.today) : []),
    ...section('Not told', explanation.missing),
  ]
  return `${lines.map(visible).join('\n')}\n`
}

function ruleLines({ id, effect, reason, conditions }: RefusalExplanation['rules'][number]): string[] {
  return [
    `${effect} ${id}${reason === null ? '' : `: ${reason}`}`,
    ...conditions.map((one) => `  because ${said(one)}`),
  ]
}

function todayLines(today: TodaysAnswer | null): string[] {
  if (today === null) return ['cannot be told for the policies of today']
  const by = today.rules.length === 0 ? '' : `, by ${today.rules.join(', ')}`
  const [closest] = today.nearMisses
  return [
    today.effect === 'allow'
      ? `the policies of today would allow it${by}`
      : `the policies of today would refuse it too (${today.basis})${by}`,
    ...(closest === undefined ? [] : [`the closest of them is ${closest.policyId}`]),
  ]
}

/** In words with the Cedar, or as Cedar where there are no words. */
function said({ words, condition }: ConditionText): string {
  return words === null ? condition : `${words}  [${condition}]`
}

function section(label: string, lines: readonly string[]): string[] {
  return lines.map((line, position) => `${(position === 0 ? label : '').padEnd(labelWidth)}${line}`)
}

/** Text that cannot move the cursor, change colours, reorder what is read or add lines. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}
