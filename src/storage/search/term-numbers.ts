import { hash } from 'node:crypto'

const keptNumbers = 20_000

/**
 * Numbers for terms, 52 bits of a digest over a seed of the index and the term. So no text of the log is in the index,
 * and every key is as short as the others. Two terms can have one number: what is found is compared with the log.
 */
export function termNumbers(seed: string): (term: string) => number {
  const known = new Map<string, number>()
  return (term) => {
    const found = known.get(term)
    if (found !== undefined) return found
    const number = Number.parseInt(hash('sha256', `${seed}${term}`, 'hex').slice(0, 13), 16)
    // Frequent terms come back soon; to keep the order of use would cost more than to count anew.
    if (known.size >= keptNumbers) known.clear()
    known.set(term, number)
    return number
  }
}
