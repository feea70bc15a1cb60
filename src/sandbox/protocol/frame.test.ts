import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFrame, FrameError, FrameReader, type Frame } from './frame.ts'
import { runnerMessageSchema } from './runner-messages.ts'

const bounds = { headerBytes: 1000, bodyBytes: 5000 }

function readAll(pieces: readonly Uint8Array[], reader = new FrameReader(bounds)): Frame[] {
  return pieces.flatMap((piece) => [...reader.push(piece)])
}

function errorOf(pieces: readonly Uint8Array[]): FrameError {
  try {
    readAll(pieces)
  } catch (error) {
    if (error instanceof FrameError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Cuts bytes at arbitrary places. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...at.map((each) => each % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  )
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

describe('frames', () => {
  test('come out as they went in, in whatever pieces they arrive', () => {
    const frame = fc.record({
      header: fc.dictionary(fc.string({ maxLength: 10 }), fc.string({ maxLength: 20 }), { maxKeys: 5 }),
      body: fc.uint8Array({ maxLength: 300 }),
    })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 30 }), (frames, places) => {
        const bytes = Buffer.concat(frames.map(({ header, body }) => encodeFrame(header, body)))
        const read = readAll(cut(bytes, places))
        expect(read.map(({ header, body }) => ({ header: JSON.stringify(header), body: [...body] }))).toEqual(
          frames.map(({ header, body }) => ({ header: JSON.stringify(header), body: [...body] })),
        )
      }),
    )
  })

  test('of arbitrary bytes are refused as such or read, and nothing else is thrown', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.nat({ max: 300 }), fc.nat({ max: 300 }), fc.string({ maxLength: 100 }))
        .map(([total, header, text]) => {
          const prefix = Buffer.alloc(8)
          prefix.writeUInt32BE(total, 0)
          prefix.writeUInt32BE(header, 4)
          return Buffer.concat([prefix, Buffer.from(text)])
        }),
    )
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 4 }), (pieces) => {
        try {
          for (const { header } of readAll(pieces)) runnerMessageSchema.safeParse(header)
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('over the limit are refused at their length, before their bytes are there', () => {
    const oversized = Buffer.from([0x7f, 0xff, 0xff, 0xff])
    expect(errorOf([oversized])).toMatchObject({ tooLarge: true, message: 'a frame is over the limit' })
    const longBody = encodeFrame({}, new Uint8Array(5001)).subarray(0, 8)
    expect(errorOf([longBody])).toMatchObject({ tooLarge: true, message: 'a body is over the limit' })
    const longHeader = encodeFrame({ a: 'x'.repeat(1000) }).subarray(0, 8)
    expect(errorOf([longHeader])).toMatchObject({ tooLarge: true, message: 'a header is over the limit' })
  })

  test('that contradict themselves are refused', () => {
    expect(errorOf([Buffer.from([0, 0, 0, 3])]).message).toBe('a frame is shorter than its own prefix')
    expect(errorOf([Buffer.from([0, 0, 0, 4, 0, 0, 0, 1])]).message).toBe('a header is longer than its frame')
    expect(errorOf([Buffer.from([0, 0, 0, 4, 0, 0, 0, 0])]).message).toBe('a header is not JSON')
    expect(errorOf([Buffer.from([0, 0, 0, 6, 0, 0, 0, 2, 0x31, 0x32])]).message).toBe('a header is no JSON object')
    expect(errorOf([Buffer.from([0, 0, 0, 6, 0, 0, 0, 2, 0xff, 0xfe])]).message).toBe('a header is not JSON')
  })

  test('are not read any more after a bad one', () => {
    const reader = new FrameReader(bounds)
    expect(() => [...reader.push(Buffer.from([0, 0, 0, 0]))]).toThrow('a frame is shorter than its own prefix')
    expect(() => [...reader.push(encodeFrame({ type: 'result' }))]).toThrow('a frame is shorter than its own prefix')
  })
})

describe('messages of a runner', () => {
  test('of an unknown type, with unknown members, or over their bounds are refused', () => {
    const refused = [
      { type: 'outcome' },
      { type: 'result', extra: 1 },
      { type: 'ready', version: 2 },
      { type: 'log', level: 'fatal', text: '' },
      { type: 'log', level: 'info', text: 'x'.repeat(16_001) },
      { type: 'progress', progress: '1', total: null, message: null },
      { type: 'error', status: 'limit', limit: 'wall' },
      { type: 'error', status: 'ok' },
    ]
    expect(refused.filter((message) => runnerMessageSchema.safeParse(message).success)).toEqual([])
    expect(runnerMessageSchema.safeParse({ type: 'log', level: 'info', text: 'x' }).success).toBe(true)
  })
})
