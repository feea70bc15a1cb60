import { parseDocComment, type DocComment } from './jsdoc.ts'
import { child, childList, docCommentOf, literalOf, nameOf, type SyntaxNode } from './syntax-tree.ts'
import { DerivationProblem, type TypeScriptModule } from './typescript-module.ts'

/** A JSON Schema that is being put together. */
export type Schema = { [keyword: string]: unknown }

const keywords: Readonly<Record<string, Schema>> = {
  TSStringKeyword: { type: 'string' },
  TSNumberKeyword: { type: 'number' },
  TSBooleanKeyword: { type: 'boolean' },
  TSNullKeyword: { type: 'null' },
  TSObjectKeyword: { type: 'object' },
  TSAnyKeyword: {},
  TSUnknownKeyword: {},
}
const lists = new Set(['Array', 'ReadonlyArray'])
const maximumDepth = 16
const giveSchema = 'give the schema in service.yaml'

/** Turns types into schemas. Inputs are closed objects; outputs may hold more than they say. */
export class TypeReader {
  readonly #isOutput: boolean
  readonly #open: SyntaxNode[] = []

  constructor(isOutput: boolean) {
    this.#isOutput = isOutput
  }

  /** @throws DerivationProblem where the type has no JSON form. */
  schema(module: TypeScriptModule, node: SyntaxNode | null, depth = 0): Schema {
    if (node === null) throw new DerivationProblem(module.file, node, 'a type is missing')
    if (depth > maximumDepth)
      throw new DerivationProblem(module.file, node, 'the type is nested too deeply', giveSchema)
    const keyword = keywords[node.type]
    if (keyword !== undefined) return { ...keyword }
    switch (node.type) {
      case 'TSTypeAnnotation':
      case 'TSParenthesizedType':
        return this.schema(module, child(node, 'typeAnnotation'), depth)
      case 'TSTypeOperator':
        if (node['operator'] === 'readonly') return this.schema(module, child(node, 'typeAnnotation'), depth)
        break
      case 'TSArrayType':
        return { type: 'array', items: this.schema(module, child(node, 'elementType'), depth + 1) }
      case 'TSTupleType': {
        const items = childList(node, 'elementTypes').map((item) =>
          this.schema(module, item.type === 'TSNamedTupleMember' ? child(item, 'elementType') : item, depth + 1),
        )
        return { type: 'array', prefixItems: items, minItems: items.length, maxItems: items.length }
      }
      case 'TSLiteralType': {
        const literal = literalOf(child(node, 'literal'))
        return literal === null ? { type: 'string' } : enumOf([literal.value])
      }
      case 'TSUnionType':
        return this.#union(
          module,
          childList(node, 'types').filter((member) => member.type !== 'TSUndefinedKeyword'),
          depth,
        )
      case 'TSIntersectionType':
        return this.#merge(module, node, childList(node, 'types'), depth)
      case 'TSTypeLiteral':
        return this.#object(module, childList(node, 'members'), depth)
      case 'TSTypeReference':
        return this.#reference(module, node, depth)
    }
    throw new DerivationProblem(module.file, node, 'this type cannot be turned into a JSON Schema', giveSchema)
  }

  #reference(module: TypeScriptModule, node: SyntaxNode, depth: number): Schema {
    const name = nameOf(child(node, 'typeName')) ?? ''
    const parameters = childList(child(node, 'typeArguments') ?? child(node, 'typeParameters'), 'params')
    const [first = null, second = null] = parameters
    const found = module.find(name)
    if (found === null) return this.#builtin(module, node, name, first, second, depth)
    const { node: declared, module: home } = found
    if (child(declared, 'typeParameters') !== null)
      throw new DerivationProblem(module.file, node, `${name} is generic`, giveSchema)
    if (this.#open.includes(declared)) {
      throw new DerivationProblem(module.file, node, `${name} refers to itself`, `${giveSchema}, with $ref`)
    }
    this.#open.push(declared)
    try {
      if (declared.type === 'TSTypeAliasDeclaration')
        return this.schema(home, child(declared, 'typeAnnotation'), depth + 1)
      if (declared.type === 'TSInterfaceDeclaration') return this.#interface(home, declared, depth + 1)
    } finally {
      this.#open.pop()
    }
    throw new DerivationProblem(
      module.file,
      node,
      `${name} is neither an interface nor a type`,
      'write an interface, or a union of literals',
    )
  }

  #builtin(
    module: TypeScriptModule,
    node: SyntaxNode,
    name: string,
    first: SyntaxNode | null,
    second: SyntaxNode | null,
    depth: number,
  ): Schema {
    if (lists.has(name)) return { type: 'array', items: this.schema(module, first, depth + 1) }
    if (name === 'Readonly') return this.schema(module, first, depth + 1)
    if (name === 'Promise' && this.#isOutput) return this.schema(module, first, depth + 1)
    if (name === 'Date' && this.#isOutput) return { type: 'string', format: 'date-time' }
    if (name === 'Partial') {
      const schema = this.schema(module, first, depth + 1)
      delete schema['required']
      return schema
    }
    if (name === 'Record') {
      const keys = this.schema(module, first, depth + 1)
      const value = this.schema(module, second, depth + 1)
      if (!Array.isArray(keys['enum'])) return { type: 'object', additionalProperties: value }
      const names = keys['enum'].map(String)
      return this.#closed({
        type: 'object',
        properties: Object.fromEntries(names.map((key) => [key, value])),
        required: names,
      })
    }
    if (name === 'Pick' || name === 'Omit') {
      const schema = this.schema(module, first, depth + 1)
      const keys = new Set([this.schema(module, second, depth + 1)['enum']].flat())
      const kept = (key: string): boolean => keys.has(key) === (name === 'Pick')
      const properties = Object.fromEntries(
        Object.entries((schema['properties'] ?? {}) as Schema).filter(([key]) => kept(key)),
      )
      return { ...schema, properties, required: ((schema['required'] ?? []) as string[]).filter(kept) }
    }
    const hint = this.#isOutput
      ? null
      : 'arguments arrive as JSON: write string, number, boolean, arrays, literals and interfaces of these'
    throw new DerivationProblem(
      module.file,
      node,
      `the type ${name} is not known in these files, or has no JSON form`,
      hint,
    )
  }

  #union(module: TypeScriptModule, members: readonly SyntaxNode[], depth: number): Schema {
    const schemas = members.map((member) => this.schema(module, member, depth + 1))
    const values = schemas.flatMap((schema): unknown[] => (Array.isArray(schema['enum']) ? schema['enum'] : []))
    const others = schemas.filter((schema) => !Array.isArray(schema['enum']))
    const parts = [...(values.length > 0 ? [enumOf([...new Set(values)])] : []), ...others]
    const [only] = parts
    if (parts.some((part) => Object.keys(part).length === 0)) return {}
    if (only !== undefined && parts.length === 1) return only
    if (parts.every((part) => Object.keys(part).join() === 'type'))
      return { type: [...new Set(parts.flatMap((part) => part['type']))] }
    return { anyOf: parts }
  }

  #merge(module: TypeScriptModule, node: SyntaxNode, members: readonly SyntaxNode[], depth: number): Schema {
    const properties: Schema = {}
    const required = new Set<string>()
    for (const member of members) {
      const schema = this.schema(module, member, depth + 1)
      if (schema['type'] !== 'object')
        throw new DerivationProblem(module.file, node, 'only objects can be intersected', giveSchema)
      Object.assign(properties, schema['properties'])
      for (const name of (schema['required'] ?? []) as string[]) required.add(name)
    }
    return this.#closed({ type: 'object', properties, ...(required.size === 0 ? {} : { required: [...required] }) })
  }

  #interface(module: TypeScriptModule, node: SyntaxNode, depth: number): Schema {
    const own = this.#object(module, childList(child(node, 'body'), 'body'), depth)
    const parents = childList(node, 'extends').map((heritage) => {
      const name = nameOf(child(heritage, 'expression'))
      const found = name === null ? null : module.find(name)
      if (found?.node.type !== 'TSInterfaceDeclaration' || depth > maximumDepth) {
        throw new DerivationProblem(
          module.file,
          heritage,
          `${name ?? 'the parent'} is no interface of these files`,
          giveSchema,
        )
      }
      return this.#interface(found.module, found.node, depth + 1)
    })
    const all = [...parents, own]
    const required = all.flatMap((schema) => (schema['required'] ?? []) as string[])
    return {
      ...own,
      properties: Object.assign({}, ...all.map((schema) => schema['properties'])) as Schema,
      ...(required.length === 0 ? {} : { required: [...new Set(required)] }),
    }
  }

  #object(module: TypeScriptModule, members: readonly SyntaxNode[], depth: number): Schema {
    const properties: Schema = {}
    const required: string[] = []
    let others: Schema | null = null
    for (const member of members) {
      if (member.type === 'TSIndexSignature') {
        others = this.schema(module, child(member, 'typeAnnotation'), depth + 1)
        continue
      }
      const name = nameOf(child(member, 'key'))
      if (member.type !== 'TSPropertySignature' || name === null || member['computed'] === true) {
        throw new DerivationProblem(module.file, member, 'only plain properties have a JSON form', giveSchema)
      }
      const annotation = child(child(member, 'typeAnnotation'), 'typeAnnotation')
      const schema = this.schema(module, annotation, depth + 1)
      properties[name] = { ...schema, ...documented(parseDocComment(docCommentOf(member)), schema) }
      const maybeUndefined = childList(annotation, 'types').some((part) => part.type === 'TSUndefinedKeyword')
      if (member['optional'] !== true && !maybeUndefined) required.push(name)
    }
    const schema: Schema = { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
    return others === null ? this.#closed(schema) : { ...schema, additionalProperties: others }
  }

  #closed(schema: Schema): Schema {
    return this.#isOutput ? schema : { ...schema, additionalProperties: false }
  }
}

const numberTags = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
]

/** What a doc comment adds to the schema of a property. */
function documented(comment: DocComment, schema: Schema): Schema {
  const added: Schema = {}
  if (comment.description !== null) added['description'] = comment.description
  for (const tag of numberTags) {
    const text = comment.tags.get(tag)
    if (text !== undefined && text !== '' && Number.isFinite(Number(text))) added[tag] = Number(text)
  }
  if (comment.tags.has('integer') && schema['type'] === 'number') added['type'] = 'integer'
  for (const tag of ['pattern', 'format']) if (comment.tags.has(tag)) added[tag] = comment.tags.get(tag)
  if (comment.tags.has('deprecated')) added['deprecated'] = true
  const standard = comment.tags.get('default')
  if (standard !== undefined) added['default'] = jsonOrText(standard)
  return added
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text.replace(/^(['"`])(.*)\1$/, '$2')
  }
}

function enumOf(values: readonly unknown[]): Schema {
  const types = new Set(values.map((value) => (value === null ? 'null' : typeof value)))
  return types.size === 1 ? { type: [...types][0], enum: values } : { enum: values }
}
