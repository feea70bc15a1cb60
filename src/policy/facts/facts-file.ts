import { z } from 'zod'
import { nearestName, type JsonObject } from '../../kernel/index.ts'
import type { PolicyProblem } from '../policy-engine.ts'
import { positionAt } from '../source-position.ts'
import { minorDigits } from './currencies.ts'
import { extractors } from './extractors.ts'
import type { Extractor } from './extractor.ts'
import { positionedYaml, type YamlPath } from './positioned-yaml.ts'

/** The name of the file in `policies/` that binds facts. */
export const factsFileName = 'facts.yaml'

/** One fact of one tool, as its author bound it. */
export interface FactBinding {
  /** The tool as agents see it. */
  readonly tool: string
  readonly name: string
  readonly extractor: Extractor
  readonly parameters: JsonObject
  /** Names of arguments. */
  readonly from: readonly string[]
  /** Whether this fact says what the call spends. */
  readonly spend: boolean
  /** A problem at a member of the binding (`['from']`), at the fact as a whole (`[]`), or at its tool (`null`). */
  readonly problemAt: (path: YamlPath | null, message: string, hint: string | null) => PolicyProblem
}

/** What the file of facts says, checked in form; not whether the tools and arguments are there. */
export interface FactsFile {
  readonly bindings: readonly FactBinding[]
  /** ISO 4217 code of what calls spend; `null` where nothing is counted. */
  readonly currency: string | null
}

/** No facts at all. */
export const noFacts: FactsFile = { bindings: [], currency: null }

const lengthLimit = 262_144
const factsPerTool = 16

const factName = /^[a-z][a-z0-9_]{0,39}$/
/** Words that Cedar keeps to itself. */
const keptWords = new Set(['true', 'false', 'if', 'then', 'else', 'in', 'is', 'like', 'has', 'principal', 'action'])

const argumentName = z.string().min(1).max(128)
const bindingSchema = z.looseObject({
  extract: z.string(),
  from: z.union([argumentName, z.array(argumentName).min(1).max(16)], {
    error: 'say from which argument: a name, or a list of names',
  }),
  spend: z.boolean().default(false),
})
const fileSchema = z.strictObject({
  facts: z.record(z.string().regex(/^[A-Za-z0-9_-]{1,128}$/), z.record(z.string(), z.record(z.string(), z.json()))),
  spend: z
    .strictObject({
      currency: z
        .string()
        .refine((code) => minorDigits.has(code), { error: 'there is no such currency: write ISO 4217, such as EUR' }),
    })
    .optional(),
})

/** Reads the file of facts: all of its mistakes at once, each with line and column, and the nearest name. */
export function readFactsFile(text: string): {
  readonly facts: FactsFile
  readonly problems: readonly PolicyProblem[]
} {
  const problems: PolicyProblem[] = []
  const report = (offset: number, message: string, hint: string | null): void => {
    problems.push(problem(text, offset, message, hint))
  }
  const none = { facts: noFacts, problems }
  if (text.length > lengthLimit || !text.isWellFormed()) {
    report(
      0,
      text.isWellFormed() ? `the file is longer than ${lengthLimit} characters` : 'the file is not Unicode text',
      null,
    )
    return none
  }
  const yaml = positionedYaml(text)
  if (!yaml.ok) {
    for (const { offset, message } of yaml.faults) report(offset, message, null)
    return none
  }
  const at = (path: YamlPath, message: string, hint: string | null): void => report(yaml.offsetOf(path), message, hint)
  const parsed = fileSchema.safeParse(yaml.value)
  if (!parsed.success) {
    for (const issue of parsed.error.issues.slice(0, 20)) tell(issue, ['facts', 'spend'], [], at)
    return none
  }
  const bindings: FactBinding[] = []
  for (const [tool, facts] of Object.entries(parsed.data.facts)) {
    const names = Object.keys(facts)
    if (names.length > factsPerTool) at(['facts', tool], `a tool has at most ${factsPerTool} facts`, null)
    for (const name of names) {
      const path = ['facts', tool, name]
      const problemAt: FactBinding['problemAt'] = (below, message, hint) =>
        problem(text, yaml.offsetOf(below === null ? ['facts', tool] : [...path, ...below]), message, hint)
      const read = readBinding(name, facts[name] ?? {}, (below, message, hint) =>
        at([...path, ...below], message, hint),
      )
      if (read !== null) bindings.push({ tool, name, ...read, problemAt })
    }
    const [spending] = bindings.filter((binding) => binding.tool === tool && binding.spend)
    if (spending !== undefined && parsed.data.spend === undefined)
      at(['facts', tool, spending.name, 'spend'], 'the file does not say what calls spend', 'spend: { currency: EUR }')
    const own = spending?.parameters['currency'] ?? parsed.data.spend?.currency
    if (spending !== undefined && own !== parsed.data.spend?.currency)
      at(['facts', tool, spending.name, 'currency'], 'calls spend another currency here', null)
    for (const second of spendTwice(tool, bindings))
      at(['facts', tool, second, 'spend'], 'a tool has one fact that says what a call spends', null)
  }
  return { facts: { bindings, currency: parsed.data.spend?.currency ?? null }, problems }
}

