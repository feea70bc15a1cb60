import { mayHoldSecrets, withoutSecrets } from '../../audit/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import {
  isSecret,
  marksSecrets,
  schemasOf,
  schemasOfElement,
  schemasOfMember,
  type SchemaSet,
} from './secret-schema.ts'

/** Shorter values of secret members are not looked for elsewhere: they stand everywhere. */
const minSweptLength = 4
/** Bounds the work of looking for them. */
const maxSweptValues = 100

const mark = '[redacted]'

/** What is left of a value, and in how many places something was taken out of it. The value given is not changed. */
export interface Redacted {
  readonly value: JsonValue
  readonly count: number
}

/**
 * Takes credentials out of what is about to be stored beside a record: members that a schema marks as secret, their
 * values wherever else they stand, and what looks like a credential. One for each exchange: what was secret in the
 * arguments is secret in the engine's input and in the result. Does not find a secret that is encoded, cut, or nowhere
 * marked and of no known form.
 */
export class Redaction {
  readonly #values = new Set<string>()

  /** Whether there can be anything to take out of a JSON text. Says yes too often, never no wrongly. */
  mayConcern(json: string, schema: JsonObject | null): boolean {
    return this.#values.size > 0 || marksSecrets(schema) || mayHoldSecrets(json)
  }

  /** Whether a schema marks anything as secret. */
  marks(schema: JsonObject | null): boolean {
    return marksSecrets(schema)
  }

  /**
   * A text that somebody else chose, as it may stand in the record itself: without what looks like a credential, and what
   * `named` remembers. Cut to so many UTF-16 units, with dots in place of the rest.
   */
  plain(text: string, maxLength: number): string {
    if (this.#values.size > maxSweptValues) return mark
    const left = this.mayConcern(text, null) ? this.#sweptText(text, { count: 0 }) : text
    return left.length <= maxLength ? left : `${left.slice(0, maxLength).toWellFormed()}...`
  }

  /** Takes out the members that a schema marks as secret, and remembers their values. */
  named(value: JsonValue, schema: JsonObject | null): Redacted {
    if (schema === null || !marksSecrets(schema)) return { value, count: 0 }
    const taken = { count: 0 }
    return { value: this.#named(value, schemasOf(schema), schema, taken), count: taken.count }
  }

  /**
   * Takes out what looks like a credential, and what `named` remembers. `null` where that is more than can be looked for:
   * then nothing of the value may be stored.
   */
  swept(value: JsonValue): Redacted | null {
    if (this.#values.size > maxSweptValues) return null
    const taken = { count: 0 }
    return { value: this.#swept(value, taken), count: taken.count }
  }

  #named(value: JsonValue, schemas: SchemaSet, root: JsonObject, taken: { count: number }): JsonValue {
    if (schemas.length === 0) return value
    if (isSecret(schemas)) {
      if (value === mark) return value
      this.#keep(value)
      taken.count += 1
      return mark
    }
    if (Array.isArray(value))
      return value.map((element, index) => this.#named(element, schemasOfElement(schemas, index, root), root, taken))
    if (!isJsonObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        this.#named(member, schemasOfMember(schemas, name, root), root, taken),
      ]),
    )
  }

  #keep(value: JsonValue): void {
    if (Array.isArray(value)) for (const element of value) this.#keep(element)
    else if (isJsonObject(value)) for (const member of Object.values(value)) this.#keep(member)
    else if (typeof value === 'string' || typeof value === 'number') {
      const text = String(value)
      if (text.length >= minSweptLength) this.#values.add(text)
    }
  }

  #swept(value: JsonValue, taken: { count: number }): JsonValue {
    if (typeof value === 'string') return this.#sweptText(value, taken)
    if (typeof value === 'number') {
      if (!this.#values.has(String(value))) return value
      taken.count += 1
      return mark
    }
    if (Array.isArray(value)) return value.map((element) => this.#swept(element, taken))
    if (!isJsonObject(value)) return value
    const members = new Map<string, JsonValue>()
    for (const [name, member] of Object.entries(value))
      members.set(freeName(this.#sweptText(name, taken), members), this.#swept(member, taken))
    return Object.fromEntries(members)
  }

  #sweptText(text: string, taken: { count: number }): string {
    // What stands between marks. A mark is never looked through: values that are parts of one would have it grow without end.
    let parts = [text]
    // The longest first: one may be a part of another.
    for (const secret of [...this.#values].toSorted((one, other) => other.length - one.length))
      parts = parts.flatMap((part) => (part.length < secret.length ? [part] : part.split(secret)))
    taken.count += parts.length - 1
    const found = withoutSecrets(parts.join(mark))
    taken.count += found.count
    return found.text
  }
}

/** Names that are alike without their secrets stay apart: no member may take the place of another. */
function freeName(name: string, members: ReadonlyMap<string, JsonValue>): string {
  let free = name
  for (let next = 2; members.has(free); next += 1) free = `${name} (${next})`
  return free
}
