import { isDeepStrictEqual } from 'node:util'
import { parse, TomlError } from 'smol-toml'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { Setting } from './connect-client.ts'
import type { EditOutcome } from './edit-outcome.ts'

/** TOML, read. */
export type TomlFile =
  | { readonly ok: true; readonly value: (path: readonly string[]) => unknown }
  | { readonly ok: false; readonly problem: string; readonly line?: number; readonly column?: number }

/** Reads TOML 1.0. */
export function readToml(text: string): TomlFile {
  const read = tryParse(text)
  if (!read.ok) return read
  return { ok: true, value: (path) => path.reduce<unknown>(memberOf, read.table) }
}

/**
 * Makes one table hold the given settings, line by line, and touches no other line. `settings` are below the table; a
 * table is made at the end of the text where it is not there yet. What comes out is parsed and compared with what should
 * come out, so that a text which is written in a way that this does not understand is refused, never damaged.
 */
export function editTomlTable(text: string, table: readonly string[], settings: readonly Setting[]): EditOutcome {
  const before = tryParse(text)
  if (!before.ok) return before
  const wanted = structuredClone(before.table)
  for (const { path, value } of settings) setMember(wanted, [...table, ...path], value)
  if (isDeepStrictEqual(wanted, before.table)) return { ok: true, text }
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)
  const region = findTable(lines, table)
  const edited = region === null ? appended(lines, table, settings) : changed(lines, region, settings)
  return checked(joined(edited, text), wanted, table)
}

/** Takes a table away, with the tables below it. */
export function removeTomlTable(text: string, table: readonly string[]): EditOutcome {
  const before = tryParse(text)
  if (!before.ok) return before
  const wanted = structuredClone(before.table)
  setMember(wanted, table, undefined)
  if (isDeepStrictEqual(wanted, before.table)) return { ok: true, text }
  let lines = text.replace(/\r?\n$/, '').split(/\r?\n/)
  for (let region = findTable(lines, table, true); region !== null; region = findTable(lines, table, true)) {
    const rest = lines.slice(region.end)
    const kept = lines.slice(0, region.start)
    while (kept.at(-1)?.trim() === '' && (rest.length === 0 || rest[0]?.trim() === '')) kept.pop()
    lines = [...kept, ...rest]
  }
  return checked(lines.length === 0 ? '' : joined(lines, text), wanted, table)
}

interface Region {
  /** Line of the header. */
  readonly start: number
  /** After the last line of the table; comments and blank lines before the next header belong to that one. */
  readonly end: number
}

function findTable(lines: readonly string[], table: readonly string[], orBelow = false): Region | null {
  const start = lines.findIndex((line) => {
    const header = headerOf(line)
    return header !== null && (orBelow ? startsWith(header, table) : isDeepStrictEqual(header, table))
  })
  if (start === -1) return null
  const next = lines.findIndex((line, index) => index > start && /^\s*\[/.test(line))
  let end = next === -1 ? lines.length : next
  while (end > start + 1 && /^\s*(?:#.*)?$/.test(lines[end - 1] ?? '')) end -= 1
  return { start, end }
}

/** The key of `[a.b."c"]`; `null` for any other line, also for `[[lists]]`. */
function headerOf(line: string): string[] | null {
  const inner = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/.exec(line)?.[1]
  if (inner === undefined) return null
  const parts = [...inner.matchAll(/\s*(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|$)/g)]
  return parts.map(([, basic, literal, bare]) => basic ?? literal ?? bare ?? '')
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((part, index) => path[index] === part)
}

function appended(lines: readonly string[], table: readonly string[], settings: readonly Setting[]): string[] {
  const gap = lines.length === 0 || lines.at(-1)?.trim() === '' ? [] : ['']
  const values = settings.flatMap(({ path, value }) => (value === undefined ? [] : [lineOf(path, value)]))
  return [...lines, ...gap, `[${table.map(keyOf).join('.')}]`, ...values]
}

function changed(lines: readonly string[], { start, end }: Region, settings: readonly Setting[]): string[] {
  const own = lines.slice(start, end)
  for (const { path, value } of settings) {
    const index = own.findIndex((line, at) => at > 0 && isDeepStrictEqual(keyPathOf(line), path))
    const made = value === undefined ? [] : [lineOf(path, value)]
    if (index === -1) own.push(...made)
    else own.splice(index, 1, ...made)
  }
  return [...lines.slice(0, start), ...own, ...lines.slice(end)]
}

/** The key of `a.b = value`; `null` for any other line. */
function keyPathOf(line: string): string[] | null {
  const key = /^\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=/.exec(line)?.[1]
  return key === undefined ? null : key.split('.').map((part) => part.trim())
}

function lineOf(path: readonly string[], value: JsonValue): string {
  // A basic string of TOML takes every escape that JSON writes.
  return `${path.map(keyOf).join('.')} = ${JSON.stringify(value)}`
}

function keyOf(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name)
}

function joined(lines: readonly string[], like: string): string {
  const eol = like.includes('\r\n') ? '\r\n' : '\n'
  return `${lines.join(eol)}${eol}`
}

function checked(text: string, wanted: JsonObject, table: readonly string[]): EditOutcome {
  const after = tryParse(text)
  if (after.ok && isDeepStrictEqual(withoutEmpty(after.table, table), withoutEmpty(wanted, table)))
    return { ok: true, text }
  return {
    ok: false,
    problem: `${table.join('.')} is written in a way that cannot be changed safely line by line`,
  }
}

/** The table that entries are in vanishes with the last of them where it has no header of its own. */
function withoutEmpty(value: JsonObject, [servers = '']: readonly string[]): JsonObject {
  const held = value[servers]
  if (!isJsonObject(held) || Object.keys(held).length > 0) return value
  const { [servers]: _, ...rest } = value
  return rest
}

function tryParse(text: string): { ok: true; table: JsonObject } | (EditOutcome & { ok: false }) {
  try {
    return { ok: true, table: plain(parse(text)) as JsonObject }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return { ok: false, problem: error.message.split('\n')[0] ?? '', line: error.line, column: error.column }
  }
}

/** Dates become text, for comparison. */
function plain(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date) return `date ${value.toISOString()}`
  if (typeof value === 'bigint') return `integer ${value}`
  if (typeof value !== 'object' || value === null) return value as JsonValue
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
}

function memberOf(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

function setMember(root: JsonObject, [key = '', ...rest]: readonly string[], value: JsonValue | undefined): void {
  const child = root[key]
  if (rest.length > 0 && isJsonObject(child)) {
    setMember(child, rest, value)
    // A table made only of dotted keys is gone with the last of them.
    if (value === undefined && Object.keys(child).length === 0) delete root[key]
  } else if (value === undefined) {
    if (rest.length === 0) delete root[key]
  } else if (rest.length === 0) {
    root[key] = value
  } else {
    const made: JsonObject = {}
    root[key] = made
    setMember(made, rest, value)
  }
}
