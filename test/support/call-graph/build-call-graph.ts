import { SyntaxKind, type Expression, type Node } from 'typescript/unstable/ast'
import { SignatureKind, SymbolFlags, type Checker, type Symbol, type Type } from 'typescript/unstable/sync'
import { nameNode } from './name-node.ts'
import type { SourceProgram } from './read-program.ts'

/** Who can bring whom to run. Names are those of `nameNode`. */
export interface CallGraph {
  /** Functions only: what can be run. */
  readonly functions: ReadonlySet<string>
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>
  /** Functions that a clock calls. */
  readonly timers: ReadonlySet<string>
}

/** An identifier that stands for a value, and the names from which it is reached. */
interface Reference {
  readonly node: Node
  readonly from: readonly string[]
}

const functionKinds = new Set<SyntaxKind>([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.ArrowFunction,
  SyntaxKind.FunctionExpression,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
  SyntaxKind.Constructor,
])

const signatureKinds = new Set<SyntaxKind>([
  SyntaxKind.MethodSignature,
  SyntaxKind.PropertySignature,
  SyntaxKind.FunctionType,
  SyntaxKind.CallSignature,
])

/** What holds no values. */
const typeKinds = new Set<SyntaxKind>([
  SyntaxKind.ImportDeclaration,
  SyntaxKind.ExportDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.TypeReference,
  SyntaxKind.TypeLiteral,
  SyntaxKind.FunctionType,
])

/**
 * Builds the graph of calls from the types, on the safe side: whoever mentions a function reaches it, and whoever calls
 * a member of an interface reaches everything in these sources that is given where that interface is asked for. What
 * implements a member is reached through that member only, not by whoever makes the object: making a port is not using
 * it. Looks into `files` only. Does not see what is reached by a name that is put together at run time.
 */
