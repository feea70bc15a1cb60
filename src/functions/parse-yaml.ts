import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type ParsedNode } from 'yaml'
import type { z } from 'zod'
import type { JsonObject, JsonValue } from '../kernel/index.ts'
import { decodeText } from './decode-desired-state.ts'
import { desiredStateBounds, type SourceProblem } from './desired-state.ts'
import { explainIssue } from './explain-issue.ts'
import { fileProblem } from './source-problem.ts'

const maximumDepth = 32

/** A YAML file that has the right form, or its problems. */
export type ParsedYaml<T> =
  | { readonly ok: true; readonly value: T; readonly at: ProblemAt }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] }

/** Makes a problem at the place of a member, `['functions', 'top', 'limits']`; at the closest parent that is written. */
export type ProblemAt = (path: readonly PropertyKey[], message: string, hint?: string | null) => SourceProblem

/**
 * Reads a YAML 1.2 (core schema) file against a strict zod schema. What JSON cannot say is refused: anchors, aliases
 * and tags (so nothing can expand), keys that are not text, several documents, NaN, `__proto__`.
 * Every problem carries its line and column; an unknown key also the nearest known one.
 */
export function parseYaml<Schema extends z.ZodType>(
  file: string,
  bytes: Uint8Array,
  schema: Schema,
): ParsedYaml<z.infer<Schema>> {
  if (bytes.length > desiredStateBounds.yamlBytes) {
    return {
      ok: false,
      problems: [
        fileProblem(file, `the file is ${bytes.length} bytes; at most ${desiredStateBounds.yamlBytes} are taken`),
      ],
    }
  }
  const text = decodeText(bytes)
  if (text === null) return { ok: false, problems: [fileProblem(file, 'the file is not UTF-8 text')] }
  if (opensTooMuch(text))
    return { ok: false, problems: [fileProblem(file, `the file is nested more than ${maximumDepth} deep`)] }
  const lines = new LineCounter()
  const problemAtOffset = (offset: number, message: string, hint: string | null = null): SourceProblem => {
    const position = lines.linePos(offset)
    return { file, line: Math.max(position.line, 1), column: Math.max(position.col, 1), message, hint }
  }
  let document
  let value: JsonValue
  const problems: SourceProblem[] = []
  try {
    // Our own check of repeated keys (below) is linear; the library's compares every key with every other.
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: false,
      merge: false,
    })
    for (const fault of [...document.errors, ...document.warnings])
      problems.push(problemAtOffset(fault.pos[0], fault.message))
    if (problems.length > 0) return { ok: false, problems: problems.slice(0, 20) }
    value = toJson(document.contents, 0, (node, message) =>
      problems.push(problemAtOffset(node.range?.[0] ?? 0, message)),
    )
  } catch (error) {
    // Thousands of nested brackets exhaust the parser's stack.
    if (error instanceof RangeError)
      return { ok: false, problems: [fileProblem(file, 'the file is nested too deeply')] }
    throw error
  }
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, 20) }
  const contents = document.contents
  const at: ProblemAt = (path, message, hint = null) => problemAtOffset(offsetOf(contents, path), message, hint)
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data, at }
  return {
    ok: false,
    problems: parsed.error.issues
      .slice(0, 20)
      .flatMap((issue) =>
        explainIssue(issue, schema).map(({ key, message, hint }) =>
          at([...issue.path, ...(key === null ? [] : [key])], message, hint),
        ),
      ),
  }
}

/**
 * Thousands of open brackets, or of dashes on one line, would keep the parser busy for seconds before it gives up.
 * Counts brackets in quoted text too, so it allows twice the depth.
 */
function opensTooMuch(text: string): boolean {
  let open = 0
  for (const [bracket] of text.matchAll(/[[{\]}]/g)) {
    open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1)
    if (open > 2 * maximumDepth) return true
  }
  return /(?:[-?:][ \t]+){64}/.test(text)
}

function toJson(node: Node | null, depth: number, refuse: (node: Node, message: string) => void): JsonValue {
  if (node === null) return null
  if (depth > maximumDepth) {
    refuse(node, `the file is nested more than ${maximumDepth} deep`)
    return null
  }
  if ('anchor' in node && node.anchor !== undefined)
    refuse(node, 'anchors and aliases are not used here: write the value out')
  if (node.tag !== undefined) refuse(node, 'tags are not used here')
  if (isSeq<Node>(node)) return node.items.map((item) => toJson(item, depth + 1, refuse))
  if (isMap<Node, Node | null>(node)) return mapToJson(node.items, depth, refuse)
  if (!isScalar(node)) {
    refuse(node, 'anchors and aliases are not used here: write the value out')
    return null
  }
  return scalarToJson(node, refuse)
}

function mapToJson(
  items: readonly { readonly key: Node; readonly value: Node | null }[],
  depth: number,
  refuse: (node: Node, message: string) => void,
): JsonObject {
  const members: JsonObject = {}
  for (const { key, value } of items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (!isScalar(key) || key.anchor !== undefined || key.tag !== undefined || !name.isWellFormed())
      refuse(key, 'keys are plain text')
    else if (name === '__proto__') refuse(key, '"__proto__" cannot be a key')
    else if (Object.hasOwn(members, name)) refuse(key, `${JSON.stringify(name)} is given twice`)
    else members[name] = toJson(value, depth + 1, refuse)
  }
  return members
}

function scalarToJson(node: Node & { value: unknown }, refuse: (node: Node, message: string) => void): JsonValue {
  const { value } = node
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string' && value.isWellFormed()) return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  refuse(node, 'JSON cannot carry this value')
  return null
}

/** Where a member is written: its key if it has one, else the value, else the closest parent. */
function offsetOf(contents: ParsedNode | null, path: readonly PropertyKey[]): number {
  let node: Node | null = contents
  let offset = contents?.range[0] ?? 0
  for (const step of path) {
    if (isMap<Node, Node | null>(node)) {
      const pair: { key: Node; value: Node | null } | undefined = node.items.find(
        ({ key }) => isScalar(key) && key.value === step,
      )
      if (pair === undefined) return offset
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq<Node>(node)) {
      node = node.items[Number(step)] ?? null
      offset = node?.range?.[0] ?? offset
    } else return offset
  }
  return offset
}
