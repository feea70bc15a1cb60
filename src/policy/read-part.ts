import { readsOnlyPresence, type AttributeReads } from './attribute-reads.ts'
import type { CedarValueJson } from './cedar.ts'

/** A type in Cedar's JSON schema form. `required` is true where it is left out. */
export interface SchemaType {
  readonly type: string
  readonly attributes?: { readonly [name: string]: SchemaType }
  readonly required?: boolean
}

/** What stands for a value of which policies can only read that it is there, in the type and in the value. */
const presence = { type: 'Boolean', value: true } as const

/**
 * The part of a type that policies could read. With `partOfValue` for the values, Cedar is given this part and no
 * more, so that its answer depends on nothing else: a mistake in what is read shows as an error, which denies.
 */
export function partOfType(type: SchemaType, reads: AttributeReads): SchemaType {
  if (reads.whole) return type
  if (type.attributes === undefined) return type
  // No prototype: an attribute may have any name.
  const attributes = Object.create(null) as Record<string, SchemaType>
  for (const [name, member] of reads.members) {
    const attribute = Object.hasOwn(type.attributes, name) ? type.attributes[name] : undefined
    if (attribute === undefined) continue
    attributes[name] = readsOnlyPresence(member)
      ? { type: presence.type, required: attribute.required ?? true }
      : partOfType(attribute, member)
  }
  return { ...type, attributes }
}

/** The part of a value of the type that policies could read, for the type that `partOfType` gives. */
export function partOfValue(value: CedarValueJson, type: SchemaType, reads: AttributeReads): CedarValueJson {
  if (reads.whole) return value
  if (type.attributes === undefined) return value
  const record = value as Readonly<Record<string, CedarValueJson>>
  const part = Object.create(null) as Record<string, CedarValueJson>
  for (const [name, member] of reads.members) {
    const attribute = Object.hasOwn(type.attributes, name) ? type.attributes[name] : undefined
    const held = Object.hasOwn(record, name) ? record[name] : undefined
    if (attribute === undefined || held === undefined) continue
    part[name] = readsOnlyPresence(member) ? presence.value : partOfValue(held, attribute, member)
  }
  return part
}
