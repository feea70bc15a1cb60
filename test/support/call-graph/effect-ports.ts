import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Ports by which something happens or is shown, beside those of storage: what may be called is what was decided. */
const otherPorts = [
  'Backend',
  'DecisionReader',
  'GuardedFetch',
  'GuardedStream',
  'Handler',
  'MasterKey',
  'MutableCatalogue',
  'PolicyEngine',
  'Sandbox',
  'UpstreamVault',
  'WebFetch',
]

/** Files and interfaces that say what storage is made of. */
const storageParts = [
  ['open-storage.ts', 'Storage'],
  ['sql-stores.ts', 'StateStores'],
] as const

/** Members that change nothing and tell nothing of anybody: how a part is, and what the policies say. */
const withoutEffect = new Set([
  'DecisionLog.health',
  'PolicyEngine.check',
  'PolicyEngine.decide',
  'PolicyEngine.explain',
  'PolicyEngine.explainAccess',
  'PolicyEngine.isVisible',
  'PolicyEngine.isWorking',
  'PolicyEngine.policySetHash',
  'Sandbox.describe',
  'Sandbox.isReady',
])

/** Names of the interfaces by which effects are caused: every part of `Storage`, and those above. */
export function effectPorts(root: string): ReadonlySet<string> {
  const stores = storageParts.flatMap(([file, name]) => {
    const text = readFileSync(join(root, 'src/storage', file), 'utf8')
    const members = new RegExp(`export interface ${name}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(text)?.[1] ?? ''
    return [...members.matchAll(/readonly \w+: ([\w &]+)/g)].flatMap((found) => (found[1] as string).split(' & '))
  })
  // Which of several servers is active is told to parts of the server, and changed by none of them. What is no interface
  // is a figure or a list: it does nothing.
  const isPort = (name: string): boolean => /^[A-Z]/.test(name) && name !== 'ActiveRole'
  return new Set([...stores.filter(isPort), ...otherPorts])
}

/** The effect that a name of the call graph stands for, such as `PolicyStore.activate`; `null` where it is none. */
export function effectOf(name: string, ports: ReadonlySet<string>): string | null {
  const [port = '', member, ...deeper] = name.slice(name.indexOf(' ') + 1).split('.')
  if (!ports.has(port) || deeper.length > 0) return null
  const effect = member === undefined ? port : `${port}.${member}`
  return withoutEffect.has(effect) ? null : effect
}
