import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const loadScript = fileURLToPath(new URL('../support/audit-load.ts', import.meta.url))

/** Runs a script under strace and counts the syncs of the audit database's write-ahead log. */
function countSyncs(script: readonly string[]): number {
  const trace = join(temporaryDirectory(), 'trace')
  // -y names the file behind each descriptor.
  const strace = ['-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', trace, process.execPath, ...script]
  execFileSync('strace', strace, { stdio: ['ignore', 'ignore', 'inherit'] })
  return readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => /f(data)?sync\(/.test(line) && line.includes('audit.db-wal')).length
}

describe('the syncs of the decision log', () => {
  it('are at least one for every append of a lone caller', () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    expect(countSyncs([loadScript, dataDirectory, '1', '50'])).toBeGreaterThanOrEqual(100)
  })

  it('are shared by the appends of many callers', () => {
    const dataDirectory = join(temporaryDirectory(), 'data')
    const syncs = countSyncs([loadScript, dataDirectory, '64', '10'])
    // 64 callers append one record at a time each, 20 times: fewer rounds than that would leave one undone.
    expect(syncs).toBeGreaterThanOrEqual(20)
    expect(syncs).toBeLessThan(1280 / 4)
  })

  it('are seen to be missing where a database does not sync, so the counting works', () => {
    const path = join(temporaryDirectory(), 'audit.db')
    const script = `
      const { DatabaseSync } = require('node:sqlite')
      const database = new DatabaseSync(${JSON.stringify(path)})
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE rows (body TEXT)')
      const insert = database.prepare('INSERT INTO rows VALUES (?)')
      for (let row = 0; row < 100; row++) insert.run('x')
    `
    expect(countSyncs(['-e', script])).toBeLessThan(10)
  })

  it('refuse the whole batch when they fail, and nothing acknowledged is lost', () => {
    const script = fileURLToPath(new URL('../support/audit-on-failing-disk.ts', import.meta.url))
    const dataDirectory = join(temporaryDirectory(), 'data')
    // The first make the directory, which takes fewer than a hundred, and batches; then the disk reports errors for a while.
    const fault = 'inject=fsync,fdatasync:error=EIO:when=200..205'
    const strace = [
      '-f',
      '-e',
      'trace=fsync,fdatasync',
      '-e',
      fault,
      '-o',
      '/dev/null',
      process.execPath,
      script,
      dataDirectory,
    ]
    const outcome: unknown = JSON.parse(execFileSync('strace', strace, { encoding: 'utf8' }))
    expect(outcome).toMatchObject({
      lost: 0,
      mixedGroups: 0,
      codes: ['audit_unavailable'],
      reasons: ['the disk reports an input/output error'],
      verified: true,
    })
  })
})
