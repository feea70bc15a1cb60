import { describe, expect, it } from 'vitest'
import { desiredStateBounds } from './desired-state.ts'
import { parseDesiredState } from './parse-desired-state.ts'
import { formatProblem } from './source-problem.ts'

const python = 'def top(n: int) -> int:\n    """One."""\n    return n\n'
const minimal = { 'namespace.yaml': 'namespace: demo\n', 'services/leads/top.py': python }

function parse(files: Record<string, string>): ReturnType<typeof parseDesiredState> {
  return parseDesiredState({ files: Object.entries(files).map(([path, text]) => ({ path, text })) })
}

function problems(files: Record<string, string>): string[] {
  const parsed = parse(files)
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

function functionsOf(files: Record<string, string>): object[] {
  const parsed = parse({ ...minimal, ...files })
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.state.services.flatMap((service) =>
    service.functions.map(({ name, entry, files: shipped }) => ({ name, entry, files: [...shipped.keys()] })),
  )
}

describe('parseDesiredState', () => {
  it('reads namespace, agents with groups, policies and services', () => {
    const parsed = parse({
      ...minimal,
      'namespace.yaml':
        'namespace: demo\nagents:\n  - name: analyst\n    groups: [analysts, analysts]\n  - name: intern\n',
      'policies/leads.cedar': 'permit (principal, action, resource);',
      'README.md': 'for people',
    })
    expect(parsed).toMatchObject({
      ok: true,
      state: {
        namespace: 'demo',
        agents: [
          { name: 'analyst', groups: ['analysts'] },
          { name: 'intern', groups: [] },
        ],
        policies: [{ file: 'leads.cedar', text: 'permit (principal, action, resource);' }],
        services: [
          {
            name: 'leads',
            functions: [{ name: 'top', runtime: 'python', inputSchema: null, limits: { wallMs: 10_000 } }],
          },
        ],
      },
    })
  })

  it('reads which other tools a function may call, and looks for those of the same service', () => {
    const files = (calls: string): Record<string, string> => ({
      'services/leads/top.py': '',
      'services/leads/best.py': '',
      'services/leads/service.yaml': `functions:\n  best: { calls: ${calls} }\n`,
    })
    expect(parse({ ...minimal, ...files('[other-tool, leads-top, leads-top]') })).toMatchObject({
      ok: true,
      state: {
        services: [
          {
            functions: [
              { name: 'best', calls: ['leads-top', 'other-tool'] },
              { name: 'top', calls: [] },
            ],
          },
        ],
      },
    })
    expect(problems({ ...minimal, ...files('[leads-topp]') })).toEqual([
      expect.stringMatching(
        /service\.yaml:2.*this service has no function for "leads-topp".*did you mean "leads-top"\?/s,
      ),
    ])
    expect(problems({ ...minimal, ...files('["a b"]') })).toEqual([
      expect.stringContaining('tools are named as agents see them'),
    ])
  })

  it('reads which labels a function brings into the run of its caller', () => {
    const files = (labels: string): Record<string, string> => ({
      'services/leads/read.py': '',
      'services/leads/service.yaml': `functions:\n  read: { labels: ${labels} }\n`,
    })
    const read = { name: 'read', labels: ['personal-data', 'untrusted-input'] }
    expect(parse({ ...minimal, ...files('[untrusted-input, personal-data, untrusted-input]') })).toMatchObject({
      ok: true,
      state: { services: [{ functions: [read, { name: 'top', labels: [] }] }] },
    })
    for (const labels of ['[Untrusted]', '[""]', '["a b"]', 'untrusted-input'])
      expect(problems({ ...minimal, ...files(labels) })).toEqual([expect.stringContaining('service.yaml:2')])
  })

  it('takes each code file in the folder for a function, and ships the rest with every one of them', () => {
    const entry = (file: string): object => ({ file, name: file.replace(/\..*/, '') })
    expect(
      functionsOf({
        'services/leads/find.ts': 'export function find() {}',
        'services/leads/lib/db.py': '',
        'services/leads/data/leads.csv': 'id',
      }),
    ).toEqual([
      { name: 'find', entry: entry('find.ts'), files: ['data/leads.csv', 'find.ts', 'lib/db.py'] },
      { name: 'top', entry: entry('top.py'), files: ['data/leads.csv', 'lib/db.py', 'top.py'] },
    ])
  })

  it('takes several functions from one file that service.yaml names', () => {
    const yaml = 'functions:\n  best: { file: top.py, entry: top }\n  worst: { file: top.py, entry: bottom }\n'
    expect(functionsOf({ 'services/leads/service.yaml': yaml })).toEqual([
      { name: 'best', entry: { file: 'top.py', name: 'top' }, files: ['top.py'] },
      { name: 'worst', entry: { file: 'top.py', name: 'bottom' }, files: ['top.py'] },
    ])
  })

  it('merges limits: function over service over default', () => {
    const yaml = 'limits: { wallMs: 5000, cpuMs: 3000 }\nfunctions:\n  top:\n    limits: { cpuMs: 1000 }\n'
    const parsed = parse({ ...minimal, 'services/leads/service.yaml': yaml })
    expect(parsed).toMatchObject({
      ok: true,
      state: { services: [{ functions: [{ limits: { wallMs: 5000, cpuMs: 1000, openFiles: 64 } }] }] },
    })
  })

  it.each([
    [
      'an unknown key, with the nearest name',
      { 'namespace.yaml': 'namespace: demo\nagnets: []\n' },
      'namespace.yaml:2:1: unknown key "agnets" (did you mean "agents"?)',
    ],
    [
      'an unknown key inside a list',
      { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: ab\n    grups: []\n' },
      'namespace.yaml:4:5: unknown key "grups" (did you mean "groups"?)',
    ],
    [
      'an unknown limit',
      { 'services/leads/service.yaml': 'functions:\n  top:\n    limits:\n      wallMS: 5\n' },
      'services/leads/service.yaml:4:7: unknown key "wallMS" (did you mean "wallMs"?)',
    ],
    [
      'a wrong type',
      { 'namespace.yaml': 'namespace: demo\nagents: yes please\n' },
      'namespace.yaml:2:1: "agents": Invalid input: expected array, received string',
    ],
    [
      'a bad name',
      { 'namespace.yaml': 'namespace: Demo\n' },
      'namespace.yaml:1:1: "namespace": names are 2-40 of a-z, 0-9 and hyphen, with a letter first and no hyphen last',
    ],
    [
      'a limit beyond the bound',
      { 'services/leads/service.yaml': 'limits:\n  wallMs: 99999999\n' },
      'services/leads/service.yaml:2:3: "wallMs": Too big: expected number to be <=300000',
    ],
    [
      'two agents of one name',
      { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: ab\n  - name: ab\n' },
      'namespace.yaml:4:5: there are two agents named "ab"',
    ],
    [
      'a function without a file',
      { 'services/leads/service.yaml': 'functions:\n  topp: {}\n' },
      'services/leads/service.yaml:2:3: there is no topp.py or topp.ts beside service.yaml (did you mean "top"?)',
    ],
    [
      'a file outside the service',
      { 'services/leads/service.yaml': 'functions:\n  passwd: { file: ../../../etc/passwd }\n' },
      'services/leads/service.yaml:2:13: "../../../etc/passwd" is no .py or .ts file directly in the service\'s folder',
    ],
    [
      'a function in both languages',
      { 'services/leads/top.ts': 'export function top() {}' },
      'services/leads/top.ts: there are two functions named "top"',
    ],
    [
      'a file name that is no function name',
      { 'services/leads/Top-Leads.py': '' },
      'services/leads/Top-Leads.py: function names are 1-63 of a-z, 0-9 and underscore, with a letter first (move code that other functions import into a folder such as lib/)',
    ],
    [
      'a file name of the platform',
      { 'services/leads/_mcpworks_adapter.txt': '' },
      'services/leads/_mcpworks_adapter.txt: names that start with "_mcpworks" are taken by the platform',
    ],
    [
      'an unknown folder, with the nearest name',
      { 'polices/a.cedar': '' },
      'polices: this has no place here (did you mean "policies"?)',
    ],
    [
      'a policy in the wrong place',
      { 'policies/old/a.cedar': '' },
      'policies/old/a.cedar: policies are .cedar and .rules.yaml files and facts.yaml, directly in policies/, beside them .cases.yaml',
    ],
    [
      'a file beside the services',
      { 'services/top.py': '' },
      'services/top.py: a service is a folder: put the file into services/<service>/',
    ],
    [
      'code that is too large',
      { 'services/leads/top.py': '#'.repeat(desiredStateBounds.sourceBytes + 1) },
      `services/leads/top.py: the file is ${desiredStateBounds.sourceBytes + 1} bytes; code is at most ${desiredStateBounds.sourceBytes}`,
    ],
    [
      'a service without a function',
      { 'services/leads/top.py': undefined, 'services/leads/a.csv': 'x' },
      'services/leads: the service has no function (add a file such as hello.py with a function hello)',
    ],
  ])('refuses %s', (_title, files, message) => {
    const given = Object.fromEntries(
      Object.entries({ ...minimal, ...files }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    )
    expect(problems(given)).toEqual([message])
  })

  it('tells the problems of all files at once, in the order of the files', () => {
    const found = problems({
      'namespace.yaml': 'namspace: demo\n',
      'services/leads/service.yaml': 'function: {}\n',
      'services/leads/top.py': python,
      'policies/a.txt': '',
    })
    expect(found.map((line) => line.replace(/: .*/, ''))).toEqual([
      'namespace.yaml:1:1',
      'namespace.yaml:1:1',
      'policies/a.txt',
      'services/leads/service.yaml:1:1',
    ])
  })

  it.each([
    ['..', '../escape.py', 'a path must stay inside the directory'],
    ['an absolute path', '/etc/cron.d/x', 'file names are letters'],
    ['a backslash', 'services\\leads\\top.py', 'file names are letters'],
    ['a NUL', 'services/leads/top.py\0.csv', 'file names are letters'],
    ['a hidden file', 'services/leads/.env', 'file names are letters'],
    ['a deep path', 'services/leads/a/b/c/d/e/f/g/h.txt', 'the path is deeper than 8 folders'],
    ['a right-to-left override', 'services/leads/\u202eyp.top', 'file names are letters'],
  ])('refuses %s in a path from outside (I8)', (_title, path, message) => {
    expect(problems({ ...minimal, [path]: '' })).toEqual([expect.stringContaining(message)])
  })

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['files that are no list', { files: { a: 1 } }],
    ['a file that is null', { files: [null] }],
    ['a file without content', { files: [{ path: 'namespace.yaml' }] }],
    ['content twice', { files: [{ path: 'namespace.yaml', text: '', base64: '' }] }],
    ['base64 that is none', { files: [{ path: 'namespace.yaml', base64: '%%%' }] }],
    ['text that is no Unicode', { files: [{ path: 'namespace.yaml', text: '\ud800' }] }],
    ['an unknown member', { files: [{ path: 'namespace.yaml', text: 'namespace: demo', mode: 0o4755 }] }],
    [
      'a file given twice',
      {
        files: [
          { path: 'namespace.yaml', text: 'namespace: demo' },
          { path: 'namespace.yaml', text: 'namespace: evil' },
        ],
      },
    ],
    [
      'a file that is a folder too',
      {
        files: [
          { path: 'namespace.yaml', text: 'namespace: demo' },
          { path: 'README.md', text: '' },
          { path: 'README.md/x', text: '' },
        ],
      },
    ],
    [
      'too many files',
      {
        files: Array.from({ length: desiredStateBounds.files + 1 }, (_, index) => ({
          path: `services/a/${index}.txt`,
          text: '',
        })),
      },
    ],
    [
      'files that are too large together',
      {
        files: Array.from({ length: 3 }, (_, index) => ({
          path: `services/a/${index}.txt`,
          text: 'x'.repeat(3 * 1024 * 1024),
        })),
      },
    ],
  ])('refuses %s instead of a directory', (_title, value) => {
    expect(parseDesiredState(value).ok).toBe(false)
  })
})

describe('YAML from outside', () => {
  const bomb = `namespace: demo\na: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'.replace(/./g, (name, index) => `${name}: &${name} [${`*${'abcdefghij'[index]},`.repeat(9)}]\n`)}`

  it.each([
    ['aliases that multiply (billion laughs)', bomb, 'anchors and aliases are not used here'],
    ['thousands of nested brackets', `namespace: ${'['.repeat(30_000)}`, 'nested'],
    ['thousands of nested dashes', `namespace: demo\nagents:\n  ${'- '.repeat(30_000)}x`, 'nested'],
    [
      'deep nesting that parses',
      `namespace: demo\ndescription: ${'['.repeat(40)}${']'.repeat(40)}`,
      'nested more than 32 deep',
    ],
    ['__proto__ as a key', 'namespace: demo\n__proto__: { polluted: true }\n', '"__proto__" cannot be a key'],
    ['a key given twice', 'namespace: demo\nnamespace: evil\n', '"namespace" is given twice'],
    ['a merge key', 'namespace: demo\n<<: { agents: [] }\n', 'unknown key "<<"'],
    ['a tag', 'namespace: !!js/function "x"\n', 'tag'],
    ['several documents', 'namespace: demo\n---\nnamespace: evil\n', 'multiple documents'],
    ['a number that JSON does not have', 'namespace: .nan\n', 'JSON cannot carry this value'],
    ['a lone surrogate', 'namespace: "\\ud800"\n', 'JSON cannot carry this value'],
    ['a tab as indentation', 'agents:\n\t- name: ab\n', 'tab'],
    ['a file that is too large', `#${'x'.repeat(desiredStateBounds.yamlBytes)}`, 'at most 65536 are taken'],
    ['a list', '- namespace: demo\n', 'expected object'],
    ['nothing', '', 'expected object'],
  ])('is refused where it holds %s', (_title, yaml, message) => {
    const found = problems({ ...minimal, 'namespace.yaml': yaml })
    expect(found.join('\n').toLowerCase()).toContain(message.toLowerCase())
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('keeps a property named like a member of every object', () => {
    const yaml =
      'functions:\n  top:\n    inputSchema: { type: object, properties: { constructor: { type: string } } }\n'
    const parsed = parse({ ...minimal, 'services/leads/service.yaml': yaml })
    expect(parsed).toMatchObject({ ok: true })
    expect(JSON.stringify(parsed)).toContain('"constructor":{"type":"string"}')
  })

  it('is read in time where it holds ten thousand keys', () => {
    const yaml = `namespace: demo\n${Array.from({ length: 10_000 }, (_, index) => `k${index}: `).join('\n')}`.slice(
      0,
      desiredStateBounds.yamlBytes,
    )
    expect(problems({ ...minimal, 'namespace.yaml': yaml }).length).toBeGreaterThan(0)
  })
})