export function buildCallGraph(program: SourceProgram, files = program.files): CallGraph {
  const { checker } = program
  const edges = new Map<string, Set<string>>()
  const functions = new Set<string>()
  const timers = new Set<string>()
  const references: Reference[] = []
  const contexts = new Map<Node, readonly Type[]>()
  const nameOf = remember((node: Node): string => nameNode(node, program.pathOf(node)))
  const signaturesOfPart = remember((type: Type): string[] =>
    checker.getSignaturesOfType(type, SignatureKind.Call).flatMap(({ declaration }) => {
      const node = declaration === undefined ? null : program.declarationOf(declaration)
      return node === null || givesWhatItIsGiven(node) ? [] : [nameOf(node)]
    }),
  )
  const partsOf = (type: Type): readonly Type[] => (type.isUnionType() ? (type.getTypes() ?? []) : [type])
  const types = new Map<Symbol, Type | undefined>()
  const typeOf = (symbol: Symbol): Type | undefined => {
    if (!types.has(symbol)) types.set(symbol, checker.getTypeOfSymbol(symbol))
    return types.get(symbol)
  }
  const rememberTypes = (asked: ReadonlySet<Symbol | undefined>): void => {
    const list = [...asked].filter((symbol) => symbol !== undefined)
    checker.getTypeOfSymbol(list).forEach((type, index) => types.set(list[index] as Symbol, type))
  }

  function add(from: string, to: string): void {
    let targets = edges.get(from)
    if (targets === undefined) edges.set(from, (targets = new Set()))
    if (from !== to) targets.add(to)
  }

  /** Names of what a symbol stands for, as far as it can be called or holds what can. */
  const targetsOf = remember((symbol: Symbol): string[] => {
    const real = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    return real.declarations.flatMap((handle) => {
      const node = program.declarationOf(handle)
      return node !== null && isNode(node) ? [nameOf(node)] : []
    })
  })

  /** Declarations of these sources whose signature a function would have to fit. */
  function signaturesOf(type: Type | undefined): string[] {
    return type === undefined ? [] : partsOf(type).flatMap(signaturesOfPart)
  }

  /** What an object literal must be. */
  function contextOf(object: Node): readonly Type[] {
    let asked = contexts.get(object)
    if (asked === undefined) {
      const type = checker.getContextualType(object as Expression)
      asked = type === undefined ? [] : partsOf(type)
      contexts.set(object, asked)
    }
    return asked
  }
  /** Members of interfaces that the property of an object stands for. */
  const membersOf = (property: Node, object: Node): string[] =>
    contextOf(object).flatMap((part) => membersNamed(part, nameText(property)))

  /** The same, where the member can be called: the value is then what answers. */
  const callablesOf = (property: Node, object: Node): string[] =>
    contextOf(object).flatMap((part) => {
      const member = checker.getPropertyOfType(part, nameText(property))
      return member !== undefined && isCallable(member) ? membersNamed(part, nameText(property)) : []
    })

  const isCallable = remember((symbol: Symbol): boolean => {
    const type = typeOf(symbol)
    return (
      type !== undefined &&
      partsOf(type).some((part) => checker.getSignaturesOfType(part, SignatureKind.Call).length > 0)
    )
  })

  function membersNamed(type: Type, name: string): string[] {
    const member = checker.getPropertyOfType(type, name)
    return member === undefined ? [] : [...targetsOf(member), ...signaturesOf(typeOf(member))]
  }

  function visitFunction(node: Node, owner: string): void {
    const name = nameOf(node)
    functions.add(name)
    const asked = implementedBy(node)
    for (const member of asked) add(member, name)
    if (isArgument(node) || (asked.length === 0 && !isFoundByName(node))) add(owner, name)
    node.forEachChild((child) => visit(child, name, []))
  }

  /** What of an interface the function is; empty where it is nobody's but its maker's. */
  function implementedBy(node: Node): string[] {
    const { parent } = node
    if (node.kind === SyntaxKind.MethodDeclaration || node.kind === SyntaxKind.GetAccessor) {
      if (parent.kind === SyntaxKind.ObjectLiteralExpression) return membersOf(node, parent)
      return heritageOf(parent).flatMap((type) => membersNamed(type, nameText(node)))
    }
    if (node.kind !== SyntaxKind.ArrowFunction && node.kind !== SyntaxKind.FunctionExpression) return []
    const member = parent.kind === SyntaxKind.PropertyAssignment ? membersOf(parent, parent.parent) : []
    return [...member, ...signaturesOf(checker.getContextualType(node as Expression))]
  }

  function heritageOf(classNode: Node): Type[] {
    const found: Type[] = []
    classNode.forEachChild((clause) => {
      if (clause.kind !== SyntaxKind.HeritageClause) return
      clause.forEachChild((base) => {
        const type = checker.getTypeAtLocation(base)
        if (type !== undefined) found.push(type)
      })
    })
    return found
  }

  /** `also` are members of interfaces whose value this expression is. */
  function visit(node: Node, owner: string, also: readonly string[]): void {
    if (typeKinds.has(node.kind)) return
    if (functionKinds.has(node.kind)) return visitFunction(node, owner)
    if (node.kind === SyntaxKind.VariableDeclaration && isModuleLevel(node)) {
      const name = nameOf(node)
      add(owner, name)
      node.forEachChild((child) => visit(child, name, []))
      return
    }
    if (node.kind === SyntaxKind.ClassDeclaration) {
      const name = nameOf(node)
      node.forEachChild((child) => visit(child, name, []))
      return
    }
    if (node.kind === SyntaxKind.PropertyAssignment || node.kind === SyntaxKind.ShorthandPropertyAssignment) {
      const members = canBeFunction(node) ? callablesOf(node, node.parent) : []
      node.forEachChild((child) => visit(child, owner, members))
      return
    }
    if (node.kind === SyntaxKind.Identifier || node.kind === SyntaxKind.StringLiteral)
      references.push({ node, from: [owner, ...also] })
    if (node.kind === SyntaxKind.ElementAccessExpression) {
      // A member chosen at run time: any of those that fit.
      for (const target of signaturesOf(checker.getTypeAtLocation(node)))
        for (const from of [owner, ...also]) add(from, target)
    }
    if (node.kind === SyntaxKind.CallExpression) {
      if (isTimer(node)) {
        timers.add(`${nameOf(node.getSourceFile())} timer`)
        node.forEachChild((child) => visit(child, `${nameOf(node.getSourceFile())} timer`, []))
      }
      const declaration = checker.getResolvedSignature(node)?.declaration
      const called = declaration === undefined ? null : program.declarationOf(declaration)
      if (called !== null && isNode(called)) for (const from of [owner, ...also]) add(from, nameOf(called))
    }
    node.forEachChild((child) => visit(child, owner, also))
  }

  for (const file of files) {
    const name = nameOf(file)
    functions.add(name)
    file.forEachChild((node) => visit(node, name, []))
  }
  const symbols = checker
    .getSymbolAtLocation(references.map(({ node }) => node))
    .map((symbol, index) => symbolOf(checker, references[index]?.node, symbol))
  rememberTypes(new Set(symbols.filter((symbol, index) => symbol !== undefined && isWhole(references[index]?.node))))
  references.forEach(({ node, from }, index) => {
    const symbol = symbols[index]
    if (symbol === undefined) return
    const named = targetsOf(symbol)
    // A variable that holds a function: whoever mentions it reaches what its type was declared as.
    const targets = named.length > 0 || !isWhole(node) ? named : signaturesOf(typeOf(symbol))
    for (const target of targets) for (const source of from) add(source, target)
    if (targets.length === 0 || isCallee(node)) return
    // A function that is handed on is called by whoever calls what it is handed on as.
    for (const asked of signaturesOf(checker.getContextualType(handedOn(node))))
      for (const target of targets) add(asked, target)
  })
  return { functions, edges, timers }
}

