import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { PublishFailure, type CheckpointSink } from '../audit/index.ts'

/**
 * A file to which checkpoints are added, each as a JSON string on a line of its own, as in `checkpoints.jsonl` of a
 * bundle. It is only ever added to, so that it may be one that takes nothing else (`chattr +a`). A line that was cut off
 * when the machine stopped stays, and the checkpoint comes again on the next.
 */
export function openCheckpointFile(path: string): CheckpointSink {
  return {
    name: 'checkpoint file',
    async take(checkpoints) {
      const lines = checkpoints.map(({ note }) => `${JSON.stringify(note)}\n`).join('')
      try {
        await append(path, lines)
        return { status: 'taken' }
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
        throw new PublishFailure(`it cannot be written (${code})`, { cause: error })
      }
    },
  }
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
