import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A new directory that is gone when the running test is. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
