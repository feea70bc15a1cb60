import { availableParallelism } from 'node:os'
import { runStep } from './check/run-step.ts'
import { steps } from './check/steps.ts'

/** Runs every checker, two or more at once, and says of each how it ended. Gives the names of those that failed. */
async function check(): Promise<readonly string[]> {
  const waiting = [...steps]
  const failed: string[] = []
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const result = await runStep(step, process.cwd())
      console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${step.name.padEnd(16)} ${seconds(result.milliseconds)}`)
      if (result.ok) continue
      failed.push(step.name)
      console.log(result.output.trimEnd())
    }
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work))
  return failed
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

const began = performance.now()
const failed = await check()
const total = seconds(performance.now() - began)
if (failed.length > 0) {
  console.log(`check: ${failed.length} of ${steps.length} steps failed (${failed.join(', ')}) in ${total}`)
  process.exitCode = 1
} else {
  console.log(`check: all ${steps.length} steps passed in ${total}`)
}
