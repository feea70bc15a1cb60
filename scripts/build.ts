import { cpSync, globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runStep } from './check/run-step.ts'

/** Makes `dist/`: what tsc puts out, and beside it the files that the source reads (Python, JSON, policies). */
async function build(): Promise<boolean> {
  rmSync('dist', { recursive: true, force: true })
  const compiled = await runStep(
    { name: 'compile', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'] },
    process.cwd(),
  )
  if (!compiled.ok) {
    console.log(compiled.output)
    return false
  }
  for (const file of globSync('**/*.*', { cwd: 'src', exclude: ['**/*.ts'] })) {
    cpSync(join('src', file), join('dist', file))
  }
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const started = await runStep({ name: 'start', args: ['dist/cli/main.js', '--version'] }, process.cwd())
  if (started.ok && started.output.trim() === version) return true
  console.log(`What was built does not start:\n${started.output}`)
  return false
}

const isBuilt = await build()
console.log(isBuilt ? 'built dist/' : 'the build failed')
if (!isBuilt) process.exitCode = 1
