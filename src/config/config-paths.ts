import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../kernel/index.ts'
import { envNameOf } from './env-name.ts'

/** One setting: where it is in the file, its environment variable, and how text becomes its value. */
export interface ConfigPath {
  readonly path: readonly string[]
  readonly env: string
  readonly kind: 'number' | 'boolean' | 'list' | 'text'
  readonly description: string
  /** Never printed: its description begins with `Secret:`. */
  readonly secret: boolean
  /** JSON Schema of the value. */
  readonly schema: JsonObject
}

/** Every setting of a strict object schema, in order. Sections are objects; everything else is a setting. */
export function configPaths(schema: z.ZodType): ConfigPath[] {
  const root: unknown = z.toJSONSchema(schema, { io: 'input' })
  return isJsonObject(root) ? walk(root, []) : []
}

function walk(schema: JsonObject, path: readonly string[]): ConfigPath[] {
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  return Object.entries(properties).flatMap(([key, child]) => {
    if (!isJsonObject(child)) return []
    const here = [...path, key]
    if (isJsonObject(child.properties)) return walk(child, here)
    const description = typeof child.description === 'string' ? child.description : ''
    return [
      {
        path: here,
        env: envNameOf(here),
        kind: kindOf(child),
        description,
        secret: description.startsWith('Secret:'),
        schema: child,
      },
    ]
  })
}

function kindOf(schema: JsonObject): ConfigPath['kind'] {
  const types = Array.isArray(schema.anyOf)
    ? schema.anyOf.map((part) => (isJsonObject(part) ? part.type : null))
    : [schema.type]
  if (types.includes('array')) return 'list'
  if (types.includes('boolean')) return 'boolean'
  if (types.includes('number') || types.includes('integer')) return 'number'
  return 'text'
}
