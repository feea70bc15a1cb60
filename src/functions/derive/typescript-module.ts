import { existsSync, readFileSync } from 'node:fs'
import { parse } from '@babel/parser'
import { child, childList, nameOf, textOf, type SyntaxNode } from './syntax-tree.ts'

/** Something that cannot be derived, with its place. */
export class DerivationProblem extends Error {
  readonly row: {
    readonly file: string
    readonly line: number
    readonly column: number
    readonly message: string
    readonly hint: string | null
  }

  constructor(file: string, node: SyntaxNode | null, message: string, hint: string | null = null) {
    super(message)
    this.row = { file, line: node?.loc?.start.line ?? 1, column: (node?.loc?.start.column ?? 0) + 1, message, hint }
  }
}

/** A declaration: the node itself, and the statement around it, which carries the doc comment. */
export interface Declaration {
  readonly node: SyntaxNode
  readonly statement: SyntaxNode
  readonly module: TypeScriptModule
}

const sourceFolder = new URL('./source/', import.meta.url)
const maximumImports = 16

/** One parsed file and the names at its top level. Nothing of it is run. */
export class TypeScriptModule {
  readonly file: string
  /** Names under which functions can be called from outside. */
  readonly exported = new Set<string>()
  readonly #declarations = new Map<string, Declaration>()
  readonly #imports = new Map<string, { readonly from: string; readonly name: string }>()

  /** @throws SyntaxError of the parser, with `loc`. */
  constructor(file: string) {
    this.file = file
    const tree = parse(readFileSync(new URL(file, sourceFolder), 'utf8'), {
      sourceType: 'module',
      plugins: ['typescript'],
    })
    for (const statement of childList(child(tree as unknown as SyntaxNode, 'program'), 'body')) this.#add(statement)
  }

  /** The declaration behind a name, followed through imports of the function's own files. */
  find(name: string, imports = 0): Declaration | null {
    const own = this.#declarations.get(name)
    const imported = this.#imports.get(name)
    if (own !== undefined || imported === undefined || imports === maximumImports) return own ?? null
    const path = new URL(imported.from, new URL(this.file, sourceFolder))
    if (!path.href.startsWith(sourceFolder.href)) return null
    const found = [path, new URL(`${path.href}.ts`), new URL(`${path.href}/index.ts`)].find(
      (url) => url.pathname.endsWith('.ts') && existsSync(url),
    )
    if (found === undefined) return null
    return new TypeScriptModule(decodeURIComponent(found.href.slice(sourceFolder.href.length))).find(
      imported.name,
      imports + 1,
    )
  }

  #add(statement: SyntaxNode): void {
    if (statement.type === 'ImportDeclaration') {
      for (const specifier of childList(statement, 'specifiers')) {
        const name = nameOf(child(specifier, 'imported'))
        const from = textOf(child(statement, 'source'), 'value')
        if (name !== null && from.startsWith('.'))
          this.#imports.set(textOf(child(specifier, 'local'), 'name'), { from, name })
      }
      return
    }
    const isExport = statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
    const node = isExport ? child(statement, 'declaration') : statement
    for (const specifier of childList(statement, 'specifiers')) {
      const name = nameOf(child(specifier, 'exported'))
      const from = textOf(child(statement, 'source'), 'value')
      const local = nameOf(child(specifier, 'local'))
      if (name === null || local === null) continue
      this.exported.add(name)
      if (from.startsWith('.')) this.#imports.set(name, { from, name: local })
    }
    if (node === null) return
    const declared = node.type === 'VariableDeclaration' ? childList(node, 'declarations') : [node]
    for (const declaration of declared) {
      const name = nameOf(child(declaration, 'id'))
      if (name === null) continue
      this.#declarations.set(name, { node: declaration, statement, module: this })
      if (isExport) this.exported.add(name)
    }
  }
}
