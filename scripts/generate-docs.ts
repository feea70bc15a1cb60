import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cliPage } from './docs/cli-page.ts'
import { containmentPage } from './docs/containment-page.ts'
import { configurationPage, configurationSchema } from './docs/configuration-page.ts'
import { errorsPage } from './docs/errors-page.ts'
import { recordSchemaText } from '../src/audit/index.ts'

/** Every generated page: its path, and what it must hold. */
const pages: readonly (readonly [string, () => string])[] = [
  ['docs/errors.md', errorsPage],
  ['docs/cli.md', cliPage],
  ['docs/containment.md', containmentPage],
  ['docs/configuration.md', configurationPage],
  ['docs/mcpworks.schema.json', configurationSchema],
  ['docs/record.schema.json', recordSchemaText],
]

const isCheck = process.argv.includes('--check')
for (const [path, make] of pages) {
  const wanted = make()
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) continue
  if (isCheck) {
    console.log(`${path} differs from the source that it is made from. Type: npm run fix`)
    process.exitCode = 1
  } else {
    mkdirSync('docs', { recursive: true })
    writeFileSync(path, wanted)
    console.log(`wrote ${path}`)
  }
}
