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

/** The terms by which something is found, as its records are read one after the other. */
export class RecordTerms {
  readonly #values = new Map<SearchField, Set<string>>()
  readonly #words = new Set<string>()
  #isRead = false

  /**
   * Adds a record and answers the terms that are new with it. Only of what stands in the clear. A call's decision comes
   * first, what followed it after; a record that is about no call is alone.
   */
  add({ kind, record }: TermSource): string[] {
    const isFirst = this.#values.size === 0
    const terms: string[] = []
    const put = (field: SearchField, value: JsonValue | undefined): void => {
      if (typeof value === 'string') this.#put(field, value, terms)
    }
    put('kind', kind)
    put('run', record['run'])
    put('parent', record['parent_call'])
    if (kind === 'decision') {
      this.#isRead = putDecision(record, put)
      this.#addWords(saidByDecision(record), terms)
    } else if (kind === 'outcome') {
      const outcome = objectAt(record, 'outcome')
      put('status', outcome['status'])
      for (const label of listAt(outcome, 'labels_after')) put('label', label)
      this.#addWords([outcome['detail'], ...detailsOf(outcome)], terms)
    } else {
      if (kind === 'abandoned') put('status', kind)
      this.#addWords(saidBy(record['event']), terms)
    }
    if (isFirst) terms.push(everything)
    if (isFirst && !this.#isRead) terms.push(isNoRead)
    return terms
  }

  #put(field: SearchField, value: string, terms: string[]): void {
    const known = this.#values.get(field)
    if (known?.has(value) === true) return
    if (known === undefined) this.#values.set(field, new Set([value]))
    else known.add(value)
    const term = termOf(field, value)
    terms.push(term)
    for (const [one, other] of pairs) {
      if (field === one)
        for (const second of this.#values.get(other) ?? []) terms.push(pairTerm(term, termOf(other, second)))
      if (field === other)
        for (const first of this.#values.get(one) ?? []) terms.push(pairTerm(termOf(one, first), term))
    }
  }

  #addWords(said: Iterable<JsonValue | undefined>, terms: string[]): void {
    for (const text of said) {
      if (typeof text !== 'string') continue
      for (const word of wordsOf(text)) {
        if (this.#words.size >= mostWords) return
        if (this.#words.has(word)) continue
        this.#words.add(word)
        terms.push(termOf('word', word))
      }
    }
  }
}

/** All terms by which records are found together. */
export function termsOf(sources: readonly TermSource[]): Set<string> {
  const terms = new RecordTerms()
  return new Set(sources.flatMap((source) => terms.add(source)))
}

/** Puts what a decision is found by, and says whether it is one on reading the log. */
function putDecision(record: JsonObject, put: (field: SearchField, value: JsonValue | undefined) => void): boolean {
  const pre = objectAt(record, 'pre')
  const principal = objectAt(pre, 'principal')
  const target = objectAt(pre, 'target')
  const decision = objectAt(record, 'decision')
  put('agent', principal['id'])
  // Calls of those who act for somebody are calls of theirs too.
  for (const actor of listAt(objectAt(pre, 'authn'), 'actors')) put('agent', actor)
  put('tool', target['tool'])
  put('service', target['service'])
  put('door', pre['door'])
  put('effect', decision['effect'])
  put('basis', decision['basis'])
  for (const rule of listAt(decision, 'determining')) if (isJsonObject(rule)) put('rule', rule['id'])
  for (const label of listAt(pre, 'labels_before')) put('label', label)
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

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isJsonObject(value) ? value : {}
}

function listAt(object: JsonObject, name: string): JsonValue[] {
  const value = object[name]
  return Array.isArray(value) ? value : []
}
