import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { killExporter } from '../support/killed-exporter.ts'

it('sends every record in its order, however often it is killed', async ({ onTestFinished }) => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const points = Array.from({ length: 40 }, () => 1 + Math.floor(Math.random() ** 2 * 400))
  const { log, acknowledged, told, lines } = await killExporter(directory, points)
  expect([...new Set(told)], `killed after ${points.join(', ')} lines`).toEqual(log)
  // What is in a file can be seen, so that nothing is there twice.
  expect(lines).toEqual(log)
  expect(acknowledged.filter((id) => !log.includes(id))).toEqual([])
})
