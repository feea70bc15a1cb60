import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A new directory that is gone when the running test file is. */
export function keptDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
  afterAll(() => rmSync(path, { recursive: true, force: true }))
  return path
}
