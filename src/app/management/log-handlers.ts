import {
  cosignedNote,
  parseTilePlace,
  readTile,
  treeKeyLine,
  type CheckpointRow,
  type LogSigningKey,
  type CosignatureStore,
  type TreeReader,
} from '../../audit/index.ts'
import { firstTree } from '../../contract/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import type { Handlers } from './handler.ts'

type LogHandlers = Pick<Handlers, 'audit.trees' | 'audit.checkpoint' | 'audit.key' | 'audit.tile' | 'audit.rotate-key'>

/**
 * The signed trees of the log, for whoever may read it. Each read is recorded, and so makes the log longer by two: who
 * follows the log for good lets it be published, and reads it there.
 */
export function logHandlers({
  reader,
  logKey,
  cosignatures,
}: {
  readonly reader: TreeReader
  readonly logKey: LogSigningKey
  readonly cosignatures: Pick<CosignatureStore, 'list'>
}): LogHandlers {
  const newestOf = async (namespace: string, segment: string): Promise<CheckpointRow> => {
    const newest = await reader.newestCheckpoint(namespace, periodOf(segment))
    if (newest === null)
      throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no signed tree ${segment}.` })
    return newest
  }
  return {
    async 'audit.trees'({ namespace }) {
      const trees = []
      for (const tree of await reader.trees()) {
        if (tree.namespace !== namespace) continue
        const newest = await reader.newestCheckpoint(namespace, tree.period)
        trees.push({
          period: tree.period === '' ? firstTree : tree.period,
          firstIndex: tree.firstIndex,
          size: newest?.size ?? 0,
          origin: newest === null ? null : originOf(newest.note),
          time: newest === null ? null : new Date(newest.timeMs).toISOString(),
        })
      }
      return { trees }
    },
    async 'audit.checkpoint'({ namespace, period }) {
      const newest = await newestOf(namespace, period)
      return { content: cosignedNote(newest, await cosignatures.list(namespace, periodOf(period))) }
    },
    async 'audit.key'({ namespace, period }) {
      const { note } = await newestOf(namespace, period)
      const line = await reader.publicKeyLine()
      const key = line === null ? null : treeKeyLine(line, originOf(note))
      if (key === null)
        throw new McpworksError('storage_unavailable', { message: "The log's public key is missing or malformed." })
      return { content: `${key}\n` }
    },
    async 'audit.tile'({ namespace, period, level, place }) {
      const newest = await newestOf(namespace, period)
      const named = parseTilePlace(place)
      const tile =
        named === null
          ? null
          : await readTile(reader, { namespace, period: periodOf(period) }, { level: Number(level), ...named }, newest)
      if (tile === null)
        throw new McpworksError('unknown_object', { message: 'No signed checkpoint of this tree covers such a tile.' })
      return { content: Buffer.from(tile).toString('base64') }
    },
    'audit.rotate-key': async () => ({ ...(await logKey.rotate()) }),
  }
}

function periodOf(segment: string): string {
  return segment === firstTree ? '' : segment
}

function originOf(note: string): string {
  return note.slice(0, note.indexOf('\n'))
}
