import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import type { CedarRecord, CedarType } from './argument-type.ts'
import { readsOf, readsOnlyPresence, type AttributeReads } from './attribute-reads.ts'
import type { CedarValueJson } from './cedar.ts'

/** Arguments as Cedar values, or the sentence that says why they cannot be. */
export type EncodedArguments =
  | { readonly ok: true; readonly value: { readonly [name: string]: CedarValueJson } }
  | { readonly ok: false; readonly fault: string }

/** The largest number that a Cedar decimal holds, and its text. */
const decimalLimit = 922_337_203_685_477
const decimalLimitText = '922337203685477.5807'

/**
 * Turns arguments that passed the JSON Schema into Cedar values of the given type. Null members are left out. Members
 * that the type does not know are left out too: no policy can name them.
 *
 * A decimal has four digits after the point. A number that it cannot hold exactly is refused if a policy could read
 * it, because the comparison might then come out wrong; where no policy can, it is rounded. An integer beyond 2^53 - 1
 * is always refused, because readers of JSON disagree on which number it is. Faults name the argument, never its value.
 * `reads` is what policies could read of the arguments, `null` for nothing.
 * Expects arguments that `argumentFault` let through.
 */
export function encodeArguments(values: JsonObject, type: CedarRecord, reads: AttributeReads | null): EncodedArguments {
  const encoded: Record<string, CedarValueJson> = {}
  for (const name of Object.keys(type.attributes)) {
    const attribute = type.attributes[name]
    if (attribute === undefined) continue
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined || value === null) {
      if (attribute.required) return { ok: false, fault: `The argument "${name}" is missing.` }
      continue
    }
    const result = encode(value, attribute, reads === null ? null : readsOf(reads, name))
    if (typeof result === 'object' && result instanceof Fault)
      return { ok: false, fault: `The argument "${name}" ${result.sentence}.` }
    define(encoded, name, result)
  }
  return { ok: true, value: encoded }
}

class Fault {
  readonly sentence: string
  constructor(sentence: string) {
    this.sentence = sentence
  }
}

const mismatch = new Fault('does not fit the type that the tool declares')
const unsafeInteger = new Fault('holds an integer beyond 2^53 - 1, which policies cannot judge exactly')
const inexact = new Fault(
  'holds a number with more than four digits after the point, or too large, which a policy here would have to judge',
)

function encode(value: JsonValue, type: CedarType, reads: AttributeReads | null): CedarValueJson | Fault {
  switch (type.type) {
    case 'String':
      return typeof value === 'string' ? value : mismatch
    case 'Boolean':
      return typeof value === 'boolean' ? value : mismatch
    case 'Long':
      if (typeof value !== 'number' || !Number.isInteger(value)) return mismatch
      return Number.isSafeInteger(value) ? value + 0 : unsafeInteger
    case 'Extension':
      return typeof value === 'number' ? encodeDecimal(value, reads === null || readsOnlyPresence(reads)) : mismatch
    case 'Set':
      return Array.isArray(value) ? encodeSet(value, type.element, reads) : mismatch
    case 'Record':
      return isJsonObject(value) ? encodeRecord(value, type, reads) : mismatch
  }
}

function encodeDecimal(value: number, mayRound: boolean): CedarValueJson | Fault {
  const fits = Math.abs(value) <= decimalLimit
  const text = (value + 0).toFixed(4)
  if (fits && Number(text) === value) return { __extn: { arg: text, fn: 'decimal' } }
  if (!mayRound) return inexact
  const rounded = fits ? text : value < 0 ? `-${decimalLimitText}` : decimalLimitText
  return { __extn: { arg: rounded, fn: 'decimal' } }
}

function encodeSet(
  values: readonly JsonValue[],
  element: CedarType,
  reads: AttributeReads | null,
): CedarValueJson | Fault {
  const encoded: CedarValueJson[] = []
  for (const value of values) {
    const result = encode(value, element, reads)
    if (result instanceof Fault) return result
    encoded.push(result)
  }
  return encoded
}

function encodeRecord(values: JsonObject, type: CedarRecord, reads: AttributeReads | null): CedarValueJson | Fault {
  const encoded: Record<string, CedarValueJson> = {}
  for (const name of Object.keys(type.attributes)) {
    const attribute = type.attributes[name]
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (attribute === undefined || value === undefined || value === null) {
      if (attribute?.required === true) return mismatch
      continue
    }
    const result = encode(value, attribute, reads === null ? null : readsOf(reads, name))
    if (result instanceof Fault) return result
    define(encoded, name, result)
  }
  return encoded
}

/** Sets an own member whatever the name is (`__proto__` included). */
function define(target: Record<string, CedarValueJson>, name: string, value: CedarValueJson): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  else target[name] = value
}
