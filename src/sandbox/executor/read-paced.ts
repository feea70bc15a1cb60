import type { Readable } from 'node:stream'

const freeChunks = 500
const pauseMs = 2

/**
 * Reads a stream to its end, chunk by chunk, and after the first few hundred chunks waits a little between two. Bytes then
 * gather into large chunks, so that hosted code that writes single bytes cannot keep this process busy for all others.
 */
export function readPaced(stream: Readable, take: (chunk: Buffer) => void): void {
  let chunks = 0
  stream.on('data', (chunk: Buffer) => {
    chunks += 1
    if (chunks > freeChunks) {
      stream.pause()
      setTimeout(() => stream.resume(), pauseMs)
    }
    take(chunk)
  })
}
