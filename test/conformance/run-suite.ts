import { startConformanceServer } from './conformance-server.ts'
import { runOfficial } from './run-official.ts'

// Runs the official suite of both revisions against the whole product and prints what scored:
// node test/conformance/run-suite.ts [--verbose]

const verbose = process.argv.includes('--verbose')
let passed = 0
let failed = 0
await using server = await startConformanceServer()
for (const revision of ['2026-07-28', '2025-11-25']) {
  const run = await runOfficial(server.url, revision)
  if (verbose) process.stdout.write(run.output)
  for (const { scenario, passed: good, failed: bad } of run.scenarios) {
    const isScored = !run.notScored.has(scenario)
    const isGood = bad === 0 && (good > 0 || !isScored)
    if (isScored && isGood) passed += 1
    if (isScored && !isGood) failed += 1
    process.stdout.write(`${isGood ? 'pass' : 'fail'}  ${revision}  ${scenario}${isScored ? '' : '  (not scored)'}\n`)
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed === 67 ? 0 : 1
