import { ProtobufWriter } from './protobuf-writer.ts'
import type { Attributes, AttributeValue, Span } from './span.ts'

/** What the spans of one request are of. */
export interface SpanSource {
  /** Attributes of the resource, such as `service.name`. */
  readonly resource: Attributes
  /** Of the instrumentation scope. */
  readonly version: string
}

const kinds = { internal: 1, server: 2 } as const
const statusError = 2
const scopeName = 'mcpworks'
const maxTextLength = 4096

/**
 * Spans as the protobuf message `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest` (OTLP 1.x). Longer
 * texts than 4,096 characters are cut.
 */
export function encodeSpans(spans: readonly Span[], { resource, version }: SpanSource): Uint8Array {
  const written = new ProtobufWriter()
  written.message(1, () => {
    written.message(1, () => writeAttributes(written, 1, resource))
    written.message(2, () => {
      written.message(1, () => {
        written.string(1, scopeName)
        written.string(2, version)
      })
      for (const span of spans) written.message(2, () => writeSpan(written, span))
    })
  })
  return written.finish()
}

function writeSpan(written: ProtobufWriter, span: Span): void {
  written.bytes(1, Buffer.from(span.traceId, 'hex'))
  written.bytes(2, Buffer.from(span.spanId, 'hex'))
  if (span.parentSpanId !== null) written.bytes(4, Buffer.from(span.parentSpanId, 'hex'))
  written.string(5, cut(span.name))
  written.varint(6, kinds[span.kind])
  written.fixed64(7, span.startNs)
  written.fixed64(8, span.endNs)
  writeAttributes(written, 9, span.attributes)
  const { error } = span
  if (error === null) return
  written.message(15, () => {
    written.string(2, cut(error))
    written.varint(3, statusError)
  })
}

function writeAttributes(written: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    written.message(field, () => {
      written.string(1, name)
      written.message(2, () => writeValue(written, value))
    })
  }
}

function writeValue(written: ProtobufWriter, value: AttributeValue): void {
  if (typeof value === 'string') written.string(1, cut(value))
  else if (typeof value === 'boolean') written.varint(2, value ? 1 : 0)
  else if (typeof value === 'number') writeNumber(written, value)
  else
    written.message(5, () => {
      for (const member of value) written.message(1, () => written.string(1, cut(member)))
    })
}

function writeNumber(written: ProtobufWriter, value: number): void {
  if (Number.isSafeInteger(value)) written.int64(3, value)
  else written.double(4, value)
}

function cut(text: string): string {
  // A cut through a pair of surrogates would leave half of a character.
  return text.length <= maxTextLength ? text.toWellFormed() : text.slice(0, maxTextLength).toWellFormed()
}
