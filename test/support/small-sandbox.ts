import { afterAll, beforeAll } from 'vitest'
import { sandboxConfigSchema, startSandbox } from '../../src/sandbox/index.ts'
import type { Runtime, Sandbox, SandboxEvents, SandboxOutcome } from '../../src/sandbox/index.ts'
import { engineUnderTest } from './engine-under-test.ts'

const mebibyte = 1024 * 1024
const limits = {
  wallMs: 20_000,
  cpuMs: 20_000,
  memoryBytes: 512 * mebibyte,
  processes: 16,
  openFiles: 64,
  scratchBytes: mebibyte,
  resultBytes: 65_536,
  outputBytes: 1000,
  innerCalls: 0,
}

/** A sandbox of the engine under test for the running test file, with two places, and ways to run code in it. */
export interface SmallSandbox {
  sandbox(): Sandbox
  /** Runs the first of the files. */
  run(
    runtime: Runtime,
    files: Record<string, string>,
    input?: unknown,
    events?: SandboxEvents,
    name?: string,
  ): Promise<SandboxOutcome>
  python(code: string, input?: unknown): Promise<SandboxOutcome>
  typescript(code: string, input?: unknown): Promise<SandboxOutcome>
}

/** To be called once in a test file. */
export function smallSandbox(): SmallSandbox {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox(sandboxConfigSchema.parse({ ...engineUnderTest, concurrency: 2 }))
  })

  afterAll(async () => {
    await sandbox.close()
  })

  async function run(
    runtime: Runtime,
    files: Record<string, string>,
    input: unknown = {},
    events: SandboxEvents = {},
    name = 'main',
  ): Promise<SandboxOutcome> {
    const [file = ''] = Object.keys(files)
    const bytes = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))
    return await sandbox.run(
      { id: 'test', runtime, files: bytes, entry: { file, name }, inputJson: JSON.stringify(input), limits },
      events,
    )
  }
  return {
    sandbox: () => sandbox,
    run,
    python: async (code, input) => await run('python', { 'main.py': code }, input),
    typescript: async (code, input) => await run('typescript', { 'main.ts': code }, input),
  }
}
