import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildCallGraph, type CallGraph } from '../support/call-graph/build-call-graph.ts'
import { effectOf, effectPorts } from '../support/call-graph/effect-ports.ts'
import { reach, wayTo } from '../support/call-graph/reach.ts'
import { readProgram, type SourceProgram } from '../support/call-graph/read-program.ts'
import {
  clocks,
  commandLine,
  outsideThePipeline,
  rawEffects,
  unusedInProduct,
} from '../support/call-graph/outside-the-pipeline.ts'

// I16: rules that hold at one door and not at another. There is one decision, and no way to an effect around it.

const root = resolve(import.meta.dirname, '../..')
const pipeline = 'src/gateway/pipeline.ts perform'
const planted = 'test/support/canaries/bypass/doors.ts'
const ports = effectPorts(root)
/** Effects that have effects of other ports. */
const acts = new Set(['src/gateway/backend.ts Backend.act', 'src/app/management/handler.ts Handler'])

let program: SourceProgram
let graph: CallGraph
/** Every name of the graph. */
let names: string[]
/** Effects by the names that stand for them. */
let effects: ReadonlyMap<string, string>

beforeAll(() => {
  program = readProgram(root, `${root}/test/support/canaries/bypass/tsconfig.json`)
  // Sandbox and storage lie below their ports: nobody reaches them but through those.
  const above = program.files.filter((file) => !/^src\/(?:sandbox|storage)\//.test(program.pathOf(file)))
  graph = buildCallGraph(program, above)
  const targets = [...graph.edges.values()].flatMap((found) => [...found])
  names = [...new Set([...graph.functions, ...graph.edges.keys(), ...targets])]
  effects = new Map(
    names.flatMap((name) => {
      const effect = effectOf(name, ports)
      return effect === null ? [] : [[name, effect]]
    }),
  )
})
afterAll(() => program.close())

const fileOf = (name: string): string => name.slice(0, name.indexOf(' '))

/** Effects that can be reached from `roots` without going through `decision`, each with a way to it. */
function undecided(roots: Iterable<string>, decision: readonly string[] = [pipeline]): Map<string, string> {
  const before = reach(graph, roots, new Set([...effects.keys()].filter((name) => !acts.has(name)).concat(decision)))
  return new Map([...effects].flatMap(([name, effect]) => (before.has(name) ? [[effect, wayTo(before, name)]] : [])))
}

/** The effects that each file of the doors reaches without a decision, counted from where it leaves the doors. */
function undecidedByFile(isDoor: (name: string) => boolean): Record<string, string[]> {
  const found = new Map<string, Set<string>>()
  for (const name of names.filter(isDoor)) {
    const onward = [...(graph.edges.get(name) ?? [])].filter((next) => !isDoor(next))
    for (const effect of undecided(onward).keys()) {
      const file = fileOf(name)
      found.set(file, (found.get(file) ?? new Set()).add(effect))
    }
  }
  return Object.fromEntries([...found].map(([file, some]) => [file, [...some].sort()]))
}

function callersOf(name: string): string[] {
  return [...graph.edges].flatMap(([caller, called]) => (called.has(name) ? [caller] : [])).sort()
}

describe('what can be reached around the decision', () => {
  it('is, from the pages and endpoints, what the list of exceptions gives a reason for', () => {
    const isDoor = (name: string): boolean => name.startsWith('src/http/')
    const listed = Object.fromEntries(
      Object.entries(outsideThePipeline).map(([file, { effects: some }]) => [`src/http/${file}`, [...some].sort()]),
    )
    expect(undecidedByFile(isDoor)).toEqual(listed)
  })

  it('is, for what the clock does, upkeep that nobody asks for', () => {
    const found = [...graph.timers]
      .filter((timer) => !timer.startsWith(planted))
      .map((timer) => [fileOf(timer), [...undecided([timer]).keys()].sort()] as const)
      .filter(([, some]) => some.length > 0)
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(clocks).map(([file, { effects: some }]) => [file, [...some].sort()])),
    )
  })

  it('is nothing for code in the sandbox, whatever it says or asks for', () => {
    const heard = names.filter((name) => name.startsWith('src/sandbox/sandbox.ts SandboxEvents.'))
    expect(heard).toContain('src/sandbox/sandbox.ts SandboxEvents.onCall')
    expect([...undecided(heard).values()]).toEqual([])
    // The twin: through the pipeline, code reaches what it is let.
    expect(undecided(heard, []).has('Backend.act')).toBe(true)
  })

  it('is, for the command line, what the owner of the machine can do with its files', () => {
    const roots = [...graph.functions].filter((name) => name.startsWith('src/cli/'))
    const found = undecided(roots, [pipeline, 'src/app/start.ts start'])
    expect([...found.keys()].sort()).toEqual([...commandLine.effects].sort())
  })
})

