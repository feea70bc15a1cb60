import { describe, expect, it } from 'vitest'
import { verifies } from '../../../test/conformance/requirements.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { listPage } from './list-page.ts'

const tools: JsonObject[] = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name }))

describe('listPage', () => {
  it(verifies('pagination', 'gives every entry once, page by page'), () => {
    const seen: unknown[] = []
    let cursor: string | null | undefined
    do {
      const page = listPage(tools, 'name', cursor ?? undefined, 2)
      seen.push(...page.entries.map(({ name }) => name))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('gives no cursor where the last page is full', () => {
    expect(listPage(tools, 'name', undefined, 5).nextCursor).toBeNull()
  })

  it('goes on after the last entry seen when entries before it came or went', () => {
    const { nextCursor } = listPage(tools, 'name', undefined, 2)
    const changed = [{ name: '0' }, ...tools.slice(1)]
    expect(listPage(changed, 'name', nextCursor, 2).entries).toEqual([{ name: 'c' }, { name: 'd' }])
  })

  it.each([7, null, '', 'not-a-cursor', 'x'.repeat(9000), {}])(
    verifies('pagination', 'refuses the cursor %j with -32602'),
    (cursor) => {
      expect(() => listPage(tools, 'name', cursor, 2)).toThrow(expect.objectContaining({ code: -32602 }))
    },
  )
})
