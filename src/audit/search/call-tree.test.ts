import { describe, expect, it } from 'vitest'
import { buildCallTree, type CallTree } from './call-tree.ts'
import type { SearchHit } from './log-search.ts'

function hit(position: number, call: string, parentCall: string | null): SearchHit {
  const none = { time: '', kind: 'decision', run: 'r', called: null, event: null, records: [] }
  return { position, call, parentCall, ...none }
}

type Drawn = { [call: string]: Drawn }

function drawn(trees: readonly CallTree[]): Drawn {
  return Object.fromEntries(trees.map((tree) => [tree.hit.call, drawn(tree.calls)]))
}

describe('the calls of a run as a tree', () => {
  it('are each under the one that made it, oldest first', () => {
    const hits = [hit(9, 'd', 'b'), hit(5, 'c', 'a'), hit(1, 'a', null), hit(3, 'b', 'a'), hit(7, 'e', null)]
    expect(drawn(buildCallTree(hits))).toEqual({ a: { b: { d: {} }, c: {} }, e: {} })
    expect(buildCallTree(hits)[0]?.calls.map((tree) => tree.hit.call)).toEqual(['b', 'c'])
  })

  it('are all there where one above is missing, or records name each other in a circle', () => {
    expect(drawn(buildCallTree([hit(2, 'b', 'gone')]))).toEqual({ b: {} })
    expect(drawn(buildCallTree([hit(1, 'a', 'b'), hit(2, 'b', 'a')]))).toEqual({ a: { b: {} } })
    expect(drawn(buildCallTree([hit(1, 'a', 'a')]))).toEqual({ a: {} })
  })
})
