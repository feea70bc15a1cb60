import { afterAll, beforeAll } from 'vitest'
import {
  createFunctionBuilder,
  createFunctionRunner,
  createSchemaValidator,
  formatProblem,
  parseService,
  type FunctionOutcome,
  type FunctionVersion,
} from '../../src/functions/index.ts'
import { systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { sandboxConfigSchema, startSandbox, type Sandbox } from '../../src/sandbox/index.ts'

/** Builds and runs functions in a sandbox of the running test file. */
export interface FunctionBench {
  sandbox(): Sandbox
  /** The versions of the functions in the files of a service, or what is wrong with them. */
  build(files: Record<string, string>): Promise<FunctionVersion[] | string[]>
  /** The only function in the files. @throws Error with what is wrong */
  buildOne(files: Record<string, string>): Promise<FunctionVersion>
  run(version: FunctionVersion, args: JsonObject): Promise<FunctionOutcome>
}

/** To be called once in a test file. */
export function functionBench(): FunctionBench {
  const validator = createSchemaValidator()
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox(sandboxConfigSchema.parse({ engine: 'bubblewrap' }))
  }, 60_000)
  afterAll(async () => await sandbox.close())

  async function build(files: Record<string, string>): Promise<FunctionVersion[] | string[]> {
    const parsed = parseService(
      'demo',
      'test',
      new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
    )
    if (!parsed.ok) return parsed.problems.map(formatProblem)
    const built = await createFunctionBuilder({ sandbox, validator, clock: systemClock })(
      parsed.service.functions,
      'demo/tester',
    )
    return built.ok ? [...built.versions] : built.problems.map(formatProblem)
  }

  async function buildOne(files: Record<string, string>): Promise<FunctionVersion> {
    const [version] = await build(files)
    if (version === undefined || typeof version === 'string') throw new Error(String(version))
    return version
  }

  function run(version: FunctionVersion, args: JsonObject): Promise<FunctionOutcome> {
    return createFunctionRunner({ sandbox, clock: systemClock }).run(version, args)
  }

  return { sandbox: () => sandbox, build, buildOne, run }
}

/** The first text of a result. @throws Error where nothing was run */
export function textOf(outcome: FunctionOutcome): string {
  if (outcome.status === 'unavailable') throw new Error(outcome.detail)
  return (outcome.result['content'] as { text: string }[])[0]?.text ?? ''
}
