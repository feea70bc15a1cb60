import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partialAnswer, readTraceRequest } from '../../../test/support/otlp-messages.ts'
import { encodeSpans } from './encode-spans.ts'
import { readTraceAnswer } from './read-trace-answer.ts'
import type { Span } from './span.ts'

/** Every character there is, and halves of some. */
const anyText = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) })

const span: Span = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: '00f067aa0ba902b8',
  name: 'tools/call leads-export',
  kind: 'server',
  startNs: 1_767_323_045_000_000_001n,
  endNs: 1_767_323_045_900_000_000n,
  attributes: {
    text: 'ä€😀',
    empty: '',
    none: undefined,
    zero: 0,
    whole: 2 ** 40,
    negative: -3,
    half: 0.5,
    yes: true,
    no: false,
    several: ['one', ''],
    'not one': [],
  },
  error: 'denied: Too many.',
}
const source = { resource: { 'service.name': 'mcpworks' }, version: '1.2.3' }

describe('spans as protobuf', () => {
  it('are read by another implementation as they were meant', () => {
    const { none: _none, ...attributes } = span.attributes
    expect(readTraceRequest(encodeSpans([span, { ...span, parentSpanId: null, error: null }], source))).toEqual({
      resource: { 'service.name': 'mcpworks' },
      scope: { name: 'mcpworks', version: '1.2.3' },
      spans: [
        {
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId,
          name: span.name,
          kind: 'SERVER',
          start: span.startNs,
          end: span.endNs,
          attributes,
          status: { code: 'ERROR', message: span.error },
        },
        expect.objectContaining({ parentSpanId: '', status: null }),
      ],
    })
  })

  it('say the same as those that the OpenTelemetry library writes', () => {
    const { none: _none, ...attributes } = span.attributes
    const context = { traceId: span.traceId, traceFlags: 1 }
    const reference = ProtobufTraceSerializer.serializeRequest([
      {
        name: span.name,
        kind: SpanKind.SERVER,
        spanContext: () => ({ ...context, spanId: span.spanId }),
        parentSpanContext: { ...context, spanId: span.parentSpanId ?? '' },
        startTime: [1_767_323_045, 1],
        endTime: [1_767_323_045, 900_000_000],
        status: { code: SpanStatusCode.ERROR, message: span.error ?? '' },
        attributes: Object.fromEntries(
          Object.entries(attributes).map(([key, value]) => [key, Array.isArray(value) ? [...value] : value]),
        ) as never,
        links: [],
        events: [],
        duration: [0, 0],
        ended: true,
        resource: { attributes: source.resource } as never,
        instrumentationScope: { name: 'mcpworks', version: '1.2.3' },
        droppedAttributesCount: 0,
        droppedEventsCount: 0,
        droppedLinksCount: 0,
      },
    ])
    const expected = readTraceRequest(reference ?? new Uint8Array())
    expect(readTraceRequest(encodeSpans([span], source))).toEqual(expected)
  })

  it('can hold any text and number', () => {
    fc.assert(
      fc.property(anyText, fc.double({ noNaN: true }), fc.maxSafeInteger(), (text, number, whole) => {
        const bytes = encodeSpans([{ ...span, attributes: { text, number, whole } }], source)
        expect(readTraceRequest(bytes).spans[0]?.attributes).toEqual({
          text: text.toWellFormed(),
          number: number + 0,
          whole,
        })
      }),
      { numRuns: 50 },
    )
  })

  it('cut long texts, between characters', () => {
    const bytes = encodeSpans([{ ...span, attributes: { text: `a${'😀'.repeat(4096)}` } }], source)
    const text = String(readTraceRequest(bytes).spans[0]?.attributes['text'])
    expect(text).toHaveLength(4096)
    expect(text.isWellFormed()).toBe(true)
  })
})

describe('what a receiver answers', () => {
  const protobuf = 'application/x-protobuf'

  it('tells what it rejected, as protobuf or as JSON', () => {
    expect(readTraceAnswer(protobuf, partialAnswer(3, 'too\nold'))).toEqual({ rejectedSpans: 3, message: 'too?old' })
    const json = Buffer.from('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}}')
    expect(readTraceAnswer('application/json; charset=utf-8', json)).toEqual({ rejectedSpans: 2, message: 'old' })
  })

  it('is full success where nothing was rejected', () => {
    expect(readTraceAnswer(protobuf, partialAnswer(0, 'a warning'))).toBeNull()
    expect(readTraceAnswer(protobuf, new Uint8Array())).toBeNull()
    for (const text of ['{}', '[]', 'null', 'no json', '{"partialSuccess":7}'])
      expect(readTraceAnswer('application/json', Buffer.from(text))).toBeNull()
  })

  it('may be anything without doing harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (body) => {
        const answer = readTraceAnswer(protobuf, body)
        expect(answer === null || answer.rejectedSpans > 0).toBe(true)
      }),
    )
  })
})
