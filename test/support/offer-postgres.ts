import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startPostgresCluster, type PostgresCluster } from './postgres-cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A socket that answers with the URL of a PostgreSQL server, which is started when it is first asked for. */
    readonly postgresOffer: string
  }
}

/** Once a run of tests: offers one PostgreSQL server to all of them, whatever process they are in. */
export function setup(project: TestProject): () => Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'mcpworks-offer-'))
  const socket = join(directory, 'socket')
  let starting: Promise<PostgresCluster> | null = null
  const server = createServer((connection) => {
    connection.on('error', () => connection.destroy())
    starting ??= startPostgresCluster()
    starting.then(
      (cluster) => connection.end(JSON.stringify({ url: cluster.url() })),
      (error: unknown) => connection.end(JSON.stringify({ problem: String(error) })),
    )
  }).listen(socket)
  project.provide('postgresOffer', socket)
  return async () => {
    server.close()
    await starting?.then((cluster) => cluster.close()).catch(() => undefined)
    rmSync(directory, { recursive: true, force: true })
  }
}