describe('the one way', () => {
  it('has one entrance, one act and one dispatch', () => {
    expect(callersOf(pipeline)).toEqual(['src/gateway/create-gateway.ts createGateway.enter'])
    expect(callersOf('src/gateway/steps/act.ts act')).toEqual([pipeline])
    expect(callersOf('src/gateway/backend.ts Backend.act')).toEqual([
      'src/gateway/steps/act.ts act',
      `${planted} runsTheBackendItself`,
    ])
    const dispatch = 'src/app/management/create-management-backend.ts dispatch'
    expect(callersOf('src/app/management/handler.ts Handler')).toContain(dispatch)
    expect(callersOf(dispatch)).toEqual(['src/app/management/create-management-backend.ts createManagementBackend.act'])
    // Where handlers are made they are mentioned; nobody else has one in hand.
    const others = callersOf('src/app/management/handler.ts Handler').map(fileOf)
    expect(others.filter((file) => !/^src\/app\/(?:management\/[\w-]+|start)\.ts$/.test(file))).toEqual([])
  })

  it('decides and records before it acts', () => {
    const text = readFileSync(`${root}/src/gateway/pipeline.ts`, 'utf8')
    const steps = ['judge(', 'await recordDecision(', "if (verdict.kind !== 'allowed') return", 'await act(']
    const places = steps.map((step) => text.indexOf(step, text.indexOf('identify(request')))
    expect(places).not.toContain(-1)
    expect(places).toEqual([...places].sort((left, right) => left - right))
  })

  it('leads to every effect that a caller can ask for', () => {
    const doors = names.filter((name) => name.startsWith('src/http/'))
    expect([...undecided(doors, []).keys()]).toEqual(
      expect.arrayContaining(['Sandbox.run', 'PolicyStore.activate', 'DecisionLog.read', 'UpstreamVault.open']),
    )
  })
})

describe('the graph itself', () => {
  it('reaches every function of the product, but for those that only tests use', () => {
    const reached = reach(
      graph,
      [...graph.functions].filter((name) => name.endsWith('(module)')),
      new Set(),
    )
    // Those of the audit folder are called by the writer, below storage; those of derive and of the kernel in the jail too.
    const isLookedAt = /^src\/(?:app|auth|egress|gateway|http|policy)\//
    const lost = [...graph.functions].filter((name) => isLookedAt.test(name) && !reached.has(name))
    expect(lost.filter((name) => !unusedInProduct.some((known) => name.startsWith(known)))).toEqual([])
  })

  it.each([
    ['addsAnAgent', 'CredentialStore.insertPrincipal'],
    ['keepsAPart', 'PolicyStore.activate'],
    ['handsItOn', 'PolicyStore.activate'],
    ['HidesItInAClass.serve', 'PolicyStore.activate'],
    ['runsTheBackendItself', 'Backend.act'],
    ['inATable', 'Sandbox.run'],
    ['picksByName', 'UpstreamVault.destroyNamespace'],
    ['goesOut', 'GuardedFetch'],
    ['readsTheLog', 'DecisionLog.readBody'],
    ['changesThePolicies', 'PolicyEngine.remove'],
    ['byTheClock', 'CredentialStore.updatePrincipal'],
  ])('finds the planted door that %s', (door, effect) => {
    const roots = names.filter((name) => name.startsWith(`${planted} ${door}`))
    expect([...undecided(roots).keys()]).toContain(effect)
  })

  it('finds nothing in the planted door that asks the pipeline', () => {
    const door = `${planted} asksThePipeline`
    expect(names).toContain(door)
    expect([...undecided([door]).values()]).toEqual([])
    expect(undecided([door], []).has('Backend.act')).toBe(true)
  })

  it('knows every port of storage', () => {
    const stores = [...ports].filter((port) => names.some((name) => name.includes(` ${port}`)))
    expect(stores.sort()).toEqual([...ports].sort())
    expect(ports.size).toBeGreaterThan(20)
  })
})

describe('effects without a port', () => {
  it('are files, sockets and processes of the parts that are listed with a reason', () => {
    const effectful =
      /^import (?!type)[^']*? from '(?:node:(?:fs|fs\/promises|child_process|cluster|net|tls|https?|http2|dgram|dns|dns\/promises|sqlite|worker_threads|vm|inspector)|undici)'/m
    const found = program.files
      .filter((file) => program.pathOf(file).startsWith('src/') && effectful.test(file.text))
      .map((file) => program.pathOf(file))
      .filter((path) => !Object.keys(rawEffects.folders).some((folder) => path.startsWith(folder)))
    expect(found.sort()).toEqual(Object.keys(rawEffects.files).sort())
  })

  it('come from nowhere else: modules are imported by name', () => {
    const hidden = program.files
      .filter((file) => /\bimport\((?!'\.\.?\/)|getBuiltinModule|process\.binding|createRequire/.test(file.text))
      .map((file) => program.pathOf(file))
    expect(hidden.filter((path) => path.startsWith('src/') && !path.startsWith('src/sandbox/'))).toEqual([])
  })
})
