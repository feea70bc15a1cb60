/**
 * Reads a hosted function's signature without running it: JSON Schemas from TypeScript types, text from doc comments.
 * Runs in the sandbox, beside a folder `source/` that holds the function's files, which it only parses. What it returns
 * is still hostile input to the server, because a file that breaks the parser could decide what comes out.
 */
import { parseDocComment } from './jsdoc.ts'
import { child, childList, docCommentOf, literalOf, nameOf, type SyntaxNode } from './syntax-tree.ts'
import { DerivationProblem, TypeScriptModule, type Declaration } from './typescript-module.ts'
import { TypeReader, type Schema } from './typescript-types.ts'

type Section = 'entry' | 'input' | 'output'
type Row = DerivationProblem['row'] & { readonly section: Section }

interface Signature {
  readonly description: string | null
  readonly inputSchema: Schema | null
  readonly outputSchema: Schema | null
  readonly problems: readonly Row[]
}

/** The signature of `input.entry` in `input.file`. */
export function derive(input: { readonly file: string; readonly entry: string }): Signature {
  const problems: Row[] = []
  const guarded = <T>(section: Section, work: () => T): T | null => {
    try {
      return work()
    } catch (error) {
      problems.push({ ...rowOf(error, input.file), section })
      return null
    }
  }
  const found = guarded('entry', () => findFunction(new TypeScriptModule(input.file), input.entry))
  if (found === null) return { description: null, inputSchema: null, outputSchema: null, problems }
  const comment = parseDocComment(docCommentOf(found.statement))
  const inputSchema = guarded('input', () => inputOf(found, comment.parameters))
  const outputSchema = guarded('output', () => outputOf(found))
  return { description: comment.description, inputSchema, outputSchema, problems }
}

function rowOf(error: unknown, file: string): DerivationProblem['row'] {
  if (error instanceof DerivationProblem) return error.row
  if (error instanceof RangeError)
    return { file, line: 1, column: 1, message: 'the file is nested too deeply', hint: null }
  const { loc, message } = error as { loc?: { line: number; column: number }; message?: unknown }
  if (loc === undefined) throw error
  // The parser writes the place into its message as well.
  const text = String(message)
    .replace(/\s*\(\d+:\d+\)$/, '')
    .slice(0, 1000)
  return { file, line: loc.line, column: loc.column + 1, message: text, hint: null }
}

function findFunction(module: TypeScriptModule, entry: string): Declaration {
  const found = module.exported.has(entry) ? module.find(entry) : null
  if (found !== null && functionOf(found.node) !== null) return found
  const inFile = module.find(entry)
  if (inFile !== null && functionOf(inFile.node) !== null)
    throw new DerivationProblem(module.file, inFile.node, `${entry} is not exported`, 'write export in front of it')
  const names = [...module.exported].slice(0, 10)
  throw new DerivationProblem(
    module.file,
    null,
    `the file exports no function ${entry}`,
    names.length === 0 ? `write export function ${entry}(input: ...)` : `the file exports: ${names.join(', ')}`,
  )
}

/** The function itself, for `function f() {}` and `const f = () => {}`. */
function functionOf(node: SyntaxNode): SyntaxNode | null {
  const candidate = node.type === 'VariableDeclarator' ? child(node, 'init') : node
  return candidate !== null &&
    ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(candidate.type)
    ? candidate
    : null
}

function inputOf({ node, module }: Declaration, descriptions: ReadonlyMap<string, string>): Schema {
  const parameters = childList(functionOf(node), 'params')
  const [first, second] = parameters
  if (second !== undefined)
    throw new DerivationProblem(
      module.file,
      second,
      'a function gets one object, not several arguments',
      'write (input: { a: string; b: number })',
    )
  if (first === undefined) return { type: 'object', properties: {}, additionalProperties: false }
  const parameter = first.type === 'AssignmentPattern' ? child(first, 'left') : first
  const annotation = child(parameter, 'typeAnnotation')
  if (annotation === null)
    throw new DerivationProblem(
      module.file,
      first,
      'the parameter has no type',
      'write for example (input: { n: number })',
    )
  const schema = new TypeReader(false).schema(module, annotation)
  if (schema['type'] !== 'object')
    throw new DerivationProblem(module.file, annotation, 'input is always an object', 'write an interface or { ... }')
  const properties = (schema['properties'] ?? {}) as { [name: string]: Schema }
  for (const [name, text] of descriptions) {
    if (Object.hasOwn(properties, name) && text !== '') properties[name] = { description: text, ...properties[name] }
  }
  for (const property of childList(parameter, 'properties')) {
    const name = nameOf(child(property, 'key'))
    const value = child(property, 'value')
    const standard = value?.type === 'AssignmentPattern' ? literalOf(child(value, 'right')) : null
    if (name !== null && standard !== null && Object.hasOwn(properties, name))
      properties[name] = { ...properties[name], default: standard.value }
  }
  return schema
}

function outputOf({ node, module }: Declaration): Schema | null {
  const annotation = child(child(functionOf(node), 'returnType'), 'typeAnnotation')
  const [promised] =
    annotation?.type === 'TSTypeReference' && nameOf(child(annotation, 'typeName')) === 'Promise'
      ? childList(child(annotation, 'typeArguments'), 'params')
      : [annotation]
  if (
    promised === null ||
    promised === undefined ||
    promised.type === 'TSVoidKeyword' ||
    promised.type === 'TSUndefinedKeyword'
  )
    return null
  const schema = new TypeReader(true).schema(module, promised)
  return Object.keys(schema).length === 0 ? null : schema
}