type At = (path: YamlPath, message: string, hint: string | null) => void

function spendTwice(tool: string, bindings: readonly FactBinding[]): string[] {
  return bindings
    .filter((binding) => binding.tool === tool && binding.spend)
    .slice(1)
    .map(({ name }) => name)
}

function readBinding(
  name: string,
  written: JsonObject,
  at: At,
): Pick<FactBinding, 'extractor' | 'parameters' | 'from' | 'spend'> | null {
  if (!factName.test(name) || keptWords.has(name)) {
    at([], 'the name of a fact is a letter and then up to 39 of a-z, 0-9 and "_", and no word of Cedar', null)
    return null
  }
  const common = bindingSchema.safeParse(written)
  if (!common.success) {
    for (const issue of common.error.issues) tell(issue, [], [], at)
    return null
  }
  const { extract, from, spend, ...rest } = common.data
  const extractor = extractors.get(extract)
  if (extractor === undefined) {
    const near = nearestName(extract, extractors.keys())
    const hint = near === null ? `there are: ${[...extractors.keys()].sort().join(', ')}` : `did you mean "${near}"?`
    at(['extract'], 'there is no such extractor', hint)
    return null
  }
  const parameters = extractor.parameters.safeParse(rest)
  if (!parameters.success) {
    const known = ['extract', 'from', 'spend', ...Object.keys(extractor.parameters.shape)]
    for (const issue of parameters.error.issues) tell(issue, known, [], at)
    return null
  }
  const names = typeof from === 'string' ? [from] : from
  const { least, most } = extractor.takes
  if (names.length < least || names.length > most)
    at(['from'], `${extractor.name} reads ${least === most ? least : `${least} to ${most}`} arguments`, null)
  const misuse = extractor.misuse?.(parameters.data as JsonObject, names) ?? null
  if (misuse !== null) at([], misuse, null)
  if (spend && !extractor.givesMoney) at(['spend'], `${extractor.name} gives no amount of money`, null)
  if (new Set(names).size !== names.length) at(['from'], 'an argument is named twice', null)
  return { extractor, parameters: parameters.data as JsonObject, from: names, spend }
}

function tell(issue: z.core.$ZodIssue, known: readonly string[], base: YamlPath, at: At): void {
  if (issue.code !== 'unrecognized_keys') {
    at([...base, ...issue.path], issue.message, null)
    return
  }
  for (const key of issue.keys.slice(0, 20)) {
    const near = isKnownHere(issue.path) ? nearestName(key, known) : null
    const hint =
      near === null ? (known.length === 0 ? null : `known here: ${known.join(', ')}`) : `did you mean "${near}"?`
    at([...base, ...issue.path, key], `unknown key ${JSON.stringify(key.slice(0, 60))}`, hint)
  }
}

const isKnownHere = (path: YamlPath): boolean => path.length === 0

function problem(text: string, offset: number, message: string, hint: string | null): PolicyProblem {
  return { file: factsFileName, ...positionAt(text, offset), message, hint, severity: 'error' }
}
