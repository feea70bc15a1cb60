import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { OutputCapture } from './output-capture.ts'

async function captured(
  limitBytes: number,
  floodBytes: number,
  parts: readonly (readonly ['stdout' | 'stderr', string | Buffer])[],
) {
  let floods = 0
  const capture = new OutputCapture(limitBytes, floodBytes, () => (floods += 1))
  for (const [name, part] of parts) {
    const stream = Readable.from([Buffer.from(part)])
    capture.attach(name, stream)
    await finished(stream)
  }
  return { stdout: capture.text('stdout'), stderr: capture.text('stderr'), droppedBytes: capture.droppedBytes, floods }
}

describe('captured output', () => {
  test('of both streams shares one bound, and what is beyond is counted', async () => {
    expect(
      await captured(8, 100, [
        ['stdout', 'hello'],
        ['stderr', 'world'],
        ['stdout', 'more'],
      ]),
    ).toEqual({ stdout: 'hello', stderr: 'wor', droppedBytes: 6, floods: 0 })
  })

  test('cut inside a character, or no UTF-8 at all, still is text', async () => {
    expect((await captured(2, 100, [['stdout', '€']])).stdout).toBe('\ufffd')
    expect((await captured(9, 100, [['stdout', Buffer.from([0xff, 0x41])]])).stdout).toBe('\ufffdA')
  })

  test('tells of a flood once', async () => {
    expect(
      await captured(1, 5, [
        ['stdout', 'xxx'],
        ['stderr', 'xxx'],
        ['stdout', 'xxx'],
      ]),
    ).toMatchObject({ droppedBytes: 8, floods: 1 })
  })
})
