import { createRequire } from 'node:module'

export async function load(name: string): Promise<unknown> {
  const require = createRequire(import.meta.url) // expect: mcpworks(no-hidden-import)
  return [
    await import(name), // expect: mcpworks(no-hidden-import)
    require('node:net') as unknown, // expect: mcpworks(no-hidden-import)
    process.getBuiltinModule('node:net'), // expect: mcpworks(no-hidden-import)
    await import('./print.ts'),
  ]
}
