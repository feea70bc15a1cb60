import type { Readable } from 'node:stream'

const freeChunks = 500
const pauseMs = 2
/** Rest for each unit of work: a stream gets at most a fifth of this process. */
const restPerWork = 4
const leastRestMs = 1

/**
 * Reads a stream to its end, chunk by chunk, and rests four times as long as taking a chunk took, so that hosted code
 * that makes much of a few bytes cannot keep this process busy for all others. After the first few hundred chunks it
 * waits a little between any two: bytes then gather into large chunks, whose number costs more than their size.
 */
export function readPaced(stream: Readable, take: (chunk: Buffer) => void): void {
  let chunks = 0
  stream.on('data', (chunk: Buffer) => {
    chunks += 1
    const beganMs = performance.now()
    take(chunk)
    const restMs = (performance.now() - beganMs) * restPerWork
    const waitMs = Math.max(chunks > freeChunks ? pauseMs : 0, restMs)
    if (waitMs < leastRestMs) return
    stream.pause()
    setTimeout(() => stream.resume(), waitMs)
  })
}
