import type { ErrorObject } from 'ajv/dist/2020.js'
import { isJsonObject, nearestName } from '../../kernel/index.ts'

/** One thing wrong with a value. `path` is a JSON pointer (RFC 6901), empty for the value itself. */
export interface ValueProblem {
  readonly path: string
  readonly message: string
}

const maximumProblems = 10
const combining = new Set(['anyOf', 'oneOf'])

/** Ajv's errors as sentences that say what is wanted. What callers sent is never repeated, but for unknown names. */
export function explainErrors(errors: readonly ErrorObject[]): ValueProblem[] {
  const problems: ValueProblem[] = []
  for (const error of errors) {
    // What is wrong within one alternative is told together with the alternatives.
    if (errors.some((other) => combining.has(other.keyword) && isWithin(error, other))) continue
    if (error.keyword === 'if') continue
    const { path, message } = explain(error, errors)
    if (!problems.some((problem) => problem.path === path && problem.message === message))
      problems.push({ path, message })
    if (problems.length === maximumProblems) break
  }
  return problems
}

function isWithin(error: ErrorObject, outer: ErrorObject): boolean {
  return (
    error !== outer &&
    error.schemaPath.startsWith(`${outer.schemaPath}/`) &&
    error.instancePath.startsWith(outer.instancePath)
  )
}

function explain(error: ErrorObject, errors: readonly ErrorObject[]): ValueProblem {
  const { instancePath: path, params, keyword } = error
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
      return { path: join(path, params['missingProperty']), message: 'is missing' }
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      const properties: unknown = error.parentSchema?.['properties']
      const known = isJsonObject(properties) ? Object.keys(properties) : []
      const nearest = nearestName(name, known)
      const hint = nearest === null ? `known: ${listed(known)}` : `did you mean "${nearest}"?`
      return {
        path: join(path, name),
        message: known.length === 0 ? 'is not known here' : `is not known here; ${hint}`,
      }
    }
    case 'anyOf':
    case 'oneOf': {
      if (keyword === 'oneOf' && params['passingSchemas'] !== null)
        return { path, message: 'must fit exactly one of the forms, and fits several' }
      const inner = errors.filter((other) => isWithin(other, error))
      const wanted = [
        ...new Set(
          inner.map((other) =>
            other.instancePath === path ? expectation(other) : `${other.instancePath} ${expectation(other)}`,
          ),
        ),
      ]
      return { path, message: wanted.slice(0, 4).join(', or ') || 'fits none of the forms' }
    }
    default:
      return { path, message: expectation(error) }
  }
}

function expectation({ keyword, params, data, message }: ErrorObject): string {
  const limit = String(params['limit'])
  switch (keyword) {
    case 'type': {
      const types = [params['type'] as string | string[]].flat().map((type) => typeNames[type] ?? type)
      return `must be ${types.join(' or ')}, not ${kindOf(data)}`
    }
    case 'enum':
      return `must be one of ${listed((params['allowedValues'] as unknown[]).map((value) => JSON.stringify(value)))}`
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue']).slice(0, 100)}`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    case 'exclusiveMinimum':
      return `must be more than ${limit}`
    case 'exclusiveMaximum':
      return `must be less than ${limit}`
    case 'minLength':
      return `must have at least ${limit} characters`
    case 'maxLength':
      return `must have at most ${limit} characters`
    case 'minItems':
      return `must have at least ${limit} items`
    case 'maxItems':
      return `must have at most ${limit} items`
    case 'pattern':
      return `must match the pattern ${String(params['pattern']).slice(0, 100)}`
    case 'uniqueItems':
      return 'must not hold the same item twice'
    default:
      return message ?? 'does not fit the schema'
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return Number.isInteger(value) ? 'a whole number' : 'a number'
  return { string: 'text', boolean: 'true or false', object: 'an object' }[typeof value as string] ?? typeof value
}

function listed(items: readonly string[]): string {
  const text = items.slice(0, 20).join(', ')
  return items.length > 20 || text.length > 400 ? `${text.slice(0, 400)}, ...` : text
}

function join(path: string, name: unknown): string {
  return `${path}/${String(name).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
