import { parseYaml, type SourceProblem } from '../../functions/index.ts'
import { compileRules, rulesFileSchema, type PolicyProblem, type PolicySource } from '../../policy/index.ts'

/** Files of policies as the engine takes them, or what is wrong with them. */
export type PolicySources =
  | { readonly ok: true; readonly sources: readonly PolicySource[] }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] }

/**
 * Turns files into Cedar: `.rules.yaml` files are compiled and keep their name, so that rules are called
 * `team.rules.yaml#no-bulk` everywhere; others are Cedar already. What the Cedar says is not looked at.
 */
export function policySources(namespace: string, files: readonly PolicySource[]): PolicySources {
  const sources: PolicySource[] = []
  const problems: PolicyProblem[] = []
  for (const { file, text } of files) {
    const compiled = file.endsWith('.rules.yaml') ? compileFile(namespace, file, text) : { text, problems: [] }
    sources.push({ file, text: compiled.text })
    problems.push(...compiled.problems)
  }
  return problems.length === 0 ? { ok: true, sources } : { ok: false, problems }
}

function compileFile(namespace: string, file: string, text: string): { text: string; problems: PolicyProblem[] } {
  const parsed = parseYaml(file, Buffer.from(text, 'utf8'), rulesFileSchema)
  if (!parsed.ok) return { text: '', problems: parsed.problems.map(asError) }
  const { at, value } = parsed
  const rules = value.rules.map((rule, index) => ({ rule, line: at(['rules', index], '').line ?? 1 }))
  const compiled = compileRules(namespace, rules)
  if (compiled.ok) return { text: compiled.text, problems: [] }
  const places = compiled.faults.map(({ rule, member, message, hint }) =>
    at(['rules', rule, ...(member === null ? [] : [member])], message, hint),
  )
  return { text: '', problems: places.map(asError) }
}

function asError({ file, line, column, message, hint }: SourceProblem): PolicyProblem {
  return { file, line, column, message, hint, severity: 'error' }
}
