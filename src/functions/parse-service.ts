import { isFunctionName, isName, nearestName, toolName } from '../kernel/index.ts'
import type { Runtime, SandboxLimits } from '../sandbox/index.ts'
import { checkFiles, decodeText } from './decode-desired-state.ts'
import { desiredStateBounds, type SourceProblem } from './desired-state.ts'
import { defaultLimits } from './function-limits.ts'
import type { FunctionSource } from './function-source.ts'
import { parseYaml, type ProblemAt } from './parse-yaml.ts'
import { serviceFileSchema, type FunctionSettings, type ServiceFile } from './service-file.ts'
import { fileProblem, sortProblems } from './source-problem.ts'

/** A service: a folder of functions. */
export interface ServiceSource {
  readonly name: string
  readonly description: string | null
  readonly functions: readonly FunctionSource[]
}

/** A service that can be built, or its problems. */
export type ParsedService =
  | { readonly ok: true; readonly service: ServiceSource }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] }

const settingsFile = 'service.yaml'

/**
 * Reads the files of one service's folder (paths relative to it; nothing about them is assumed). Each `.py` or `.ts` file directly in the folder is a
 * function named after the file, unless `service.yaml` names it as the `file` of others. Everything else but
 * `service.yaml` (data, and code in folders such as `lib/`) ships with every function of the service.
 * Looks into no code: whether the function is there is found when it is built.
 */
