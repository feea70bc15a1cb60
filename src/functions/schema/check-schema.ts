import { isJsonObject, type JsonObject, type JsonValue, nearestName } from '../../kernel/index.ts'
import { compilePattern } from './linear-pattern.ts'
import { schemaBounds } from './schema-bounds.ts'
import { anchorsOf, followReference, schemaCost } from './schema-cost.ts'
import { allSubschemas, knownKeywords, type Subschema } from './schema-keywords.ts'

/** Something wrong with a JSON Schema, and where: keys from its root. */
export interface SchemaProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string | null
}

const dialects = ['https://json-schema.org/draft/2020-12/schema', 'https://json-schema.org/draft/2020-12/schema#']
/** Keywords of the specification that are not taken, and what to do instead. */
const refusedKeywords: Readonly<Record<string, string>> = {
  $id: 'leave it out: references are "#/$defs/..."',
  $dynamicRef: 'use "$ref"',
  $dynamicAnchor: 'use "$defs" and "$ref"',
  $vocabulary: 'leave it out',
  $recursiveRef: 'use "$ref"',
}
const maximumProblems = 20

/**
 * What keeps a JSON Schema (2020-12) from being used for a tool. Strict, because a schema is a promise to agents and a
 * fence for arguments: an unknown keyword is a mistake, not an annotation. References stay inside the schema, so
 * nothing is ever fetched; size, depth, patterns and the cost of a check are bounded, because the author of a schema
 * may be hostile. Does not check that the values of keywords have the right types: compiling does.
 * `format` is an annotation, as the specification has it by default: it is shown and not enforced.
 */
export function checkSchema(schema: JsonObject): SchemaProblem[] {
  if (isDeeper(schema, schemaBounds.depth))
    return [problem([], `the schema is nested more than ${schemaBounds.depth} deep`)]
  const size = JSON.stringify(schema).length
  if (size > schemaBounds.characters)
    return [problem([], `the schema has ${size} characters; at most ${schemaBounds.characters} are taken`)]
  const problems: SchemaProblem[] = []
  const anchors = anchorsOf(schema)
  const pending: Subschema[] = [{ schema, path: [] }]
  for (let at = pending.pop(); at !== undefined && problems.length < maximumProblems; at = pending.pop()) {
    problems.push(...checkOne(at, schema, anchors))
    pending.push(...allSubschemas(at))
  }
  if (problems.length === 0 && schemaCost(schema) > schemaBounds.visits) {
    problems.push(
      problem(
        [],
        'checking a value against this schema could take too long',
        'name a definition at most once in anyOf, oneOf and allOf, and never a definition in itself without a property between',
      ),
    )
  }
  return problems.slice(0, maximumProblems)
}

/** Whether objects and arrays are nested deeper than `limit`. Does not recurse deeper than that itself. */
export function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return true
  for (const member of Array.isArray(value) ? value : Object.values(value)) if (isDeeper(member, limit - 1)) return true
  return false
}

function checkOne(
  { schema, path }: Subschema,
  root: JsonObject,
  anchors: ReadonlyMap<string, JsonObject>,
): SchemaProblem[] {
  const problems: SchemaProblem[] = []
  for (const keyword of Object.keys(schema)) {
    const refused = Object.hasOwn(refusedKeywords, keyword) ? refusedKeywords[keyword] : undefined
    if (refused !== undefined)
      problems.push(problem([...path, keyword], `"${keyword}" is not used in tool schemas`, refused))
    else if (!knownKeywords.includes(keyword) && !keyword.startsWith('x-')) {
      const nearest = nearestName(keyword, knownKeywords)
      const hint =
        nearest === null
          ? 'properties stand under "properties"; extensions start with "x-"'
          : `did you mean "${nearest}"?`
      problems.push(
        problem([...path, keyword], `${JSON.stringify(keyword.slice(0, 60))} is no JSON Schema keyword`, hint),
      )
    }
  }
  problems.push(...checkNames(schema, path))
  const { $ref: reference, $schema: dialect, pattern, uniqueItems, maxItems } = schema
  if (dialect !== undefined && !dialects.includes(String(dialect)))
    problems.push(problem([...path, '$schema'], 'schemas are of the dialect 2020-12', `leave "$schema" out`))
  if (reference !== undefined && followReference(root, anchors, reference) === null) {
    problems.push(
      problem(
        [...path, '$ref'],
        'a reference names a place in the same schema that exists',
        'write "#/$defs/<name>"; nothing is ever fetched',
      ),
    )
  }
  if (uniqueItems === true && !(typeof maxItems === 'number' && maxItems <= schemaBounds.uniqueItems)) {
    problems.push(
      problem(
        [...path, 'uniqueItems'],
        `"uniqueItems" needs "maxItems" of at most ${schemaBounds.uniqueItems} beside it`,
      ),
    )
  }
  if (typeof pattern === 'string') problems.push(...checkPattern(pattern, [...path, 'pattern']))
  for (const source of namesIn(schema['patternProperties']))
    problems.push(...checkPattern(source, [...path, 'patternProperties', source]))
  return problems
}

/** Members whose names mean something to JavaScript are refused wherever they stand. */
function checkNames(schema: JsonObject, path: Subschema['path']): SchemaProblem[] {
  const holders: [string, JsonValue | undefined][] = [
    'properties',
    'patternProperties',
    '$defs',
    'definitions',
    'dependentSchemas',
    'dependentRequired',
  ].map((key) => [key, schema[key]])
  return holders.flatMap(([key, holder]) =>
    namesIn(holder).includes('__proto__')
      ? [problem([...path, key], '"__proto__" cannot be the name of a property')]
      : [],
  )
}

function namesIn(value: JsonValue | undefined): string[] {
  return isJsonObject(value) ? Object.keys(value) : []
}

function checkPattern(source: string, path: Subschema['path']): SchemaProblem[] {
  const compiled = compilePattern(source)
  return compiled.ok ? [] : [problem(path, `the pattern ${compiled.message}`)]
}

function problem(path: SchemaProblem['path'], message: string, hint: string | null = null): SchemaProblem {
  return { path, message, hint }
}
