import type { SandboxConfig } from '../config.ts'
import { runTool } from '../executor/run-tool.ts'

const runs = 10

/**
 * Median milliseconds of the configured Python starting, printing a line and ending, without any jail: what the figures of
 * the engines are to be compared with. `null` where it cannot be run.
 */
export async function benchUnjailed({ pythonPath }: Pick<SandboxConfig, 'pythonPath'>): Promise<number | null> {
  const timesMs: number[] = []
  for (let run = 0; run < runs; run += 1) {
    const before = performance.now()
    try {
      await runTool(pythonPath, ['-I', '-S', '-c', 'print("{}")'])
    } catch {
      return null
    }
    timesMs.push(performance.now() - before)
  }
  const median = timesMs.toSorted((one, other) => one - other)[runs / 2] ?? 0
  return Math.round(median * 10) / 10
}
