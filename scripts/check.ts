import { availableParallelism } from 'node:os'
import { runStep } from './check/run-step.ts'
import { steps } from './check/steps.ts'

const began = performance.now()
const waiting = [...steps]
const failed: string[] = []

async function work(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const result = await runStep(step, process.cwd())
    const time = `${(result.milliseconds / 1000).toFixed(1)} s`
    console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${result.name.padEnd(16)} ${time}`)
    if (result.ok) continue
    failed.push(result.name)
    console.log(result.output.trimEnd())
  }
}

await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work))
const total = `${((performance.now() - began) / 1000).toFixed(1)} s`
if (failed.length > 0) {
  console.log(`check: ${failed.length} of ${steps.length} steps failed (${failed.join(', ')}) in ${total}`)
  process.exitCode = 1
} else {
  console.log(`check: all ${steps.length} steps passed in ${total}`)
}
