import type { CatalogueEntry } from '../../src/gateway/index.ts'
import { textOutcome, toolEntry } from './echo-entries.ts'

/** A tool whose calls wait to be let go, or to be cut off. */
export interface GatedEntry {
  readonly entry: CatalogueEntry
  /** Resolves when the next call of it is under way. */
  begun(): Promise<void>
  /** Lets every waiting call end well. */
  release(): void
  /** How many calls were cut off. */
  readonly cutOff: number
}

/** The tool heeds the signal that calls are cut off by. */
export function gatedEntry(name: string, namespace = 'demo'): GatedEntry {
  let waiting: (() => void)[] = []
  let begun = Promise.withResolvers<void>()
  let cutOff = 0
  return {
    entry: toolEntry(
      name,
      async (_invocation, { signal }) => {
        const released = Promise.withResolvers<void>()
        waiting.push(released.resolve)
        signal.addEventListener('abort', () => {
          cutOff += 1
          released.resolve()
        })
        begun.resolve()
        await released.promise
        return textOutcome('secret output')
      },
      namespace,
    ),
    async begun() {
      await begun.promise
      begun = Promise.withResolvers<void>()
    },
    release() {
      for (const resolve of waiting) resolve()
      waiting = []
    },
    get cutOff() {
      return cutOff
    },
  }
}
