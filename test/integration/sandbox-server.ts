/** A server that has a sandbox and one call in it: prints a line of JSON for each thing that happens. */
import { sandboxConfigSchema, startSandbox } from '../../src/sandbox/index.ts'

const say = (what: object): boolean => process.stdout.write(`${JSON.stringify(what)}\n`)
const {
  config,
  code,
  runtime = 'python',
} = JSON.parse(process.argv[2] ?? '{}') as { config: object; code: string; runtime?: 'python' | 'typescript' }
const file = runtime === 'python' ? 'main.py' : 'main.ts'
try {
  const sandbox = await startSandbox(sandboxConfigSchema.parse(config))
  say({ uid: process.getuid?.(), checks: sandbox.describe().checks.filter((check) => !check.ok).length })
  const limits = {
    wallMs: 60_000,
    cpuMs: 60_000,
    memoryBytes: 5e8,
    processes: 8,
    openFiles: 64,
    scratchBytes: 1e6,
    resultBytes: 1e5,
    outputBytes: 1e5,
    innerCalls: 0,
  }
  const outcome = await sandbox.run(
    {
      id: 'x',
      runtime,
      files: new Map([[file, Buffer.from(code)]]),
      entry: { file, name: 'main' },
      inputJson: '{}',
      limits,
    },
    { onLog: (_, text) => say({ log: text }) },
  )
  say({ outcome })
  await sandbox.close()
} catch (error) {
  const { code: errorCode, message } = error as { code?: string; message: string }
  say({ code: errorCode, message })
}
