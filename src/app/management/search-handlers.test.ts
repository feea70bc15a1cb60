import { expect, it } from 'vitest'
import type { LogSearch, SearchHit, SearchQuery } from '../../audit/index.ts'
import { searchHandlers } from './search-handlers.ts'

/** A call `0` that made `width` calls, each of which says that it made `inner`. */
function treeOf(width: number, inner: number) {
  const hit = (position: number): SearchHit => ({
    position,
    time: '',
    kind: 'decision',
    call: String(position),
    run: 'run',
    parentCall: position === 0 ? null : '0',
    called: { status: 'ok', innerCalls: position === 0 ? width : inner } as SearchHit['called'],
    event: null,
    records: [],
  })
  let searches = 0
  const search = async ({ call, fields, before, limit }: SearchQuery) => {
    searches += 1
    const below = fields.parent === '0' ? Array.from({ length: width }, (_, at) => hit(width - at)) : []
    const all = call === null ? below : [hit(Number(call))]
    const page = all.filter(({ position }) => before === null || position < before).slice(0, limit)
    const next = page.length < limit ? null : (page.at(-1)?.position ?? null)
    return { hits: page, next, stopped: false, index: { behind: 0, indexed: 0 } }
  }
  const handlers = searchHandlers({ search } satisfies Pick<LogSearch, 'search'>)
  return async (signal = new AbortController().signal) => {
    const { count, more } = await handlers['audit.tree']({ namespace: 'demo', run: '0' }, undefined as never, signal)
    return { count, more, searches }
  }
}

it('finds everything below a call', async () => {
  expect(await treeOf(500, 0)()).toMatchObject({ count: 501, more: false })
})

it('searches a bounded number of times for one tree, and says that there may be more', async () => {
  const { count, more, searches } = await treeOf(500, 1)()
  expect([count, more]).toEqual([501, true])
  expect(searches).toBeLessThan(210)
})

it('ends for somebody who is gone', async () => {
  expect(await treeOf(500, 1)(AbortSignal.abort())).toMatchObject({ count: 1, more: true, searches: 2 })
})
