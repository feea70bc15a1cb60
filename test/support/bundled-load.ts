import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The load as one file beside those of its threads: what is started a thousand times must not be read module by module. */
export interface BundledLoad {
  readonly script: string
  remove(): void
}

/** Bundles a script of this folder. What comes with a WebAssembly module of its own stays a package. */
export async function bundleLoad(name: 'pipeline-load' | 'audit-exporting-load'): Promise<BundledLoad> {
  const cache = join(root, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'mcpworks-load-'))
  const bundle = await rolldown({
    input: {
      [name]: join(root, `test/support/${name}.ts`),
      'exporting-worker': join(root, 'src/app/exporters/exporting-worker.ts'),
      'storage-worker': join(root, 'src/storage/storage-worker.ts'),
      'postgres/log/log-worker': join(root, 'src/storage/postgres/log/log-worker.ts'),
    },
    platform: 'node',
    external: [/cedar-wasm/, 'pg-native'],
    // A package of the web server has it, as it is published.
    checks: { eval: false },
  })
  await bundle.write({ dir: directory, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' })
  return {
    script: join(directory, `${name}.js`),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
