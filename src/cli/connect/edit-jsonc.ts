import {
  findNodeAtLocation,
  getNodeValue,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from 'jsonc-parser'
import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { ListedSetting, Setting } from './connect-client.ts'
import type { EditOutcome } from './edit-outcome.ts'
import { addItem, endOfLine, removeItem, replaceValue } from './jsonc-text.ts'

type Path = readonly (string | number)[]

/** JSON with comments, read. `value` is what a member holds; `undefined` where there is none. */
export type JsoncFile =
  | { readonly ok: true; readonly value: (path: Path) => JsonValue | undefined }
  | { readonly ok: false; readonly problem: string; readonly line?: number; readonly column?: number }

/**
 * Reads JSON in which comments and commas at the end are allowed. An empty text is an empty object. Members that occur
 * twice on the way to `watched` are a mistake: clients differ on which of them counts.
 */
export function readJsonc(text: string, watched: Path): JsoncFile {
  const root = parse(text)
  if (!root.ok) return root
  for (let depth = 0; depth <= watched.length; depth += 1) {
    const node = find(root.node, watched.slice(0, depth))
    const twice = node === undefined ? null : repeatedMember(node)
    if (twice !== null) return mistakeAt(text, twice.offset, `the member ${JSON.stringify(twice.name)} is there twice`)
  }
  return {
    ok: true,
    value(path) {
      const node = find(root.node, path)
      return node === undefined ? undefined : (getNodeValue(node) as JsonValue)
    },
  }
}

/** Sets and removes members. Comments, order and formatting of everything else stay. The text must be readable. */
export function editJsonc(text: string, settings: readonly Setting[], listed: readonly ListedSetting[]): EditOutcome {
  let edited = isBlank(text) ? `{}${endOfLine(text)}` : text
  for (const { path, value } of settings) {
    const outcome = set(edited, path, value)
    if (!outcome.ok) return outcome
    edited = outcome.text
  }
  for (const setting of listed) {
    const outcome = setListed(edited, setting)
    if (!outcome.ok) return outcome
    edited = outcome.text
  }
  return { ok: true, text: edited === `{}${endOfLine(text)}` && isBlank(text) ? text : edited }
}

/** Makes a place hold a value, with the objects that lead to it; or hold nothing. */
function set(text: string, path: Path, value: JsonValue | undefined): EditOutcome {
  const root = parse(text)
  if (!root.ok) return root
  let container = root.node
  for (const [depth, part] of path.entries()) {
    if (container.type !== (typeof part === 'number' ? 'array' : 'object'))
      return mistakeAt(text, container.offset, `${path.slice(0, depth).join('.') || 'the file'} is not an object`)
    const next = findNodeAtLocation(container, [part])
    if (next === undefined) {
      if (value === undefined) return { ok: true, text }
      const key = typeof part === 'string' ? part : null
      return { ok: true, text: addItem(text, container, key, nested(path.slice(depth + 1), value)) }
    }
    container = next
  }
  if (value === undefined) return { ok: true, text: remove(text, container, path.length) }
  if (isDeepStrictEqual(getNodeValue(container), value)) return { ok: true, text }
  return { ok: true, text: replaceValue(text, container, value) }
}

/** Removes a member, and with it an object below an entry in which it was alone. */
function remove(text: string, node: Node, depth: number): string {
  const item = node.parent?.type === 'property' ? node.parent : node
  const container = item.parent
  if (container === undefined) return text
  const isLast = container.children?.length === 1 && depth > 3 && !hasComment(text, container)
  return isLast ? remove(text, container, depth - 1) : removeItem(text, container, item)
}

function setListed(text: string, { list, id, value }: ListedSetting): EditOutcome {
  const root = parse(text)
  if (!root.ok) return root
  const node = findNodeAtLocation(root.node, [list])
  if (node === undefined) return set(text, [list], value === undefined ? undefined : [value])
  if (node.type !== 'array') return mistakeAt(text, node.offset, `${list} is not a list`)
  const elements = getNodeValue(node) as JsonValue[]
  const index = elements.findIndex((element) => isJsonObject(element) && element.id === id)
  if (value === undefined && index === -1) return { ok: true, text }
  if (value === undefined && elements.length === 1 && !hasComment(text, node)) return set(text, [list], undefined)
  return set(text, [list, index === -1 ? elements.length : index], value)
}

/** `value` inside the objects that `path` names. */
function nested(path: Path, value: JsonValue): JsonValue {
  return path.reduceRight<JsonValue>((inner, part) => ({ [part]: inner }), value)
}

function parse(text: string): { ok: true; node: Node } | (EditOutcome & { ok: false }) {
  const errors: ParseError[] = []
  const node = parseTree(isBlank(text) ? '{}' : text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first !== undefined) return mistakeAt(text, first.offset, wordsOf(printParseErrorCode(first.error)))
  if (node === undefined || node.type !== 'object') return mistakeAt(text, 0, 'the file is not an object')
  return { ok: true, node }
}

function find(root: Node, path: Path): Node | undefined {
  return path.length === 0 ? root : findNodeAtLocation(root, [...path])
}

function repeatedMember(node: Node): { name: string; offset: number } | null {
  if (node.type !== 'object') return null
  const seen = new Set<string>()
  for (const { children } of node.children ?? []) {
    const key = children?.[0]
    if (key === undefined) continue
    const name = String(key.value)
    if (seen.has(name)) return { name, offset: key.offset }
    seen.add(name)
  }
  return null
}

function hasComment(text: string, node: Node | undefined): boolean {
  if (node === undefined) return false
  const inside = text.slice(node.offset, node.offset + node.length)
  return /\/[/*]/.test(inside.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'))
}

function mistakeAt(text: string, offset: number, problem: string): EditOutcome & { ok: false } {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { ok: false, problem, line, column: offset - (before.lastIndexOf('\n') + 1) + 1 }
}

/** `ColonExpected` as `colon expected`. */
function wordsOf(code: string): string {
  return code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
}

function isBlank(text: string): boolean {
  return text.trim() === ''
}

/** An object made of settings, for an entry that is not there yet. */
export function objectOf(settings: readonly Setting[]): JsonObject {
  const made: JsonObject = {}
  for (const { path, value } of settings) {
    if (value === undefined) continue
    let at = made
    for (const part of path.slice(0, -1)) {
      const next = at[part]
      at = isJsonObject(next) ? next : (at[part] = {})
    }
    at[path.at(-1) ?? ''] = value
  }
  return made
}
