import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const pages = globSync(['*.md', '{docs,design,examples,deploy}/**/*.md'], {
  cwd: root,
  exclude: ['**/node_modules/**'],
})

/** Names that headings get where pages are shown: lower case, hyphens for blanks, no punctuation. */
function anchorsOf(path: string): Set<string> {
  const prose = readFileSync(path, 'utf8').replaceAll(/^```.*?^```$/gms, '')
  return new Set(
    [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  )
}

/** Links within the project that lead nowhere. */
function brokenLinks(page: string, text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => {
      if (/^[a-z]+:/.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(root, page) : join(root, dirname(page), path)
      if (relative(root, target).startsWith('..') || !existsSync(target)) return true
      return anchor !== undefined && (!statSync(target).isFile() || !anchorsOf(target).has(anchor))
    })
}

describe('links in the documentation', () => {
  it('lead to pages and headings that there are', () => {
    expect(pages.length).toBeGreaterThan(20)
    const broken = pages.map((page) => [page, brokenLinks(page, readFileSync(join(root, page), 'utf8'))] as const)
    expect(broken.filter(([, links]) => links.length > 0)).toEqual([])
  })

  it('are found where they do not', () => {
    const text = '[a](docs/audit.md) [b](docs/nowhere.md) [c](docs/audit.md#no-such-heading) [d](https://example.org/x)'
    expect(brokenLinks('README.md', text)).toEqual(['docs/nowhere.md', 'docs/audit.md#no-such-heading'])
  })
})
