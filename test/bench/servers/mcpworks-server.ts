import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBenchApp } from './start-bench-app.ts'
import { serveDriver } from './serve.ts'

const dataDirectory = await mkdtemp(join(tmpdir(), 'mcpworks-bench-'))
const bench = await startBenchApp(dataDirectory, Number(process.argv[2] ?? 100))
serveDriver(bench.endpoint, { authorization: `Bearer ${bench.apiKey}` }, async () => {
  await bench.close()
  await rm(dataDirectory, { recursive: true, force: true })
})
