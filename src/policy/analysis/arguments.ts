import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { CedarRecord, CedarType } from '../argument-type.ts'
import { firstNumber, firstSet, firstText, type Domain, type Domains } from './domain.ts'
import type { Formula, NumberUnit } from './formula.ts'

/**
 * What a tool's JSON Schema says of single arguments, as far as policies could ask for it: which are required, numbers'
 * bounds, and enumerations. Says less than the schema does, never more.
 */
export function schemaFormula(schema: JsonObject, path = 'args'): Formula {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  const required = Array.isArray(schema.required) ? schema.required : []
  const parts = Object.entries(properties).flatMap(([name, property]): Formula[] => {
    const own = `${path}.${name}`
    const bounds = isJsonObject(property) ? boundsOf(own, property) : []
    if (required.includes(name)) return [{ kind: 'atom', atom: { kind: 'has', path: own }, holds: true }, ...bounds]
    if (bounds.length === 0) return []
    const absent: Formula = { kind: 'atom', atom: { kind: 'has', path: own }, holds: false }
    return [{ kind: 'or', parts: [absent, { kind: 'and', parts: bounds }] }]
  })
  return { kind: 'and', parts }
}

function boundsOf(path: string, schema: JsonObject): Formula[] {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
  const found: Formula[] = []
  if (type === 'integer' || type === 'number') {
    const unit: NumberUnit = type === 'integer' ? 'long' : 'decimal'
    const scale = type === 'integer' ? 1 : 10_000
    const atMost = (value: number, holds: boolean): void => {
      found.push({ kind: 'atom', atom: { kind: 'at-most', path, value, unit }, holds })
    }
    if (typeof maximum === 'number') atMost(Math.floor(maximum * scale), true)
    if (typeof exclusiveMaximum === 'number') atMost(Math.ceil(exclusiveMaximum * scale) - 1, true)
    if (typeof minimum === 'number') atMost(Math.ceil(minimum * scale) - 1, false)
    if (typeof exclusiveMinimum === 'number') atMost(Math.floor(exclusiveMinimum * scale), false)
  }
  const values = Array.isArray(schema.enum) ? schema.enum : schema.const === undefined ? [] : [schema.const]
  const texts = values.filter((value) => typeof value === 'string')
  if (type === 'string' && values.length > 0 && texts.length === values.length) {
    const parts = texts.map((value): Formula => ({ kind: 'atom', atom: { kind: 'text', path, value }, holds: true }))
    found.push({ kind: 'or', parts })
  }
  return found
}

/** Arguments as domains ask for them, on top of `ordinary` ones; `null` where no value was found for one. */
export function argumentsOf(domains: Domains, ordinary: JsonObject, type: CedarRecord): JsonObject | null {
  let args: JsonObject = ordinary
  for (const [path, domain] of [...domains].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const names = path.split('.')
    if (names.shift() !== 'args' || names.length === 0) continue
    if (domain.present === false) {
      args = without(args, names)
      continue
    }
    const of = typeAt(type, names)
    if (of === null) return null
    const value = valueOf(of, domain, valueAt(args, names))
    if (value === null) return null
    args = withValue(args, names, value)
  }
  return args
}

function typeAt(record: CedarRecord, names: readonly string[]): CedarType | null {
  let at: CedarType = record
  for (const name of names) {
    if (at.type !== 'Record') return null
    const next: CedarType | undefined = at.attributes[name]
    if (next === undefined) return null
    at = next
  }
  return at
}

function valueOf(type: CedarType, domain: Domain, ordinary: JsonValue | undefined): JsonValue | null {
  switch (type.type) {
    case 'Boolean':
      return domain.truth ?? (typeof ordinary === 'boolean' ? ordinary : false)
    case 'Long':
    case 'Extension': {
      const scale = type.type === 'Long' ? 1 : 10_000
      const fits = typeof ordinary === 'number' && isIn(domain, ordinary * scale)
      if (fits) return ordinary
      const number = firstNumber(domain)
      return number === null ? null : number / scale
    }
    case 'String':
      return firstText(domain, typeof ordinary === 'string' ? ordinary : 'x')
    case 'Set':
      return firstSet(domain)
    case 'Record':
      return isJsonObject(ordinary) ? ordinary : {}
  }
}

const isIn = ({ least, most, isNot }: Domain, value: number): boolean =>
  value >= least && value <= most && !isNot.has(value)

function valueAt(args: JsonObject, names: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = args
  for (const name of names) at = isJsonObject(at) ? at[name] : undefined
  return at
}

/** A copy with a member set, however deep. */
export function withValue(args: JsonObject, [name = '', ...deeper]: readonly string[], value: JsonValue): JsonObject {
  const inner = args[name]
  return { ...args, [name]: deeper.length === 0 ? value : withValue(isJsonObject(inner) ? inner : {}, deeper, value) }
}

function without(args: JsonObject, [name = '', ...deeper]: readonly string[]): JsonObject {
  const { [name]: inner, ...rest } = args
  return deeper.length > 0 && isJsonObject(inner) ? { ...rest, [name]: without(inner, deeper) } : rest
}
