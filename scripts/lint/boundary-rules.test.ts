import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { folders } from './boundary-rules.ts'

/** The rows of the folder table in design/architecture.md: folder, and what its last column says. */
function tableRows(): readonly (readonly [string, string])[] {
  const page = readFileSync(new URL('../../design/architecture.md', import.meta.url), 'utf8')
  return [...page.matchAll(/^\| `src\/(\w+)` \|.*\| ([^|]+) \|$/gm)].map(([, folder = '', cell = '']) => [folder, cell])
}

/** What a cell of the table means, as folders. */
function foldersOf(folder: string, cell: string): readonly string[] {
  const all = Object.keys(folders).filter((name) => name !== folder)
  if (cell === 'all but cli') return all.filter((name) => name !== 'cli')
  return cell.split(/[,;] /).filter((name) => all.includes(name))
}

describe('the boundary rules', () => {
  it('have every folder of the table in design/architecture.md, and no other', () => {
    expect(Object.keys(folders).toSorted()).toEqual(
      tableRows()
        .map(([folder]) => folder)
        .toSorted(),
    )
  })

  it.each(tableRows())('let src/%s import what the table says: %s', (folder, cell) => {
    expect(folders[folder]?.toSorted()).toEqual(foldersOf(folder, cell).toSorted())
  })
})
