/** Value of an attribute. Whole numbers are sent as integers. */
export type AttributeValue = string | number | boolean | readonly string[]

/** Attributes by name. What is `undefined` is not sent. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>

/** One span as OpenTelemetry has it. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly name: string
  readonly kind: 'internal' | 'server'
  /** Nanoseconds since 1970. */
  readonly startNs: bigint
  readonly endNs: bigint
  readonly attributes: Attributes
  /** Why the operation failed, `null` where it did not. */
  readonly error: string | null
}
