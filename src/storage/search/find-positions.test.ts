import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import { readableDialect } from '../readable-dialect.ts'
import { findPositions, type SearchBudget } from './find-positions.ts'
import { blockWidth, PositionSet } from './position-set.ts'
import { SearchIndex, type IndexedDocument } from './search-index.ts'
import { searchSchema, type SearchTables } from './search-tables.ts'

async function indexOf(documents: readonly IndexedDocument[]): Promise<SearchIndex> {
  const connection = new DatabaseSync(':memory:')
  for (const script of searchSchema) connection.exec(script)
  const index = new SearchIndex(new Kysely<SearchTables>({ dialect: readableDialect(connection) }))
  await index.add(documents, { seq: 0, id: '' })
  return index
}

/** Everything that is found, and how often looking stopped on the way. */
async function allFound(index: SearchIndex, terms: readonly number[], first: number, last: number, rows = 1_000_000) {
  const found: number[] = []
  let stops = 0
  for (let from: number | null = last; from !== null;) {
    const budget: SearchBudget = { rowsLeft: rows }
    let next: number | null = null
    for await (const { positions, stoppedAt } of findPositions(index, 1, terms, { first, last: from }, budget)) {
      found.push(...positions)
      if (stoppedAt !== null) next = stoppedAt - 1
    }
    if (next !== null) stops += 1
    from = next
  }
  return { found, stops }
}

const document = fc.record({
  position: fc.integer({ min: 0, max: blockWidth * 12 }),
  terms: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1 }),
})

describe('looking for positions', () => {
  it('finds all that have every term, from the highest to the lowest, and none of another stretch, however often it has to stop', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(document, { maxLength: 60, selector: ({ position }) => position }),
        fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
        fc.tuple(fc.integer({ min: 0, max: blockWidth * 12 }), fc.integer({ min: 0, max: blockWidth * 12 })),
        fc.integer({ min: 1, max: 8 }),
        async (documents, terms, ends, rows) => {
          const [first, last] = [Math.min(...ends), Math.max(...ends)]
          const index = await indexOf(documents.map((one) => ({ ...one, log: 1, timeMs: null })))
          const expected = documents
            .filter((one) => terms.every((term) => one.terms.includes(term)))
            .map(({ position }) => position)
            .filter((position) => position >= first && position <= last)
            .toSorted((one, other) => other - one)
          const positionsOf = new Map(documents.map((one) => [one.position, one.terms]))
          for (const { found } of [
            await allFound(index, terms, first, last),
            await allFound(index, terms, first, last, rows),
          ]) {
            expect(found.filter((position) => expected.includes(position))).toEqual(expected)
            expect(found).toEqual(found.toSorted((one, other) => other - one))
            // What lacks a term is left to whoever reads the records, and is one of few in its block.
            for (const position of found) {
              expect(position >= first && position <= last).toBe(true)
              expect(terms.some((term) => positionsOf.get(position)?.includes(term))).toBe(true)
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('reads little of a frequent term where the other is rare', async () => {
    const blocks = 200
    const frequent = Array.from({ length: blocks }, (_, block) => ({
      log: 1,
      position: block * blockWidth,
      timeMs: null,
      terms: block === 3 ? [1, 2] : [1],
    }))
    const index = await indexOf(frequent)
    const budget: SearchBudget = { rowsLeft: 1_000 }
    const found: number[] = []
    const range = { first: 0, last: blocks * blockWidth }
    for await (const { positions } of findPositions(index, 1, [1, 2], range, budget)) found.push(...positions)
    expect(found).toEqual([3 * blockWidth])
    expect(1_000 - budget.rowsLeft).toBeLessThan(30)
  })

  it('stops where it has read as much as it may, and says where to go on', async () => {
    const blocks = 100
    const apart = Array.from({ length: blocks * 16 }, (_, number) => ({
      log: 1,
      position: number * (blockWidth / 16),
      timeMs: null,
      terms: [number % 2 === 0 ? 1 : 2],
    }))
    const index = await indexOf([...apart, { log: 1, position: 1, timeMs: null, terms: [1, 2] }])
    const often = await allFound(index, [1, 2], 0, blocks * blockWidth, 20)
    expect(often.found).toEqual([1])
    expect(often.stops).toBeGreaterThan(3)
    expect(await allFound(index, [1, 2], 0, blocks * blockWidth)).toEqual({ found: [1], stops: 0 })
  })

  it('forgets what lies below a position, and nothing of what does not or is of another log', async () => {
    const index = await indexOf([
      { log: 1, position: 5, timeMs: 1, terms: [1, 2] },
      { log: 1, position: blockWidth + 5, timeMs: 2, terms: [1, 2] },
      { log: 2, position: 6, timeMs: 2, terms: [1] },
    ])
    await index.forgetBelow(1, blockWidth + 4)
    expect((await allFound(index, [1], 0, blockWidth * 2)).found).toEqual([blockWidth + 5])
    expect(await index.postings(1, 2, 0, 10)).toEqual([])
    expect(await index.postings(2, 1, 0, 10)).toHaveLength(1)
    expect(await index.times.range(1, 1, 3)).toMatchObject({ first: blockWidth })
    expect(await index.times.range(2, 1, 3)).toMatchObject({ first: 0 })
  })
})

describe('a set of positions', () => {
  it('comes back from its bytes, whatever is in it, and takes no more than a bit a position', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: blockWidth - 1 }), { maxLength: 700 }), (positions) => {
        const set = new PositionSet()
        for (const position of positions) set.add(position)
        const bytes = set.encode()
        expect(bytes.length).toBeLessThanOrEqual(blockWidth / 8)
        const descending = positions.toSorted((one, other) => other - one)
        expect([...PositionSet.decode(bytes).descending()]).toEqual(descending)
      }),
      { numRuns: 50 },
    )
  })

  it('is read as far as it goes where its bytes are not what was written', () => {
    for (const length of [1, 3, 511, 513, 5000])
      for (const position of PositionSet.decode(Buffer.alloc(length, 0xff)).descending())
        expect(position).toBeLessThan(blockWidth)
  })
})
