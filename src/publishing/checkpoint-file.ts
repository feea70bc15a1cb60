import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { PublishFailure, readCheckpoint, readKeptCheckpoints, type CheckpointSink } from '../audit/index.ts'

/** How much of its end is looked at for what it has: tens of thousands of checkpoints. */
const tailBytes = 8 * 1024 * 1024

/**
 * A file to which checkpoints are added, each as a JSON string on a line of its own, as in `checkpoints.jsonl` of a
 * bundle. It is only ever added to, so that it may be one that takes nothing else (`chattr +a`). A line that was cut off
 * when the machine stopped stays, and the checkpoint comes again on the next. What it has is told from its last 8 MiB.
 */
export function openCheckpointFile(path: string): CheckpointSink {
  let tail: { readonly size: number; readonly newest: ReadonlyMap<string, string> } | null = null
  return {
    name: 'checkpoint file',
    kept: (origin) =>
      failing('read', async () => {
        tail = await readTail(path, tail)
        return tail?.newest.get(origin) ?? null
      }),
    take: (checkpoints) =>
      failing('written', async () => {
        await append(path, checkpoints.map(({ note }) => `${JSON.stringify(note)}\n`).join(''))
        return { status: 'taken' }
      }),
  }
}

/** The newest checkpoint of each tree in the end of such a file; none where there is none. @throws PublishFailure */
export function readCheckpointFile(path: string): Promise<string[]> {
  return failing('read', async () => [...((await readTail(path, null))?.newest.values() ?? [])])
}

async function failing<Result>(what: 'read' | 'written', work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new PublishFailure(`it cannot be ${what} (${code})`, { cause: error })
  }
}

/** The largest checkpoint of each origin in the end of the file; `known` where that is as long as it was. */
async function readTail(
  path: string,
  known: { readonly size: number; readonly newest: ReadonlyMap<string, string> } | null,
) {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    const { size } = await file.stat()
    if (size === known?.size) return known
    const bytes = Buffer.alloc(Math.min(size, tailBytes))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length)
    return { size, newest: newestOf(readKeptCheckpoints(bytes.subarray(0, bytesRead).toString('utf8'))) }
  } finally {
    await file.close()
  }
}

function newestOf(notes: readonly string[]): ReadonlyMap<string, string> {
  const newest = new Map<string, { readonly size: number; readonly note: string }>()
  for (const note of notes) {
    const checkpoint = readCheckpoint(note)
    if (checkpoint === null) continue
    const { origin, size } = checkpoint
    if (size >= (newest.get(origin)?.size ?? 0)) newest.set(origin, { size, note })
  }
  return new Map([...newest].map(([origin, { note }]) => [origin, note]))
}

async function append(path: string, text: string): Promise<void> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants
  const file = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644)
  try {
    const { size } = await file.stat()
    const last = Buffer.alloc(1)
    if (size > 0) await file.read(last, 0, 1, size - 1)
    const isCut = size > 0 && last.toString() !== '\n'
    // All of it or an error: a single write stops in the middle of a line on a disk that is filling up.
    await file.writeFile(`${isCut ? '\n' : ''}${text}`)
    await file.sync()
  } finally {
    await file.close()
  }
}
