import { nearestName } from '../kernel/index.ts'
import { decodeDesiredState, decodeText } from './decode-desired-state.ts'
import { desiredStateBounds, type SourceProblem } from './desired-state.ts'
import { namespaceFileSchema } from './namespace-file.ts'
import { parseService, type ServiceSource } from './parse-service.ts'
import { parseYaml } from './parse-yaml.ts'
import { fileProblem, sortProblems } from './source-problem.ts'

/** An agent as the directory wants it; `null` leaves what is there. */
export interface DesiredAgent {
  readonly name: string
  readonly groups: readonly string[]
  readonly description: string | null
  /** Name of a user. */
  readonly owner: string | null
  readonly senderConstrained: boolean | null
  readonly status: 'active' | 'disabled' | null
}

/** What a desired-state directory says, checked in form. */
export interface ParsedState {
  readonly namespace: string
  readonly description: string | null
  readonly agents: readonly DesiredAgent[]
  /** By file name, such as `leads.cedar`. */
  readonly policies: readonly { readonly file: string; readonly text: string }[]
  readonly services: readonly ServiceSource[]
}

/** A desired state that can be built, or everything that is wrong with it. */
export type ParsedDesiredState =
  | { readonly ok: true; readonly state: ParsedState }
  | { readonly ok: false; readonly problems: readonly SourceProblem[] }

const namespaceFile = 'namespace.yaml'
const topLevel = [namespaceFile, 'policies', 'services', 'README.md']

/**
 * Reads a desired state from any value (a request body, or what `readDesiredDirectory` gave): all its files are
 * checked and all problems are told at once. Pure. Does not look into the code, and does not validate policies: the
 * policy engine does.
 */
export function parseDesiredState(value: unknown): ParsedDesiredState {
  const decoded = decodeDesiredState(value)
  if (!decoded.ok) return decoded
  const { files } = decoded
  const problems: SourceProblem[] = []
  for (const name of new Set([...files.keys()].map((path) => path.split('/')[0] ?? ''))) {
    if (topLevel.includes(name)) continue
    const nearest = nearestName(name, topLevel)
    problems.push(
      fileProblem(
        name,
        'this has no place here',
        nearest === null ? `known here: ${topLevel.join(', ')}` : `did you mean "${nearest}"?`,
      ),
    )
  }
  const content = files.get(namespaceFile)
  const parsed = content === undefined ? missingNamespaceFile() : parseYaml(namespaceFile, content, namespaceFileSchema)
  if (!parsed.ok) problems.push(...parsed.problems)
  else {
    const names = parsed.value.agents.map((agent) => agent.name)
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index)
        problems.push(parsed.at(['agents', index, 'name'], `there are two agents named ${JSON.stringify(name)}`))
    }
  }
  const policies = parsePolicies(files, problems)
  const services = parseServices(parsed.ok ? parsed.value.namespace : '', files, problems)
  if (!parsed.ok || problems.length > 0) return { ok: false, problems: sortProblems(problems) }
  const { namespace, description, agents } = parsed.value
  return {
    ok: true,
    state: {
      namespace,
      description: description ?? null,
      agents: agents.map((agent) => ({
        name: agent.name,
        groups: [...new Set(agent.groups)],
        description: agent.description ?? null,
        owner: agent.owner ?? null,
        senderConstrained: agent.senderConstrained ?? null,
        status: agent.status ?? null,
      })),
      policies,
      services,
    },
  }
}

function missingNamespaceFile(): { ok: false; problems: SourceProblem[] } {
  return {
    ok: false,
    problems: [fileProblem(namespaceFile, 'the file is missing', 'it says at least "namespace: demo"')],
  }
}

function parsePolicies(files: ReadonlyMap<string, Uint8Array>, problems: SourceProblem[]): ParsedState['policies'] {
  const policies = []
  for (const [path, content] of files) {
    if (path !== 'policies' && !path.startsWith('policies/')) continue
    const file = path.slice('policies/'.length)
    // Cases say what policies must do (`mcpworks policy test`); they are no part of them.
    if (/^[^/]+\.cases\.yaml$/.test(file)) continue
    const text = decodeText(content)
    if (!/\.(?:cedar|rules\.yaml)$|^policies\/facts\.yaml$/.test(path) || file.includes('/'))
      problems.push(
        fileProblem(
          path,
          'policies are .cedar and .rules.yaml files and facts.yaml, directly in policies/, beside them .cases.yaml',
        ),
      )
    else if (content.length > desiredStateBounds.policyBytes)
      problems.push(
        fileProblem(path, `the file is ${content.length} bytes; at most ${desiredStateBounds.policyBytes} are taken`),
      )
    else if (text === null) problems.push(fileProblem(path, 'the file is not UTF-8 text'))
    else policies.push({ file, text })
  }
  return policies.toSorted((a, b) => (a.file < b.file ? -1 : 1))
}

function parseServices(
  namespace: string,
  files: ReadonlyMap<string, Uint8Array>,
  problems: SourceProblem[],
): ServiceSource[] {
  const folders = new Map<string, Map<string, Uint8Array>>()
  for (const [path, content] of files) {
    const [top, service = '', ...rest] = path.split('/')
    if (top !== 'services') continue
    if (rest.length === 0) {
      problems.push(fileProblem(path, 'a service is a folder: put the file into services/<service>/'))
      continue
    }
    const folder = folders.get(service) ?? new Map<string, Uint8Array>()
    folders.set(service, folder.set(rest.join('/'), content))
  }
  const services: ServiceSource[] = []
  for (const [name, folder] of [...folders].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const parsed = parseService(namespace, name, folder)
    if (parsed.ok) services.push(parsed.service)
    else problems.push(...parsed.problems)
  }
  return services
}
