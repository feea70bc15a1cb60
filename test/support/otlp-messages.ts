import protobuf from 'protobufjs'

/**
 * The messages of OTLP traces as they are published (opentelemetry.proto.collector.trace.v1 and what it uses), in words
 * of our own and read by a library that shares nothing with what writes them.
 */
const description = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ExportTraceServiceResponse { ExportTracePartialSuccess partial_success = 1; }
message ExportTracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  enum SpanKind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; CLIENT = 3; PRODUCER = 4; CONSUMER = 5; }
  SpanKind kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
  repeated Event events = 11; uint32 dropped_events_count = 12;
  message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; uint32 dropped_attributes_count = 5; fixed32 flags = 6; }
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
}
message Status { reserved 1; string message = 2; enum StatusCode { UNSET = 0; OK = 1; ERROR = 2; } StatusCode code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value {
  string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`

const { root } = protobuf.parse(description)
const requestType = root.lookupType('ExportTraceServiceRequest')
const answerType = root.lookupType('ExportTraceServiceResponse')

/** A span as a receiver reads it. Times are nanoseconds in decimal. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: string
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: { readonly code?: string; readonly message?: string } | null
}

/** What one request holds. */
export interface ReceivedRequest {
  readonly resource: Readonly<Record<string, unknown>>
  readonly scope: { readonly name: string; readonly version: string }
  readonly spans: readonly ReceivedSpan[]
}

interface Pair {
  readonly key: string
  readonly value?: Readonly<Record<string, unknown>>
}

/** Reads an export request of one resource and one scope. Throws for bytes that are none. */
export function readTraceRequest(bytes: Uint8Array): ReceivedRequest {
  const decoded = requestType.decode(bytes)
  const { resourceSpans } = requestType.toObject(decoded, { longs: String, enums: String, bytes: Buffer }) as {
    resourceSpans: [{ resource: { attributes: Pair[] }; scopeSpans: [Record<string, unknown>] }]
  }
  if (resourceSpans.length !== 1) throw new Error('one resource was expected')
  const [{ resource, scopeSpans }] = resourceSpans
  const [{ scope, spans }] = scopeSpans
  return {
    resource: attributesOf(resource.attributes),
    scope: scope as ReceivedRequest['scope'],
    spans: (spans as Record<string, unknown>[]).map((span) => ({
      traceId: hex(span['traceId']),
      spanId: hex(span['spanId']),
      parentSpanId: hex(span['parentSpanId']),
      name: String(span['name']),
      kind: String(span['kind']),
      start: BigInt(String(span['startTimeUnixNano'])),
      end: BigInt(String(span['endTimeUnixNano'])),
      attributes: attributesOf(span['attributes'] as Pair[]),
      status: (span['status'] as ReceivedSpan['status']) ?? null,
    })),
  }
}

/** What a receiver answers that took a request but not all of it. */
export function partialAnswer(rejectedSpans: number, errorMessage: string): Uint8Array {
  return answerType.encode(answerType.fromObject({ partialSuccess: { rejectedSpans, errorMessage } })).finish()
}

function hex(value: unknown): string {
  return value === undefined ? '' : Buffer.from(value as Uint8Array).toString('hex')
}

function attributesOf(pairs: readonly Pair[]): Record<string, unknown> {
  const names = pairs.map(({ key }) => key)
  if (new Set(names).size !== names.length) throw new Error('an attribute is there twice')
  return Object.fromEntries(pairs.map(({ key, value }) => [key, valueOf(value ?? {})]))
}

function valueOf(value: Readonly<Record<string, unknown>>): unknown {
  const [[kind, content] = ['none', null]] = Object.entries(value)
  if (kind === 'intValue') return Number(content)
  if (kind !== 'arrayValue') return content
  const { values = [] } = content as { values?: Record<string, unknown>[] }
  return values.map(valueOf)
}
