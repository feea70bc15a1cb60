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
  const request = new ProtobufWriter()
  request.message(1, (resourceSpans) => {
    resourceSpans.message(1, (written) => writeAttributes(written, 1, resource))
    resourceSpans.message(2, (scopeSpans) => {
      scopeSpans.message(1, (scope) => {
        scope.string(1, scopeName)
        scope.string(2, version)
      })
      for (const span of spans) scopeSpans.message(2, (written) => writeSpan(written, span))
    })
  })
  return request.finish()
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
  written.message(15, (status) => {
    status.string(2, cut(error))
    status.varint(3, statusError)
  })
}

function writeAttributes(written: ProtobufWriter, field: number, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    written.message(field, (pair) => {
      pair.string(1, name)
      pair.message(2, (any) => writeValue(any, value))
    })
  }
}

function writeValue(any: ProtobufWriter, value: AttributeValue): void {
  if (typeof value === 'string') any.string(1, cut(value))
  else if (typeof value === 'boolean') any.varint(2, value ? 1 : 0)
  else if (typeof value === 'number') writeNumber(any, value)
  else
    any.message(5, (array) => {
      for (const member of value) array.message(1, (inner) => inner.string(1, cut(member)))
    })
}

function writeNumber(any: ProtobufWriter, value: number): void {
  if (Number.isSafeInteger(value)) any.int64(3, BigInt(value))
  else any.double(4, value)
}

function cut(text: string): string {
  // A cut through a pair of surrogates would leave half of a character.
  return text.length <= maxTextLength ? text.toWellFormed() : text.slice(0, maxTextLength).toWellFormed()
}
