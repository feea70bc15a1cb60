import { digestJson, nearestName, sha256, type Digest } from '../kernel/index.ts'
import { approvalFault } from './approval-remedy.ts'
import { attributeReads, namesUnder } from './attribute-reads.ts'
import { builtInFile, builtInPolicies } from './built-in-policies.ts'
import { policyToJson, type DetailedError } from './cedar.ts'
import { factsFileName, noFacts, readFactsFile } from './facts/facts-file.ts'
import type { PolicyProblem, PolicySource } from './policy-engine.ts'
import { brokenTokenLimit, brokenTreeLimit, policyLimits } from './policy-limits.ts'
import type { LruMap } from './lru-map.ts'
import { isForDenials, parseObligations } from './obligation.ts'
import type { ParsedPolicy, ParsedPolicySet, PolicyBody } from './policy-set.ts'
import { entityLiterals, policyTokens, type PolicyToken } from './policy-tokens.ts'
import { positionAt, utf16Offset } from './source-position.ts'

/** Parsed policies by their text, weighed by its length: a policy that did not change is not parsed again. */
export type BodyCache = LruMap<PolicyBody>

/** A parsed set and what was wrong with it. With a problem of severity `error`, policies are missing from the set. */
export interface ParseOutcome {
  readonly set: ParsedPolicySet
  readonly problems: readonly PolicyProblem[]
}

const fileNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,7}$/
const idPattern = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/
const knownAnnotations = ['id', 'reason', 'remedy', 'obligation']

/**
 * Cuts policy files into policies and parses each by itself, so that one mistake does not hide the next. The platform's
 * own policies come first, of this version where no others are given. `facts.yaml` among the files binds facts and holds no policy. Checks grammar, bounds, names and annotations; not whether what a policy names exists.
 */
export function parsePolicies(
  sources: readonly PolicySource[],
  cache: BodyCache,
  builtIn: string = builtInPolicies,
): ParseOutcome {
  const problems: PolicyProblem[] = []
  const policies: ParsedPolicy[] = []
  const ids = new Map<string, ParsedPolicy>()
  const files = new Set<string>([builtInFile])
  let facts = noFacts
  policies.push(...parseFile({ file: builtInFile, text: builtIn }, cache, problems))
  for (const source of sources) {
    if (!fileNamePattern.test(source.file) || files.has(source.file)) {
      const why = files.has(source.file)
        ? "is there twice, or is the name of the platform's own policies"
        : 'has a name that is not plain'
      problems.push({
        file: source.file,
        line: null,
        column: null,
        message: `the file ${why}`,
        hint: 'rename it, such as leads.cedar',
        severity: 'error',
      })
      continue
    }
    files.add(source.file)
    if (source.file === factsFileName) {
      const read = readFactsFile(source.text)
      facts = read.facts
      problems.push(...read.problems)
      continue
    }
    for (const policy of parseFile(source, cache, problems)) {
      const name = policy.json.annotations?.id
      const twin = name === undefined ? undefined : ids.get(name)
      if (name !== undefined) ids.set(name, policy)
      if (twin !== undefined) {
        problems.push(
          problemAt(source, policy.offset, `@id("${name}") is taken: ${twin.file} line ${twin.line} has it too`, null),
        )
      } else policies.push(policy)
    }
  }
  if (policies.length > policyLimits.policies) {
    const file = sources.at(-1)?.file ?? builtInFile
    problems.push({
      file,
      line: null,
      column: null,
      message: `a namespace has at most ${policyLimits.policies} policies`,
      hint: null,
      severity: 'error',
    })
  }
  return { set: { policies, facts, hash: policySetHash(sources, builtIn) }, problems }
}

/**
 * Digest over the platform's own policies, of this version where no others are given, and every file's name and text,
 * whatever the order of the files.
 */
export function policySetHash(sources: readonly PolicySource[], builtIn: string = builtInPolicies): Digest {
  const texts = sources
    .map(({ file, text }) => ({ file, text: sha256(text) }))
    .sort((a, b) => (a.file < b.file ? -1 : 1))
  return digestJson({ builtIn: sha256(builtIn), files: texts })
}

function parseFile(source: PolicySource, cache: BodyCache, problems: PolicyProblem[]): ParsedPolicy[] {
  if (source.text.length > policyLimits.fileLength || !source.text.isWellFormed()) {
    problems.push(
      problemAt(source, 0, source.text.isWellFormed() ? 'the file is too large' : 'the file is not Unicode text', null),
    )
    return []
  }
  const { tokens, brokenAt } = policyTokens(source.text)
  if (brokenAt !== null) {
    const message =
      source.text[brokenAt] === '"'
        ? 'this string does not end'
        : `unexpected character ${JSON.stringify(String.fromCodePoint(source.text.codePointAt(brokenAt) ?? 0))}`
    problems.push(problemAt(source, brokenAt, message, null))
  }
  const policies: ParsedPolicy[] = []
  const positions = lineStarts(source.text)
  const ids = new Set<string>()
  let first = 0
  for (let index = 0; index < tokens.length; index += 1) {
    if (tokens[index]?.text !== ';') continue
    const body = parseBody(source, tokens.slice(first, index + 1), cache, problems)
    if (body !== null) {
      policies.push(placed(body, source, tokens[first]?.start ?? 0, positions, ids, problems))
      problems.push(...obligationProblems(source, tokens.slice(first, index), body.json.annotations))
    }
    first = index + 1
  }
  const rest = tokens[first]
  const last = tokens.at(-1)
  if (rest !== undefined && last !== undefined && brokenAt === null) {
    problems.push(problemAt(source, last.end, 'the policy does not end', 'end it with ";"'))
  }
  return policies
}

