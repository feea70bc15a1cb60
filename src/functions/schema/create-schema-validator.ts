import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { digestJson, McpworksError, type Digest, type JsonObject } from '../../kernel/index.ts'
import { checkSchema, isDeeper } from './check-schema.ts'
import { explainErrors, type ValueProblem } from './explain-errors.ts'
import { compilePattern } from './linear-pattern.ts'
import { schemaBounds } from './schema-bounds.ts'

/** Checks values against the JSON Schemas of tools. */
export interface SchemaValidator {
  /**
   * What is wrong with a value, as sentences for whoever sent it; empty where it fits. Never changes the value: no
   * defaults are filled in, nothing is coerced. Sentences name places and expectations and never repeat a value.
   * Time is bounded by the size of the value, for any schema that `checkSchema` accepts.
   * @throws McpworksError `function_invalid` where the schema itself cannot be used.
   */
  validate(schema: JsonObject, value: unknown): readonly ValueProblem[]
  /** Compiles now, so that a schema's mistakes are found before the first call. @throws as `validate`. */
  prepare(schema: JsonObject): void
}

interface Compiled {
  readonly first: ValidateFunction
  /** Reports every error; made when it is first needed. */
  all: ValidateFunction | null
}

const maximumCached = 2000
/** An Ajv keeps scope values of all that it ever compiled, so it is replaced after this many schemas. */
const compilesPerInstance = 250
/** Over this many characters of JSON only the first error is told: a list of a million errors helps nobody. */
const allErrorsCharacters = 16 * 1024

class PatternBudgetSpent extends Error {}

/** A validator with its own bounded cache, keyed by the digest of the schema. */
export function createSchemaValidator(): SchemaValidator {
  const byDigest = new Map<Digest, Compiled>()
  const byObject = new WeakMap<JsonObject, Compiled>()
  const budget = { steps: 0 }
  const compileFirst = createCompiler(false, budget)
  const compileAll = createCompiler(true, budget)

  const compiled = (schema: JsonObject): Compiled => {
    const known = byObject.get(schema)
    if (known !== undefined) return known
    if (isDeeper(schema, schemaBounds.depth)) {
      throw new McpworksError('function_invalid', {
        message: `The JSON Schema is nested more than ${schemaBounds.depth} deep.`,
      })
    }
    const digest = digestJson(schema)
    const found = byDigest.get(digest) ?? { first: compileChecked(schema, compileFirst), all: null }
    byDigest.delete(digest)
    byDigest.set(digest, found)
    for (const oldest of byDigest.keys()) {
      if (byDigest.size <= maximumCached) break
      byDigest.delete(oldest)
    }
    byObject.set(schema, found)
    return found
  }

  return {
    prepare: (schema) => void compiled(schema),
    validate(schema, value) {
      const entry = compiled(schema)
      if (isDeeper(value, schemaBounds.depth))
        return [{ path: '', message: `nested more than ${schemaBounds.depth} deep` }]
      budget.steps = schemaBounds.patternSteps
      try {
        if (entry.first(value)) return []
        if (JSON.stringify(value).length > allErrorsCharacters) return explainErrors(entry.first.errors ?? [])
        budget.steps = schemaBounds.patternSteps
        entry.all ??= compileAll(schema)
        entry.all(value)
        return explainErrors(errorsOf(entry.all, entry.first))
      } catch (error) {
        if (error instanceof PatternBudgetSpent)
          return [{ path: '', message: 'too long to be compared with the patterns of the schema' }]
        throw error
      }
    },
  }
}

function errorsOf(...functions: readonly ValidateFunction[]): readonly ErrorObject[] {
  return functions.find((validate) => (validate.errors ?? []).length > 0)?.errors ?? []
}

function compileChecked(schema: JsonObject, compile: (schema: JsonObject) => ValidateFunction): ValidateFunction {
  const [problem] = checkSchema(schema)
  if (problem !== undefined) {
    throw new McpworksError('function_invalid', {
      message: `The JSON Schema cannot be used: ${['', ...problem.path].join('/')}: ${problem.message}`,
    })
  }
  try {
    return compile(schema)
  } catch (cause) {
    // Ajv's messages speak of the schema only, which its author wrote.
    const reason = cause instanceof Error ? cause.message.slice(0, 300) : 'unknown reason'
    throw new McpworksError('function_invalid', { message: `The JSON Schema cannot be used: ${reason}`, cause })
  }
}

function createCompiler(allErrors: boolean, budget: { steps: number }): (schema: JsonObject) => ValidateFunction {
  let instance = createAjv(allErrors, budget)
  let compiles = 0
  return (schema) => {
    compiles += 1
    if (compiles % compilesPerInstance === 0) instance = createAjv(allErrors, budget)
    // Checking the schema against its meta-schema matches patterns as well.
    budget.steps = schemaBounds.patternSteps
    try {
      return instance.compile(schema)
    } finally {
      instance.removeSchema(schema)
    }
  }
}

function createAjv(allErrors: boolean, budget: { steps: number }): Ajv2020 {
  const spend = (steps: number): void => {
    budget.steps -= steps
    if (budget.steps < 0) throw new PatternBudgetSpent()
  }
  const regExp = (source: string): { test: (text: string) => boolean; toString: () => string } => {
    const compiled = compilePattern(source)
    if (!compiled.ok) throw new McpworksError('function_invalid', { message: `The pattern ${compiled.message}.` })
    return { test: (text) => compiled.pattern.test(text, spend), toString: () => source }
  }
  return new Ajv2020({
    strict: false,
    // Own properties only: an argument called "constructor" is an argument, and a missing "toString" is missing.
    ownProperties: true,
    allErrors,
    verbose: true,
    validateFormats: false,
    logger: false,
    code: { regExp: Object.assign(regExp, { code: 'new RegExp' }) },
  })
}
