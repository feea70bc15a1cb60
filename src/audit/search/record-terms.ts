import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { SearchField } from './log-search.ts'
import { wordsOf } from './words-of.ts'

/** Words of one record that are found; what is beyond is not. Only events that list hundreds of things have more. */
const mostWords = 500

/** Lists in events that name up to a hundred calls: each call is found as itself. */
const listsOfCalls = new Set(['same', 'differences'])

/**
 * Pairs of fields that are found together without looking at what has only one of them: both can be frequent and meet
 * seldom or never, such as a busy agent and a refusal.
 */
export const pairs: readonly (readonly [SearchField, SearchField])[] = [
  ['agent', 'tool'],
  ['agent', 'effect'],
  ['agent', 'status'],
  ['tool', 'effect'],
  ['tool', 'status'],
]

/** What every call and record has, for searches that ask for nothing in particular. */
export const everything = 'all'
/** What is left out unless it is asked for: calls that read the log. */
export const isNoRead = 'no-read'

/** The term of a field with a value. No two fields and values have the same one. */
export function termOf(field: SearchField | 'word', value: string): string {
  return `${field}:${value.length}:${value}`
}

/** The term of two fields with their values. */
export function pairTerm(one: string, other: string): string {
  return `${one}&${other}`
}

/** Where a record's terms come from. */
export interface TermSource {
  readonly kind: string
  /** The record's text, read. */
  readonly record: JsonObject
}

/**
 * The terms by which a call, or a record that is about no call, is found. Only of what stands in the clear in its
 * records: a decision and what followed it, or the one record.
 */
export function termsOf(sources: readonly TermSource[]): Set<string> {
  const values = new Map<SearchField, Set<string>>()
  const words = new Set<string>()
  let isRead = false
  const add = (field: SearchField, value: JsonValue | undefined): void => {
    if (typeof value !== 'string') return
    const known = values.get(field)
    if (known === undefined) values.set(field, new Set([value]))
    else known.add(value)
  }
  for (const { kind, record } of sources) {
    add('kind', kind)
    add('run', record['run'])
    add('parent', record['parent_call'])
    if (kind === 'decision') {
      isRead ||= addDecision(record, add)
      addWords(saidByDecision(record), words)
    } else if (kind === 'outcome') {
      const outcome = objectAt(record, 'outcome')
      add('status', outcome['status'])
      for (const label of listAt(outcome, 'labels_after')) add('label', label)
      addWords([outcome['detail'], ...detailsOf(outcome)], words)
    } else {
      if (kind === 'abandoned') add('status', kind)
      addWords([...saidBy(record['event'])], words)
    }
  }
  const terms = new Set<string>([everything, ...(isRead ? [] : [isNoRead])])
  for (const [field, found] of values) for (const value of found) terms.add(termOf(field, value))
  for (const word of words) terms.add(termOf('word', word))
  for (const [one, other] of pairs)
    for (const first of values.get(one) ?? [])
      for (const second of values.get(other) ?? []) terms.add(pairTerm(termOf(one, first), termOf(other, second)))
  return terms
}

/** Adds what a decision is found by, and says whether it is one on reading the log. */
function addDecision(record: JsonObject, add: (field: SearchField, value: JsonValue | undefined) => void): boolean {
  const pre = objectAt(record, 'pre')
  const principal = objectAt(pre, 'principal')
  const target = objectAt(pre, 'target')
  const decision = objectAt(record, 'decision')
  add('agent', principal['id'])
  // Calls of those who act for somebody are calls of theirs too.
  for (const actor of listAt(objectAt(pre, 'authn'), 'actors')) add('agent', actor)
  add('tool', target['tool'])
  add('service', target['service'])
  add('door', pre['door'])
  add('effect', decision['effect'])
  add('basis', decision['basis'])
  for (const rule of listAt(decision, 'determining')) if (isJsonObject(rule)) add('rule', rule['id'])
  for (const label of listAt(pre, 'labels_before')) add('label', label)
  const method = objectAt(record, 'mcp')['method']
  return typeof method === 'string' && method.startsWith('audit.')
}

function saidByDecision(record: JsonObject): (JsonValue | undefined)[] {
  const pre = objectAt(record, 'pre')
  const target = objectAt(pre, 'target')
  const decision = objectAt(record, 'decision')
  const rules = listAt(decision, 'determining').filter(isJsonObject)
  return [
    objectAt(pre, 'principal')['id'],
    target['tool'],
    target['service'],
    objectAt(pre, 'client')['claimed_name'],
    ...rules.flatMap((rule) => [rule['id'], rule['reason']]),
    ...listAt(decision, 'errors')
      .filter(isJsonObject)
      .map((error) => error['message']),
    ...listAt(decision, 'obligations'),
  ]
}

/** What invariants and obligations say of themselves. */
function detailsOf(outcome: JsonObject): (JsonValue | undefined)[] {
  const told = [...listAt(outcome, 'invariants'), ...listAt(outcome, 'obligations')]
  return told.filter(isJsonObject).flatMap((one) => [one['id'], one['obligation'], one['detail']])
}

/** Every text of an event, names of members left out. */
function* saidBy(value: JsonValue | undefined): Generator<JsonValue> {
  if (typeof value !== 'object' || value === null) {
    if (value !== undefined) yield value
  } else if (Array.isArray(value)) {
    for (const member of value) yield* saidBy(member)
  } else {
    for (const [name, member] of Object.entries(value)) if (!listsOfCalls.has(name)) yield* saidBy(member)
  }
}

function addWords(said: readonly (JsonValue | undefined)[], words: Set<string>): void {
  for (const text of said) {
    if (typeof text !== 'string') continue
    for (const word of wordsOf(text)) {
      if (words.size >= mostWords) return
      words.add(word)
    }
  }
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isJsonObject(value) ? value : {}
}

function listAt(object: JsonObject, name: string): JsonValue[] {
  const value = object[name]
  return Array.isArray(value) ? value : []
}
