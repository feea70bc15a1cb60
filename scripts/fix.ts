import { runStep } from './check/run-step.ts'

const steps = [
  { name: 'lock file', args: ['scripts/check-lock.ts', '--fix'] },
  { name: 'generated docs', args: ['scripts/generate-docs.ts'] },
  { name: 'lint', args: ['node_modules/oxlint/bin/oxlint', '--fix'] },
  { name: 'format', args: ['node_modules/oxfmt/bin/oxfmt'] },
]

for (const step of steps) {
  const result = await runStep(step, process.cwd())
  console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${step.name}`)
  if (result.ok) continue
  console.log(result.output.trimEnd())
  process.exitCode = 1
}
