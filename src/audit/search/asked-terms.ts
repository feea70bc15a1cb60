import { searchFields, type SearchField, type SearchFilter } from './log-search.ts'
import { everything, isNoRead, pairs, pairTerm, termOf } from './record-terms.ts'
import { wordsOf } from './words-of.ts'

/** Words that a search may ask for. */
const mostAskedWords = 20

/** The terms that everything found must have. One of a pair of fields stands for both. Never empty. */
export function askedTerms({ fields, text, reads }: SearchFilter): string[] {
  const given = new Map<SearchField, string>()
  for (const field of searchFields) {
    const value = fields[field]
    if (value !== undefined) given.set(field, termOf(field, value))
  }
  const terms: string[] = []
  const paired = new Set<SearchField>()
  for (const [one, other] of pairs) {
    const first = given.get(one)
    const second = given.get(other)
    if (first === undefined || second === undefined) continue
    terms.push(pairTerm(first, second))
    paired.add(one).add(other)
  }
  for (const [field, term] of given) if (!paired.has(field)) terms.push(term)
  for (const word of new Set(wordsOf(text).slice(0, mostAskedWords))) terms.push(termOf('word', word))
  if (!reads) terms.push(isNoRead)
  return terms.length === 0 ? [everything] : terms
}
