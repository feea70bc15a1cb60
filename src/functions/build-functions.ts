import { digestJson, McpworksError, sha256, type Clock, type JsonObject } from '../kernel/index.ts'
import type { Sandbox } from '../sandbox/index.ts'
import type { SourceProblem } from './desired-state.ts'
import { createSignatureDeriver, type DerivedSignature, type DeriveSignature } from './derive/derive-signature.ts'
import type { FunctionSource } from './function-source.ts'
import type { FunctionVersion } from './function-version.ts'
import { wrapOutputSchema } from './output-schema.ts'
import { checkSchema } from './schema/check-schema.ts'
import type { SchemaValidator } from './schema/create-schema-validator.ts'
import { sortProblems } from './source-problem.ts'

/** Versions, or everything that keeps them from being made. */
export type BuiltFunctions =
  | { readonly ok: true; readonly versions: readonly FunctionVersion[] }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] }

/** Makes immutable versions of functions: reads their signatures, settles their schemas, names them by hash. */
export type BuildFunctions = (sources: readonly FunctionSource[], createdBy: string) => Promise<BuiltFunctions>

/** What building stands on. */
export interface BuildPorts {
  readonly sandbox: Sandbox
  readonly validator: SchemaValidator
  readonly clock: Clock
}

const maximumDescription = 8000
const concurrency = 4

/**
 * A builder. The code is parsed in the sandbox and never run: that the function is there and can be parsed is known
 * afterwards, that it works is not. Problems of all functions are told at once.
 * @throws McpworksError `sandbox_unavailable` (from the returned function) where the sandbox could not be used.
 */
export function createFunctionBuilder({ sandbox, validator, clock }: BuildPorts): BuildFunctions {
  const derive = createSignatureDeriver(sandbox, clock)
  return async (sources, createdBy) => {
    const results = await mapBounded(sources, (source) => buildOne(source, createdBy, derive, validator, clock))
    const problems = results.flatMap((result) => (Array.isArray(result) ? result : []))
    if (problems.length > 0) return { ok: false, problems: unique(sortProblems(problems)) }
    return { ok: true, versions: results.flatMap((result) => (Array.isArray(result) ? [] : [result])) }
  }
}

async function buildOne(
  source: FunctionSource,
  createdBy: string,
  derive: DeriveSignature,
  validator: SchemaValidator,
  clock: Clock,
): Promise<FunctionVersion | SourceProblem[]> {
  const derived = await derive(source)
  const problems = derived.problems.filter(({ section }) => isNeeded(section, source)).map(({ problem }) => problem)
  const description = source.description ?? derived.description
  if (!derived.problems.some(({ section }) => section === 'entry'))
    problems.push(...checkDescription(source, description))
  const inputSchema = source.inputSchema ?? derived.inputSchema
  const outputSchema = wrapOutputSchema(source.outputSchema ?? derived.outputSchema)
  if (inputSchema !== null) problems.push(...schemaProblems(source, 'inputSchema', inputSchema, validator))
  if (outputSchema !== null) problems.push(...schemaProblems(source, 'outputSchema', outputSchema, validator))
  if (problems.length > 0 || inputSchema === null || description === null) return problems
  return toVersion(source, { description, inputSchema, outputSchema }, createdBy, clock)
}

/** A schema that was given need not be derivable. */
function isNeeded(section: DerivedSignature['problems'][number]['section'], source: FunctionSource): boolean {
  return section === 'entry' || (section === 'input' ? source.inputSchema === null : source.outputSchema === null)
}

function checkDescription(source: FunctionSource, description: string | null): SourceProblem[] {
  const place = { file: `${source.folder}/${source.entry.file}`, line: null, column: null }
  if (description === null || description.trim() === '') {
    const form = source.runtime === 'python' ? 'a docstring' : 'a comment /** ... */ above the function'
    return [
      {
        ...place,
        message: `${source.entry.name} does not say what it does, and agents choose tools by that`,
        hint: `write ${form}`,
      },
    ]
  }
  if (description.length > maximumDescription) {
    return [
      {
        ...place,
        message: `the description has ${description.length} characters; at most ${maximumDescription} are taken`,
        hint: null,
      },
    ]
  }
  return []
}

function schemaProblems(
  source: FunctionSource,
  which: 'inputSchema' | 'outputSchema',
  schema: JsonObject,
  validator: SchemaValidator,
): SourceProblem[] {
  const given = source[which] !== null
  const file = given ? `${source.folder}/service.yaml` : `${source.folder}/${source.entry.file}`
  const at = (path: readonly (string | number)[]): string => ['functions', source.name, which, ...path].join('.')
  const problem = (path: readonly (string | number)[], message: string, hint: string | null): SourceProblem => ({
    file,
    line: null,
    column: null,
    message: `${at(path)}: ${message}`,
    hint,
  })
  if (which === 'inputSchema' && schema['type'] !== 'object')
    return [problem([], 'arguments are always an object', 'write "type: object" and name them under "properties"')]
  const found = checkSchema(schema)
  if (found.length > 0) return found.map(({ path, message, hint }) => problem(path, message, hint))
  try {
    validator.prepare(schema)
    digestJson(schema)
    return []
  } catch (error) {
    if (error instanceof McpworksError) return [problem([], error.message, null)]
    throw error
  }
}

function toVersion(
  source: FunctionSource,
  settled: Pick<FunctionVersion, 'description' | 'inputSchema' | 'outputSchema'>,
  createdBy: string,
  clock: Clock,
): FunctionVersion {
  const { namespace, service, name, runtime, entry, title, annotations, calls, labels, limits } = source
  const files = Object.fromEntries(Array.from(source.files, ([path, content]) => [path, sha256(content)]))
  const code = { runtime, entry: { ...entry }, files }
  return {
    namespace,
    service,
    name,
    runtime,
    entry,
    title,
    annotations,
    calls,
    labels,
    limits,
    ...settled,
    files: source.files,
    codeHash: digestJson(code),
    versionHash: digestJson({
      ...code,
      ...settled,
      title,
      annotations,
      calls: [...calls],
      // A function without labels is the same version that it was before there were any.
      ...(labels.length === 0 ? {} : { labels: [...labels] }),
      limits: { ...limits },
    }),
    createdAtMs: clock.nowMs(),
    createdBy,
  }
}

/** Several functions may share a file with one mistake. */
function unique(problems: readonly SourceProblem[]): SourceProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
}

async function mapBounded<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return results
}
