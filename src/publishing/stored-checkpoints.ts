import { type CheckpointSink, type PublishTarget } from '../audit/index.ts'
import { treePath } from './tree-path.ts'

const maxNoteBytes = 64 * 1024
/** So that names come in the order of the sizes. */
const digits = 16

/** Checkpoints as objects of a store, one each, named by tree and size. None is ever replaced. */
export function openStoredCheckpoints(store: PublishTarget): CheckpointSink {
  return {
    name: store.name,
    async take(checkpoints) {
      for (const { namespace, period, size, note } of checkpoints) {
        const path = `${treePath({ namespace, period })}/${String(size).padStart(digits, '0')}`
        const bytes = Buffer.from(note)
        if ((await store.create(path, bytes, 'text/plain; charset=utf-8')) === 'created') continue
        const there = await store.read(path, maxNoteBytes)
        if (there !== null && Buffer.compare(there.bytes, bytes) === 0) continue
        const problem = `Another checkpoint of ${size} records is kept there: this log was put back and went another way, or another one goes by its name.`
        const theirs = there === null ? null : Buffer.from(there.bytes).toString('utf8')
        return { status: 'conflict', path, problem, theirs }
      }
      return { status: 'taken' }
    },
  }
}
