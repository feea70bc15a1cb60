import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../..', import.meta.url))
const configurations = [
  '.oxlintrc.json',
  '.oxfmtrc.json',
  'knip.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'vitest.config.ts',
]

/** A directory that the checkers take for the project: its configuration and tools, but other sources. */
export interface CanaryTree {
  readonly directory: string
  write(path: string, text: string): void
  /** Makes the project's own file or folder part of the tree. */
  link(path: string): void
}

/**
 * Makes a tree for planted violations, in a new directory outside the project, and removes it after its use.
 *
 * @param fixture a folder of test/support/canaries whose files it begins with, or null
 */
export async function withCanaryTree<T>(
  fixture: 'lint' | 'boundaries' | null,
  use: (tree: CanaryTree) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'mcpworks-canary-'))
  try {
    for (const name of configurations) cpSync(join(project, name), join(directory, name))
    symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'))
    // Without tests: the checker of unit tests would run this very test in the tree, which makes a tree, and so on.
    const isNoTest = (path: string): boolean => !path.endsWith('.test.ts')
    for (const name of ['scripts', 'bin']) {
      cpSync(join(project, name), join(directory, name), { recursive: true, filter: isNoTest })
    }
    if (fixture !== null) cpSync(fixtureDirectory(fixture), directory, { recursive: true })
    return await use({
      directory,
      write(path, text) {
        mkdirSync(dirname(join(directory, path)), { recursive: true })
        writeFileSync(join(directory, path), text)
      },
      link: (path) => symlinkSync(join(project, path), join(directory, path)),
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** What the comments of the fixture (`// expect: RULE RULE`) say must be found, as `FILE:LINE RULE`, sorted. */
export function expectedFindings(fixture: 'lint' | 'boundaries'): readonly string[] {
  const directory = fixtureDirectory(fixture)
  return globSync('**/*.ts', { cwd: directory })
    .flatMap((file) =>
      readFileSync(join(directory, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => {
          const rules = /\/[/*] expect: (.+?)(?: \*\/.*)?$/.exec(line)?.[1]?.split(' ') ?? []
          return rules.map((rule) => `${file}:${index + 1} ${rule}`)
        }),
    )
    .toSorted()
}

function fixtureDirectory(fixture: 'lint' | 'boundaries'): string {
  return join(project, 'test', 'support', 'canaries', fixture)
}
