import { parseYaml, type SourceProblem } from '../../functions/index.ts'
import {
  compileRules,
  rulesFileSchema,
  type PolicyProblem,
  type PolicySource,
  type RuleOrigin,
} from '../../policy/index.ts'

/** Files of policies as the engine takes them, or what is wrong with them. */
export type PolicySources =
  | {
      readonly ok: true
      readonly sources: readonly PolicySource[]
      /** Problems that were found in the Cedar, at the places in the files as people wrote them; each once. */
      readonly placed: (problems: readonly PolicyProblem[]) => PolicyProblem[]
    }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] }

/**
 * Turns files into Cedar: `.rules.yaml` files are compiled and keep their name, so that rules are called
 * `team.rules.yaml#no-bulk` everywhere; others are Cedar already. What the Cedar says is not looked at.
 */
export function policySources(namespace: string, files: readonly PolicySource[]): PolicySources {
  const sources: PolicySource[] = []
  const problems: PolicyProblem[] = []
  const places = new Map<string, PlaceOf>()
  for (const { file, text } of files) {
    const compiled = file.endsWith('.rules.yaml') ? compileFile(namespace, file, text) : { text, problems: [], placeOf }
    sources.push({ file, text: compiled.text })
    problems.push(...compiled.problems)
    places.set(file, compiled.placeOf)
  }
  if (problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    sources,
    placed(found) {
      const seen = new Map<string, PolicyProblem>()
      for (const problem of found) {
        const there = (places.get(problem.file) ?? placeOf)(problem)
        const key = JSON.stringify([there.file, there.line, there.column, there.message])
        if (!seen.has(key)) seen.set(key, there)
      }
      return [...seen.values()]
    },
  }
}

type PlaceOf = (problem: PolicyProblem) => PolicyProblem
const placeOf: PlaceOf = (problem) => problem

interface CompiledFile {
  readonly text: string
  readonly problems: readonly PolicyProblem[]
  readonly placeOf: PlaceOf
}

function compileFile(namespace: string, file: string, text: string): CompiledFile {
  const parsed = parseYaml(file, Buffer.from(text, 'utf8'), rulesFileSchema)
  if (!parsed.ok) return { text: '', problems: parsed.problems.map(asError), placeOf }
  const { at, value } = parsed
  const rules = value.rules.map((rule, index) => ({ rule, line: at(['rules', index], '').line ?? 1 }))
  const compiled = compileRules(namespace, rules)
  if (compiled.ok) {
    const place: PlaceOf = (problem) => {
      const origin = originOf(compiled.text, compiled.origins, problem)
      return origin === null ? problem : { ...problem, ...placeIn(at(origin.path, '')) }
    }
    return { text: compiled.text, problems: [], placeOf: place }
  }
  const places = compiled.faults.map(({ rule, member, message, hint }) =>
    at(['rules', rule, ...(member === null ? [] : [member])], message, hint),
  )
  return { text: '', problems: places.map(asError), placeOf }
}

/** The closest part of the file that the place of a problem was compiled from. */
function originOf(text: string, origins: readonly RuleOrigin[], { line, column }: PolicyProblem): RuleOrigin | null {
  if (line === null || column === null) return null
  const lines = text.split('\n', line)
  const lineStart = lines.slice(0, line - 1).reduce((length, { length: own }) => length + own + 1, 0)
  // Columns count code points.
  const before = Array.from(lines[line - 1] ?? '').slice(0, column - 1)
  const offset = lineStart + before.join('').length
  // Those of members stand before that of the rule as a whole.
  return origins.find(({ start, end }) => offset >= start && offset < end) ?? null
}

const placeIn = ({ line, column }: SourceProblem): Pick<PolicyProblem, 'line' | 'column'> => ({ line, column })

function asError({ file, line, column, message, hint }: SourceProblem): PolicyProblem {
  return { file, line, column, message, hint, severity: 'error' }
}
