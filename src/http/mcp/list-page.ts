import type { JsonObject } from '../../kernel/index.ts'
import { RpcError } from './exchange.ts'

/** One page of a list and the cursor of the next, `null` at the end. */
export interface ListPage {
  readonly entries: readonly JsonObject[]
  readonly nextCursor: string | null
}

/**
 * Cuts a page out of a list. A cursor names the last entry shown, so additions and removals elsewhere in the list do
 * not repeat or skip entries; it holds nothing that the caller has not seen.
 * @throws RpcError -32602 for a cursor that is not one of ours, or whose entry is gone
 */
export function listPage(
  entries: readonly JsonObject[],
  key: 'name' | 'uri' | 'uriTemplate',
  cursor: unknown,
  pageSize: number,
): ListPage {
  let start = 0
  if (cursor !== undefined) {
    const last =
      typeof cursor === 'string' && cursor.length <= 8192 ? Buffer.from(cursor, 'base64url').toString('utf8') : null
    const index = last === null ? -1 : entries.findIndex((entry) => entry[key] === last)
    if (index === -1) throw new RpcError(-32602, 'The cursor is not valid any more. Start the list again without it.')
    start = index + 1
  }
  const page = entries.slice(start, start + pageSize)
  const last = page.at(-1)?.[key]
  const more = start + pageSize < entries.length && typeof last === 'string'
  return { entries: page, nextCursor: more ? Buffer.from(last).toString('base64url') : null }
}
