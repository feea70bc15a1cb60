import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/** A subschema and where it stands: keys from the root. */
export interface Subschema {
  readonly schema: JsonObject
  readonly path: readonly (string | number)[]
}

/** How a keyword holds subschemas. */
type Shape = 'one' | 'list' | 'map'

/** Keywords whose subschemas look at the same value as the schema that holds them. */
const sameValue: ReadonlyMap<string, Shape> = new Map([
  ['allOf', 'list'],
  ['anyOf', 'list'],
  ['oneOf', 'list'],
  ['not', 'one'],
  ['if', 'one'],
  ['then', 'one'],
  ['else', 'one'],
  ['dependentSchemas', 'map'],
])

/** Keywords whose subschemas look at members or items; each group may look at any of them. */
const children: ReadonlyMap<string, Shape> = new Map([
  ['properties', 'map'],
  ['patternProperties', 'map'],
  ['additionalProperties', 'one'],
  ['propertyNames', 'one'],
  ['unevaluatedProperties', 'one'],
  ['items', 'one'],
  ['prefixItems', 'list'],
  ['contains', 'one'],
  ['unevaluatedItems', 'one'],
])

const definitions: ReadonlyMap<string, Shape> = new Map([
  ['$defs', 'map'],
  ['definitions', 'map'],
])

const otherKeywords = [
  '$schema',
  '$ref',
  '$anchor',
  '$comment',
  'type',
  'enum',
  'const',
  'multipleOf',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'maxContains',
  'minContains',
  'maxProperties',
  'minProperties',
  'required',
  'dependentRequired',
  'title',
  'description',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
  'examples',
  'format',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
] as const

/** Every keyword of JSON Schema 2020-12 that a tool's schema may use. */
export const knownKeywords: readonly string[] = [
  ...sameValue.keys(),
  ...children.keys(),
  ...definitions.keys(),
  ...otherKeywords,
]

/** The subschemas that look at the same value, `$ref` left out. */
export function sameValueSubschemas(at: Subschema): Subschema[] {
  return [...sameValue].flatMap(([keyword, shape]) => subschemasOf(at, keyword, shape))
}

/**
 * Groups of subschemas that look at members or items. Within a group no two look at the same one (two named
 * properties, two positions), across groups they may.
 */
export function childGroups(at: Subschema): Subschema[][] {
  return [...children].flatMap(([keyword, shape]) => {
    const found = subschemasOf(at, keyword, shape)
    // One name can match any number of patterns.
    return keyword === 'patternProperties' ? found.map((subschema) => [subschema]) : [found]
  })
}

/** All subschemas one level down, definitions among them. */
export function allSubschemas(at: Subschema): Subschema[] {
  const inDefinitions = [...definitions].flatMap(([keyword, shape]) => subschemasOf(at, keyword, shape))
  return [...sameValueSubschemas(at), ...childGroups(at).flat(), ...inDefinitions]
}

function subschemasOf({ schema, path }: Subschema, keyword: string, shape: Shape): Subschema[] {
  const value: JsonValue | undefined = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined
  if (value === undefined) return []
  const entries: [readonly (string | number)[], JsonValue][] =
    shape === 'one'
      ? [[[keyword], value]]
      : shape === 'list'
        ? (Array.isArray(value) ? value : []).map((item, index) => [[keyword, index], item])
        : Object.entries(isJsonObject(value) ? value : {}).map(([name, item]) => [[keyword, name], item])
  return entries.flatMap(([steps, item]) => (isJsonObject(item) ? [{ schema: item, path: [...path, ...steps] }] : []))
}