export function parseService(namespace: string, name: string, files: ReadonlyMap<string, Uint8Array>): ParsedService {
  const folder = `services/${name}`
  if (!isName(name)) {
    return {
      ok: false,
      problems: [
        fileProblem(folder, 'service names are 2-40 of a-z, 0-9 and hyphen, with a letter first and no hyphen last'),
      ],
    }
  }
  const faults = checkFiles(files)
  if (faults.length > 0)
    return { ok: false, problems: sortProblems(faults.map((fault) => ({ ...fault, file: `${folder}/${fault.file}` }))) }
  const settingsPath = `${folder}/${settingsFile}`
  const parsed = files.has(settingsFile)
    ? parseYaml(settingsPath, files.get(settingsFile) ?? new Uint8Array(), serviceFileSchema)
    : { ok: true as const, value: serviceFileSchema.parse({}), at: atFile(settingsPath) }
  if (!parsed.ok) return parsed
  const problems: SourceProblem[] = []
  const entryFiles = new Set([...files.keys()].filter((path) => !path.includes('/') && runtimeOf(path) !== null))
  const { shared, wanted } = assign(parsed.value, parsed.at, entryFiles, files, folder, problems)
  const functions: FunctionSource[] = []
  for (const { functionName, file, settings } of wanted) {
    const runtime = runtimeOf(file)
    const content = files.get(file)
    if (runtime === null || content === undefined) continue
    checkSource(`${folder}/${file}`, content, problems)
    functions.push({
      namespace,
      service: name,
      name: functionName,
      runtime,
      entry: { file, name: settings.entry ?? functionName },
      files: new Map([...shared, [file, content] as const].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      title: settings.title ?? null,
      description: settings.description ?? null,
      inputSchema: settings.inputSchema ?? null,
      outputSchema: settings.outputSchema ?? null,
      annotations: Object.fromEntries(definedMembers(settings.annotations ?? {})),
      calls: [...new Set(settings.calls ?? [])].toSorted(),
      labels: [...new Set(settings.labels ?? [])].toSorted(),
      limits: mergeLimits(defaultLimits(runtime), parsed.value.limits, settings.limits),
      folder,
    })
  }
  problems.push(...unknownCalls(name, wanted, parsed.at))
  if (wanted.length === 0)
    problems.push(
      fileProblem(folder, 'the service has no function', 'add a file such as hello.py with a function hello'),
    )
  if (problems.length > 0) return { ok: false, problems: sortProblems(problems) }
  return { ok: true, service: { name, description: parsed.value.description ?? null, functions } }
}

interface WantedFunction {
  readonly functionName: string
  readonly file: string
  readonly settings: FunctionSettings
}

/** Which function is in which file, and which files belong to all of them. */
function assign(
  value: ServiceFile,
  at: ProblemAt,
  entryFiles: ReadonlySet<string>,
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
  problems: SourceProblem[],
): { shared: [string, Uint8Array][]; wanted: WantedFunction[] } {
  const wanted: WantedFunction[] = []
  const taken = new Set<string>()
  for (const [functionName, settings] of Object.entries(value.functions)) {
    const file = settings.file ?? [`${functionName}.py`, `${functionName}.ts`].find((path) => entryFiles.has(path))
    if (file === undefined) {
      const nearest = nearestName(functionName, [...entryFiles].map(stem))
      problems.push(
        at(
          ['functions', functionName],
          `there is no ${functionName}.py or ${functionName}.ts beside service.yaml`,
          nearest === null ? 'name its file with "file"' : `did you mean "${nearest}"?`,
        ),
      )
    } else if (!entryFiles.has(file)) {
      problems.push(
        at(
          ['functions', functionName, 'file'],
          `${JSON.stringify(file)} is no .py or .ts file directly in the service's folder`,
        ),
      )
    } else {
      taken.add(file)
      wanted.push({ functionName, file, settings })
    }
  }
  for (const file of entryFiles) {
    const functionName = stem(file)
    if (taken.has(file)) continue
    if (!isFunctionName(functionName)) {
      problems.push(
        fileProblem(
          `${folder}/${file}`,
          'function names are 1-63 of a-z, 0-9 and underscore, with a letter first',
          'move code that other functions import into a folder such as lib/',
        ),
      )
    } else if (wanted.some((other) => other.functionName === functionName)) {
      problems.push(fileProblem(`${folder}/${file}`, `there are two functions named ${JSON.stringify(functionName)}`))
    } else wanted.push({ functionName, file, settings: {} })
  }
  const shared = [...files].filter(([path]) => path !== settingsFile && !entryFiles.has(path))
  for (const [path, content] of shared) {
    if (runtimeOf(path) !== null) checkSource(`${folder}/${path}`, content, problems)
    if (path.startsWith('_mcpworks'))
      problems.push(fileProblem(`${folder}/${path}`, 'names that start with "_mcpworks" are taken by the platform'))
  }
  return { shared, wanted: wanted.toSorted((a, b) => (a.functionName < b.functionName ? -1 : 1)) }
}

/** Calls of functions that this service does not have. Those of other services may come later. */
function unknownCalls(service: string, wanted: readonly WantedFunction[], at: ProblemAt): SourceProblem[] {
  const own = wanted.map(({ functionName }) => toolName(service, functionName))
  return wanted.flatMap(({ functionName, settings }) =>
    (settings.calls ?? [])
      .filter((tool) => tool.slice(0, tool.lastIndexOf('-')) === service && !own.includes(tool))
      .map((tool) => {
        const nearest = nearestName(tool, own)
        return at(
          ['functions', functionName, 'calls'],
          `this service has no function for ${JSON.stringify(tool)}`,
          nearest === null ? null : `did you mean "${nearest}"?`,
        )
      }),
  )
}

function checkSource(path: string, content: Uint8Array, problems: SourceProblem[]): void {
  if (problems.some((problem) => problem.file === path)) return
  if (content.length > desiredStateBounds.sourceBytes) {
    problems.push(
      fileProblem(path, `the file is ${content.length} bytes; code is at most ${desiredStateBounds.sourceBytes}`),
    )
  } else if (decodeText(content) === null) problems.push(fileProblem(path, 'the file is not UTF-8 text'))
}

function runtimeOf(path: string): Runtime | null {
  return path.endsWith('.py') ? 'python' : path.endsWith('.ts') && !path.endsWith('.d.ts') ? 'typescript' : null
}

function stem(file: string): string {
  return file.replace(/\.(py|ts)$/, '')
}

/** Later limits beat earlier ones; what is not given beats nothing. */
function mergeLimits(defaults: SandboxLimits, ...given: readonly (ServiceFile['limits'] | undefined)[]): SandboxLimits {
  return { ...defaults, ...Object.fromEntries(given.flatMap((limits) => definedMembers(limits ?? {}))) }
}

function definedMembers<T>(value: { readonly [name: string]: T | undefined }): [string, T][] {
  return Object.entries(value).filter((entry): entry is [string, T] => entry[1] !== undefined)
}

function atFile(file: string): ProblemAt {
  return (_path, message, hint = null) => fileProblem(file, message, hint)
}
