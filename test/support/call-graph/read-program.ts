import type { Node, SourceFile } from 'typescript/unstable/ast'
import { API, type Checker, type NodeHandle } from 'typescript/unstable/sync'

/** Sources as the compiler sees them. */
export interface SourceProgram {
  readonly checker: Checker
  readonly files: readonly SourceFile[]
  /** The declaration behind a handle; `null` where it is none of these sources', as those of packages are. */
  declarationOf(handle: NodeHandle): Node | null
  /** Path of the node's file below the root. */
  pathOf(node: Node): string
  close(): void
}

/** Opens the program that a `tsconfig.json` describes. Only files below `root` are looked at. */
export function readProgram(root: string, configFile: string): SourceProgram {
  const api = new API({ cwd: root })
  const project = api.updateSnapshot({ openProjects: [configFile] }).getProject(configFile)
  if (project === undefined) throw new Error(`${configFile} describes no program`)
  const { program, checker } = project
  const isOurs = (file: string): boolean => file.startsWith(`${root}/`) && !file.includes('/node_modules/')
  const files = program
    .getSourceFileNames()
    .filter(isOurs)
    .map((name) => program.getSourceFile(name))
    .filter((file) => file !== undefined)
  return {
    checker,
    files,
    declarationOf: (handle) => (isOurs(handle.path) ? (handle.resolve(project) ?? null) : null),
    pathOf: (node) => node.getSourceFile().fileName.slice(root.length + 1),
    close: () => api.close(),
  }
}
