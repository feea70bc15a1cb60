import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { z } from 'zod'
import { isJsonObject, nearestName, type JsonObject, type JsonValue } from '../kernel/index.ts'
import { configPaths, type ConfigPath } from './config-paths.ts'
import { configSchema, type Config } from './schema.ts'

/** Where a value came from: `default`, a file, an environment variable or a flag. */
export type Origin = string

/** One mistake in the configuration. */
export interface ConfigProblem {
  /** `http.port`; empty for a whole file. */
  readonly path: string
  readonly origin: Origin
  readonly message: string
  /** What to do about it. */
  readonly fix: string
}

/** The configuration with the origin of every value, or every mistake at once. */
export type ConfigOutcome =
  | {
      readonly ok: true
      readonly config: Config
      readonly origins: ReadonlyMap<string, Origin>
      readonly file: string | null
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] }

/** What configuration is read from. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Values of flags by path: `{'http.port': '8080'}`. */
  readonly flags: Readonly<Record<string, string>>
  /** The file given by a flag; else `MCPWORKS_CONFIG`; else `mcpworks.yaml` in `cwd` if it is there. */
  readonly file: string | null
  readonly cwd: string
}

/** Settings that name what is executed. */
const programPaths: ReadonlySet<string> = new Set([
  'sandbox.bubblewrapPath',
  'sandbox.pythonPath',
  'sandbox.bunPath',
  'sandbox.stagingDirectory',
])

/** Variables with our prefix that are not configuration of the server: the CLI reads them. */
const clientVariables = new Set(['MCPWORKS_CONFIG', 'MCPWORKS_URL', 'MCPWORKS_API_KEY', 'MCPWORKS_AGENT_KEY'])

/**
 * Reads defaults < file < environment < flags and validates the whole. Unknown keys and variables are mistakes.
 * All mistakes are told at once, each with path, origin and fix. Reads nothing but the one file and `*_FILE` secrets.
 */
export function loadConfig(sources: ConfigSources): ConfigOutcome {
  const problems: ConfigProblem[] = []
  const origins = new Map<string, Origin>()
  const values: JsonObject = { dataDirectory: join(homedir(), '.mcpworks') }
  const known = configPaths(configSchema)

  const file = sources.file ?? sources.env.MCPWORKS_CONFIG ?? null
  const usedFile = readFile(file, sources.cwd, values, origins, problems)
  readEnvironment(sources.env, known, values, origins, problems)
  for (const [path, text] of Object.entries(sources.flags)) {
    const target = known.find((candidate) => candidate.path.join('.') === path)
    if (target !== undefined) setValue(values, target, text, `flag --${path}`, origins)
  }

  const parsed = configSchema.safeParse(values)
  if (!parsed.success)
    problems.push(...parsed.error.issues.flatMap((issue) => problemsOf(issue, origins, known, usedFile)))
  if (!parsed.success || problems.length > 0) return { ok: false, problems }
  return { ok: true, config: parsed.data, origins, file: usedFile }
}

function readFile(
  file: string | null,
  cwd: string,
  values: JsonObject,
  origins: Map<string, Origin>,
  problems: ConfigProblem[],
): string | null {
  const path = file ?? join(cwd, 'mcpworks.yaml')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (missing && file === null) return null
    problems.push({
      path: '',
      origin: path,
      message: missing ? 'the file does not exist' : 'the file cannot be read',
      fix: 'check the path given by --config or MCPWORKS_CONFIG, and its permissions',
    })
    return path
  }
  if (file === null && !isOwn(path)) {
    problems.push({
      path: '',
      origin: path,
      message: 'the file is in the current directory, and another user can write it',
      fix: 'make it yours alone (chown, chmod go-w), or name it with --config if it is meant',
    })
    return path
  }
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0) {
    for (const error of document.errors)
      problems.push({ path: '', origin: path, message: firstLine(error.message), fix: 'correct the YAML' })
    return path
  }
  const content: unknown = document.toJS({ maxAliasCount: 10 })
  if (content === null || content === undefined) return path
  if (!isJsonObject(content)) {
    problems.push({
      path: '',
      origin: path,
      message: 'the file is not a mapping',
      fix: 'write "section:" with its keys below',
    })
    return path
  }
  merge(values, content, [], path, origins)
  if (file === null) refusePrograms(path, origins, problems)
  return path
}

/** Whether only this user, or root, can write the file. */
function isOwn(path: string): boolean {
  const { uid, mode } = statSync(path)
  return (uid === process.geteuid?.() || uid === 0) && (mode & 0o022) === 0
}

/**
 * A file that merely lies in the current directory, such as one of a checked-out project, must not say which programs
 * are run.
 */
