import type { DecisionLog } from './decision-log.ts'
import { PositionRanges } from './position-ranges.ts'
import type { StoredRecord } from './record.ts'
import { readRemoval, type Removal } from './removal-event.ts'
import { parseObject } from './stored-envelope.ts'

/** What took something out of the log: a record of the same namespace. */
export interface FoundRemoval {
  readonly kind: 'retention' | 'erasure'
  readonly index: number
  readonly timeMs: number
}

/** Records of removals that are looked through for one answer, and at once. */
const maxRecords = 2_000
const pageLength = 500

/**
 * The record that took the text of a record out of the log, or a body beside it; `null` where none is found among the
 * 2,000 records of removals after it. `principal` is whose call it is, and is left out for a text.
 */
export async function findRemoval(
  log: Pick<DecisionLog, 'read'>,
  { namespace, index }: Pick<StoredRecord, 'namespace' | 'index'>,
  gone: { readonly part: 'text' } | { readonly part: 'body'; readonly principal: string },
): Promise<FoundRemoval | null> {
  let after = index
  for (let read = 0; read < maxRecords; read += pageLength) {
    const kinds = ['retention', 'erasure']
    const page = await log.read({ namespace, kinds, afterIndex: after, limit: pageLength })
    for (const { kind, json, timeMs, index: at } of page) {
      const removal = readRemoval(kind, parseObject(json)?.['event'])
      if (removal === null || !tookOut(removal, index, gone)) continue
      return { kind: kind === 'erasure' ? 'erasure' : 'retention', index: at, timeMs }
    }
    after = page.at(-1)?.index ?? after
    if (page.length < pageLength) break
  }
  return null
}

function tookOut(removal: Removal, index: number, gone: Parameters<typeof findRemoval>[2]): boolean {
  if (removal.kind === 'texts') return index >= removal.from && index < removal.below
  if (gone.part === 'text') return false
  if (removal.kind === 'keys') return removal.subject === gone.principal
  return removal.kind === 'bodies' && hasPosition(removal.ranges, index)
}

function hasPosition(ranges: Extract<Removal, { kind: 'bodies' }>['ranges'], index: number): boolean {
  const positions = new PositionRanges()
  for (const [from, to] of ranges) positions.add(from, to)
  return positions.has(index)
}

/** In words: what took it out, when, and which record says so. Goes on after the name of one thing, or of several. */
export function removalSentence(removal: FoundRemoval | null, several = false): string {
  const [is, was, it, its] = several ? ['are', 'were', 'them', 'their'] : ['is', 'was', 'it', 'its']
  if (removal === null) return `${is} not there, and no record of a removal names ${it}: run "mcpworks audit verify"`
  const how = removal.kind === 'erasure' ? `${was} erased` : `${was} deleted because ${its} time was over (retention)`
  return `${how} on ${new Date(removal.timeMs).toISOString()}, as record ${removal.index} says`
}
