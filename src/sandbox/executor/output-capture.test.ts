import { describe, expect, test } from 'vitest'
import { OutputCapture } from './output-capture.ts'

function captured(
  limitBytes: number,
  floodBytes: number,
  parts: readonly (readonly ['stdout' | 'stderr', string | Buffer])[],
) {
  let floods = 0
  const capture = new OutputCapture(limitBytes, floodBytes, () => (floods += 1))
  for (const [name, part] of parts) capture.take(name, Buffer.from(part))
  return { stdout: capture.text('stdout'), stderr: capture.text('stderr'), droppedBytes: capture.droppedBytes, floods }
}

describe('captured output', () => {
  test('of both streams shares one bound, and what is beyond is counted', () => {
    expect(
      captured(8, 100, [
        ['stdout', 'hello'],
        ['stderr', 'world'],
        ['stdout', 'more'],
      ]),
    ).toEqual({ stdout: 'hello', stderr: 'wor', droppedBytes: 6, floods: 0 })
  })

  test('cut inside a character, or no UTF-8 at all, still is text', () => {
    expect(captured(2, 100, [['stdout', '€']]).stdout).toBe('\ufffd')
    expect(captured(9, 100, [['stdout', Buffer.from([0xff, 0x41])]]).stdout).toBe('\ufffdA')
  })

  test('tells of a flood once', () => {
    expect(
      captured(1, 5, [
        ['stdout', 'xxx'],
        ['stderr', 'xxx'],
        ['stdout', 'xxx'],
      ]),
    ).toMatchObject({ droppedBytes: 8, floods: 1 })
  })
})