function remember<Key, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined || known.has(key)) return found as Value
    const value = compute(key)
    known.set(key, value)
    return value
  }
}

function isNode(node: Node): boolean {
  if (functionKinds.has(node.kind) || signatureKinds.has(node.kind) || node.kind === SyntaxKind.ClassDeclaration)
    return true
  if (node.kind === SyntaxKind.PropertyAssignment || node.kind === SyntaxKind.VariableDeclaration)
    return isModuleLevel(node) || isFunctionValue(node)
  return false
}

/** Functions that nobody reaches but by mentioning them. What a library calls is reached by whoever gives it to the library. */
function isFoundByName({ kind, parent }: Node): boolean {
  if (kind === SyntaxKind.FunctionDeclaration) return true
  if (kind !== SyntaxKind.MethodDeclaration || parent.kind !== SyntaxKind.ClassDeclaration) return false
  return (parent as Node & { heritageClauses?: readonly Node[] }).heritageClauses === undefined
}

/** A call of the clock, outside of what it is given. */
function isTimer(node: Node): boolean {
  const { expression } = node as Node & { expression: Node & { text?: string } }
  return ['setInterval', 'setTimeout', 'setImmediate'].includes(expression.text ?? '')
}

/**
 * Whether a function type answers a type parameter of what takes it: `run<T>(work: () => Promise<T>): Promise<T>`. It is
 * run there and then for whoever gives it, so what takes it is not said to reach all that anybody gives it.
 */
function givesWhatItIsGiven(node: Node): boolean {
  const answer = (node as Node & { type?: Node }).type?.getText().replace(/^Promise<(.*)>$/, '$1')
  for (let at = node.parent; answer !== undefined && at !== undefined; at = at.parent) {
    const { typeParameters } = at as Node & { typeParameters?: readonly (Node & { name: { text: string } })[] }
    if (typeParameters?.some(({ name }) => name.text === answer) === true) return true
  }
  return false
}

/** Whoever hands a function to a call has it run, whatever the called one says that it takes. */
function isArgument({ parent }: Node): boolean {
  return parent.kind === SyntaxKind.CallExpression || parent.kind === SyntaxKind.NewExpression
}

/** Values that are no function whatever is asked for; left out because asking the compiler takes its time. */
const plainValues = new Set<SyntaxKind>([
  SyntaxKind.StringLiteral,
  SyntaxKind.NumericLiteral,
  SyntaxKind.TrueKeyword,
  SyntaxKind.FalseKeyword,
  SyntaxKind.NullKeyword,
  SyntaxKind.TemplateExpression,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.ObjectLiteralExpression,
  SyntaxKind.ArrayLiteralExpression,
  SyntaxKind.PrefixUnaryExpression,
])

function canBeFunction(property: Node): boolean {
  const { initializer } = property as Node & { initializer?: Node }
  return initializer === undefined || !plainValues.has(initializer.kind)
}

function isFunctionValue(node: Node): boolean {
  const { initializer } = node as Node & { initializer?: Node }
  return initializer !== undefined && functionKinds.has(initializer.kind)
}

/** A declaration whose value is made when the module is loaded. */
function isModuleLevel(node: Node): boolean {
  if (node.kind !== SyntaxKind.VariableDeclaration) return false
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (functionKinds.has(at.kind) || at.kind === SyntaxKind.Block) return false
  }
  return true
}

function symbolOf(checker: Checker, node: Node | undefined, found: Symbol | undefined): Symbol | undefined {
  return node?.parent.kind === SyntaxKind.ShorthandPropertyAssignment
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : found
}

/** Whether an identifier is the whole value, and not an object whose member is meant, or a name that is declared. */
function isWhole(node: Node | undefined): boolean {
  if (node === undefined) return false
  const { parent } = node
  if (parent.kind === SyntaxKind.PropertyAccessExpression) return (parent as Node & { name: Node }).name === node
  return (parent as Node & { name?: Node }).name !== node || parent.kind === SyntaxKind.ShorthandPropertyAssignment
}

function isCallee(node: Node): boolean {
  const at = handedOn(node)
  const { parent } = at
  return parent.kind === SyntaxKind.CallExpression && (parent as Node & { expression: Node }).expression === at
}

/** The whole expression that an identifier names: `a.b` for the `b` of it. */
function handedOn(node: Node): Expression {
  const { parent } = node
  const isName = parent.kind === SyntaxKind.PropertyAccessExpression && (parent as Node & { name: Node }).name === node
  return (isName ? parent : node) as Expression
}

function nameText(node: Node): string {
  return (node as Node & { name?: { text?: string } }).name?.text ?? ''
}