function refusePrograms(file: string, origins: Map<string, Origin>, problems: ConfigProblem[]): void {
  for (const [path, origin] of origins) {
    if (origin !== file || !programPaths.has(path)) continue
    problems.push({
      path,
      origin,
      message: 'programs and where they are staged are not taken from a file that was merely found here',
      fix: `name the file if it is meant: --config ${file}`,
    })
  }
}

function merge(
  into: JsonObject,
  from: JsonObject,
  path: readonly string[],
  origin: Origin,
  origins: Map<string, Origin>,
): void {
  for (const [key, value] of Object.entries(from)) {
    const here = [...path, key]
    const existing = Object.hasOwn(into, key) ? into[key] : undefined
    if (isJsonObject(value)) {
      const child: JsonObject = isJsonObject(existing) ? existing : {}
      define(into, key, child)
      merge(child, value, here, origin, origins)
    } else {
      define(into, key, value)
      origins.set(here.join('.'), origin)
    }
  }
}

/** Sets an own property whatever its name: plain assignment of `__proto__` would set the prototype and hide the key. */
function define(into: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true })
}

function readEnvironment(
  env: ConfigSources['env'],
  known: readonly ConfigPath[],
  values: JsonObject,
  origins: Map<string, Origin>,
  problems: ConfigProblem[],
): void {
  const byName = new Map(known.map((path) => [path.env, path]))
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('MCPWORKS_') || text === undefined || clientVariables.has(name)) continue
    const target = byName.get(name)
    const fromFile = name.endsWith('_FILE') ? byName.get(name.slice(0, -'_FILE'.length)) : undefined
    if (target === undefined && fromFile !== undefined) {
      readValueFile(text, fromFile, name, values, origins, problems)
      continue
    }
    if (target === undefined) {
      const suggestion = nearestName(name, [...byName.keys()])
      problems.push({
        path: '',
        origin: `environment ${name}`,
        message: 'there is no such setting',
        fix:
          suggestion === null
            ? 'unset it; docs/configuration.md lists the variables'
            : `did you mean ${suggestion}? Otherwise unset it`,
      })
      continue
    }
    setValue(values, target, text, `environment ${name}`, origins)
  }
}

/** `MCPWORKS_X_FILE` names a file whose content is the value, so that secrets stay out of the environment. */
function readValueFile(
  path: string,
  target: ConfigPath,
  name: string,
  values: JsonObject,
  origins: Map<string, Origin>,
  problems: ConfigProblem[],
): void {
  try {
    setValue(values, target, readFileSync(path, 'utf8').trim(), `environment ${name}`, origins)
  } catch {
    problems.push({
      path: target.path.join('.'),
      origin: `environment ${name}`,
      message: 'the file that it names cannot be read',
      fix: 'check the path and the permissions of the file',
    })
  }
}

function setValue(
  values: JsonObject,
  target: ConfigPath,
  text: string,
  origin: Origin,
  origins: Map<string, Origin>,
): void {
  let object = values
  for (const part of target.path.slice(0, -1)) {
    const child = object[part]
    const next: JsonObject = isJsonObject(child) ? child : {}
    object[part] = next
    object = next
  }
  const last = target.path.at(-1)
  if (last !== undefined) object[last] = convert(text, target.kind)
  origins.set(target.path.join('.'), origin)
}

/** Text of a variable or flag as the kind of value that the schema wants; what does not fit stays text, so that validation names it. */
function convert(text: string, kind: ConfigPath['kind']): JsonValue {
  switch (kind) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'list':
      return text === '' ? [] : text.split(',').map((item) => item.trim())
    case 'text':
      return text
  }
}

function problemsOf(
  issue: z.core.$ZodIssue,
  origins: Map<string, Origin>,
  known: readonly ConfigPath[],
  file: string | null,
): ConfigProblem[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = path === '' ? key : `${path}.${key}`
      const suggestion = nearestName(
        full,
        known.map((candidate) => candidate.path.join('.')),
      )
      return {
        path: full,
        origin: originOf(full, origins, file),
        message: 'there is no such setting',
        fix:
          suggestion === null
            ? 'remove it; docs/configuration.md lists the settings'
            : `did you mean ${suggestion}? Otherwise remove it`,
      }
    })
  }
  return [
    {
      path,
      origin: originOf(path, origins, file),
      message: issue.message,
      fix: 'see docs/configuration.md for what is allowed',
    },
  ]
}

function originOf(path: string, origins: Map<string, Origin>, file: string | null): Origin {
  const exact = origins.get(path) ?? [...origins].find(([key]) => key.startsWith(`${path}.`))?.[1]
  return exact ?? file ?? 'default'
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