function parseBody(
  source: PolicySource,
  fileTokens: readonly PolicyToken[],
  cache: BodyCache,
  problems: PolicyProblem[],
): PolicyBody | null {
  const offset = fileTokens[0]?.start ?? 0
  const text = source.text.slice(offset, fileTokens.at(-1)?.end)
  const known = cache.get(text)
  if (known !== undefined) return known
  const tooMuch = brokenTokenLimit(fileTokens)
  if (tooMuch !== null) {
    problems.push(problemAt(source, offset, tooMuch, null))
    return null
  }
  const answer = policyToJson(text)
  if (answer.type === 'failure') {
    problems.push(...answer.errors.map((error) => grammarProblem(source, offset, text, error)))
    return null
  }
  const { json } = answer
  const tooDeep = brokenTreeLimit(json)
  if (tooDeep !== null) {
    problems.push(problemAt(source, offset, tooDeep, null))
    return null
  }
  const literals = entityLiterals(fileTokens).map((literal) => ({
    ...literal,
    start: literal.start - offset,
    end: literal.end - offset,
  }))
  const reads = attributeReads(json)
  const body = {
    text,
    textHash: sha256(text),
    json,
    reads,
    literals,
    argumentNames: namesUnder(reads, 'args'),
    factNames: namesUnder(reads, 'facts'),
  }
  cache.set(text, body, text.length)
  return body
}

function placed(
  body: PolicyBody,
  source: PolicySource,
  offset: number,
  lines: readonly number[],
  ids: Set<string>,
  problems: PolicyProblem[],
): ParsedPolicy {
  const { json, textHash } = body
  const annotations = json.annotations ?? {}
  problems.push(...annotationProblems(source, offset, annotations, json.effect))
  const unapprovable = approvalFault(json)
  if (unapprovable !== null) problems.push(problemAt(source, offset, unapprovable.message, unapprovable.hint))
  const line = lineOf(lines, offset)
  let id = `${source.file}#${annotations.id ?? String(line)}`
  // Two nameless policies on one line are told apart by the column.
  if (annotations.id === undefined && ids.has(id)) id = `${id}:${positionAt(source.text, offset).column}`
  ids.add(id)
  const shown = {
    id,
    effect: json.effect,
    textHash,
    reason: annotations.reason ?? null,
    remedy: annotations.remedy ?? null,
  }
  return { ...body, id, file: source.file, offset, line, obligation: annotations.obligation ?? null, shown }
}

function annotationProblems(
  source: PolicySource,
  offset: number,
  annotations: Record<string, string>,
  effect: string,
): PolicyProblem[] {
  const problems: PolicyProblem[] = []
  if (annotations.id !== undefined && !idPattern.test(annotations.id)) {
    problems.push(
      problemAt(source, offset, 'an @id is a letter and then up to 63 letters, digits, ".", "_" or "-"', null),
    )
  }
  for (const name of Object.keys(annotations)) {
    if (knownAnnotations.includes(name)) continue
    const near = nearestName(name, knownAnnotations)
    const hint =
      near === null ? `known are ${knownAnnotations.map((known) => `@${known}`).join(', ')}` : `did you mean @${near}?`
    problems.push({
      ...problemAt(source, offset, `the annotation @${name} means nothing here`, hint),
      severity: 'warning',
    })
  }
  const useless = effect === 'permit' ? 'remedy' : 'obligation'
  if (annotations[useless] !== undefined && !(useless === 'obligation' && isForDenials(annotations[useless]))) {
    problems.push({
      ...problemAt(source, offset, `@${useless} on a ${effect} has no effect`, null),
      severity: 'warning',
    })
  }
  return problems
}

/** A mistake in `@obligation("...")`, where it stands. Only a literal with escapes is pointed at as a whole. */
function obligationProblems(
  source: PolicySource,
  tokens: readonly PolicyToken[],
  annotations: PolicyBody['json']['annotations'],
): PolicyProblem[] {
  if (annotations === undefined || !('obligation' in annotations)) return []
  // Cedar gives an annotation without a value as null.
  const text = annotations['obligation'] ?? ''
  const parsed = parseObligations(text)
  if (parsed.ok) return []
  const literal = tokens.find(
    ({ kind }, index) =>
      kind === 'string' && tokens[index - 2]?.text === 'obligation' && tokens[index - 3]?.text === '@',
  )
  const { offset, message, hint } = parsed.fault
  const isPlain = literal?.text.slice(1, -1) === text
  const start = literal?.start ?? tokens[0]?.start ?? 0
  return [problemAt(source, start + (isPlain ? offset + 1 : 0), message, hint)]
}

function grammarProblem(source: PolicySource, offset: number, text: string, error: DetailedError): PolicyProblem {
  const place = error.sourceLocations?.[0]
  const at = offset + (place === undefined ? 0 : utf16Offset(text, place.start))
  const message = error.message.replace(/^(?:failed to parse \w+ from (?:string|JSON)|error parsing policy): /u, '')
  const label = place?.label ?? null
  return problemAt(source, at, label === null ? message : `${message}: ${label}`, error.help)
}

/** A problem of severity `error` at a UTF-16 offset of a file. */
function problemAt(source: PolicySource, offset: number, message: string, hint: string | null): PolicyProblem {
  return { file: source.file, ...positionAt(source.text, offset), message, hint, severity: 'error' }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let next = text.indexOf('\n'); next !== -1; next = text.indexOf('\n', next + 1)) starts.push(next + 1)
  return starts
}

/** Line of an offset by binary search: a file of thousands of policies is not scanned once for each. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low + 1
}
