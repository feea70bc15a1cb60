import { digestJson, type Digest, type JsonObject } from '../kernel/index.ts'

const ids = new WeakMap<JsonObject, Digest>()

/** Digest of a schema object, computed once per object. The object must not change afterwards. */
export function schemaIdOf(schema: JsonObject | null): Digest | null {
  if (schema === null) return null
  let id = ids.get(schema)
  if (id === undefined) {
    id = digestJson(schema)
    ids.set(schema, id)
  }
  return id
}
