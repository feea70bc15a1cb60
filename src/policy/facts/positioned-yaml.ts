import { isMap, isScalar, isSeq, parseDocument, type Node } from 'yaml'
import type { JsonObject, JsonValue } from '../../kernel/index.ts'

/** Path to a member: keys and indexes. */
export type YamlPath = readonly PropertyKey[]

/** A YAML file as JSON with the place of each member, or its first mistakes. Offsets are UTF-16 units. */
export type PositionedYaml =
  | { readonly ok: true; readonly value: JsonValue; readonly offsetOf: (path: YamlPath) => number }
  | { readonly ok: false; readonly faults: readonly { readonly offset: number; readonly message: string }[] }

const depthLimit = 12

/**
 * Reads YAML 1.2 that JSON could say as well: no anchors, aliases, tags or keys that are not text, so nothing can expand.
 * The caller bounds the length. Never throws on hostile text.
 */
export function positionedYaml(text: string): PositionedYaml {
  if (opensTooMuch(text)) return refused(0, `the file is nested more than ${depthLimit} deep`)
  const document = parseDocument(text, {
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    merge: false,
  })
  const mistakes = [...document.errors, ...document.warnings]
  if (mistakes.length > 0)
    return { ok: false, faults: mistakes.slice(0, 20).map(({ pos, message }) => ({ offset: pos[0], message })) }
  const faults: { offset: number; message: string }[] = []
  const value = toJson(document.contents, 0, (node, message) => faults.push({ offset: node.range?.[0] ?? 0, message }))
  if (faults.length > 0) return { ok: false, faults: faults.slice(0, 20) }
  return { ok: true, value, offsetOf: (path) => offsetOf(document.contents, path) }
}

type Refuse = (node: Node, message: string) => void

function refused(offset: number, message: string): PositionedYaml {
  return { ok: false, faults: [{ offset, message }] }
}

/** Thousands of open brackets, or of dashes on one line, exhaust the parser. Counts brackets in quoted text too. */
function opensTooMuch(text: string): boolean {
  let open = 0
  for (const [bracket] of text.matchAll(/[[{\]}]/g)) {
    open = bracket === '[' || bracket === '{' ? open + 1 : Math.max(0, open - 1)
    if (open > 2 * depthLimit) return true
  }
  return /(?:[-?:][ \t]+){32}/.test(text)
}

function toJson(node: Node | null, depth: number, refuse: Refuse): JsonValue {
  if (node === null) return null
  if (depth > depthLimit) {
    refuse(node, `the file is nested more than ${depthLimit} deep`)
    return null
  }
  if (('anchor' in node && node.anchor !== undefined) || node.tag !== undefined)
    refuse(node, 'anchors and tags are not used here')
  if (isSeq<Node>(node)) return node.items.map((item) => toJson(item, depth + 1, refuse))
  if (isMap<Node, Node | null>(node)) return mapToJson(node.items, depth, refuse)
  if (isScalar(node)) {
    const { value } = node
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
  }
  refuse(node, 'JSON cannot carry this value')
  return null
}

function mapToJson(
  items: readonly { readonly key: Node; readonly value: Node | null }[],
  depth: number,
  refuse: Refuse,
): JsonObject {
  const members: JsonObject = {}
  for (const { key, value } of items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (!isScalar(key) || key.anchor !== undefined || key.tag !== undefined) refuse(key, 'keys are plain text')
    else if (name === '__proto__') refuse(key, '"__proto__" cannot be a key')
    else if (Object.hasOwn(members, name)) refuse(key, `${JSON.stringify(name)} is given twice`)
    else members[name] = toJson(value, depth + 1, refuse)
  }
  return members
}

/** Where a member is written: its key if it has one, else the value, else the closest parent. */
function offsetOf(contents: Node | null, path: YamlPath): number {
  let node = contents
  let offset = contents?.range?.[0] ?? 0
  for (const step of path) {
    if (isMap<Node, Node | null>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step)
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
