/** Runs specs from stdin in real jails whose system-call filters allow everything: the control of the attack tests. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { BubblewrapEngine } from '../../../src/sandbox/bubblewrap/bubblewrap-engine.ts'
import { FreshJails } from '../../../src/sandbox/executor/jail-source.ts'
import { prepare } from '../../../src/sandbox/executor/prepare.ts'
import { runSpec } from '../../../src/sandbox/executor/run-spec.ts'
import { NsjailEngine } from '../../../src/sandbox/nsjail/nsjail-engine.ts'
import { OciEngine } from '../../../src/sandbox/oci/oci-engine.ts'
import { ociRuntimes } from '../../../src/sandbox/oci/oci-runtime.ts'
import type { OciSeccomp } from '../../../src/sandbox/profile/to-oci-seccomp.ts'
import type { SandboxEngine } from '../../../src/sandbox/sandbox-engine.ts'
import { assemble, bpfCode, instruction } from '../../../src/sandbox/profile/bpf.ts'
import { sandboxConfigSchema, type SandboxSpec } from '../../../src/sandbox/index.ts'

type PlainSpec = Omit<SandboxSpec, 'files'> & { readonly files: readonly (readonly [string, string])[] }

const allowAll = assemble([instruction(bpfCode.return, 0x7fff0000)])
const allowAllPolicy = 'DEFAULT ALLOW'
const specs = JSON.parse(readFileSync(0, 'utf8')) as PlainSpec[]
const { ceilings: _, ...settings } = sandboxConfigSchema.parse({
  ...(JSON.parse(process.argv[2] ?? '{}') as object),
  mode: 'fresh',
})
const bunPackage = createRequire(import.meta.url).resolve(
  `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/package.json`,
)
const bunPath = join(dirname(bunPackage), 'bin', 'bun')
const workshop = await prepare({ ...settings, cgroups: 'off', bunPath, nodePath: process.execPath })
const filters = { python: allowAll, typescript: allowAll }
const seccomp: OciSeccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] }
const open: Readonly<Record<string, () => SandboxEngine | Promise<SandboxEngine>>> = {
  nsjail: () =>
    new NsjailEngine(settings.nsjailPath, workshop.layouts, { start: allowAllPolicy, zygote: allowAllPolicy }, filters),
  bubblewrap: () =>
    new BubblewrapEngine(settings.bubblewrapPath, workshop.layouts, { start: allowAll, zygote: allowAll }, filters),
  crun: async () => await openOci('crun'),
  runc: async () => await openOci('runc'),
}
const openOci = async (name: 'crun' | 'runc'): Promise<SandboxEngine> =>
  await OciEngine.open(ociRuntimes[name], null, { layouts: workshop.layouts, seccomp, finalFilters: filters })
// With `start` the engine loads its own filter and only what the runners add allows everything.
const engine = process.argv[3] === 'start' ? workshop.engine : await open[workshop.engine.name]?.()
if (engine === undefined) throw new Error(`${workshop.engine.name} cannot be opened without filters`)
const { seccompNumber, ownFilters } = workshop
const jails = new FreshJails(engine, { finalFilters: filters, seccompNumber, ownFilters, groups: null })
const outcomes = []
for (const { files, ...spec } of specs) {
  const whole = { ...spec, files: new Map(files.map(([path, text]) => [path, Buffer.from(text)])) }
  outcomes.push(await runSpec({ ...workshop, engine, jails }, whole, {}))
}
process.stdout.write(JSON.stringify(outcomes))
await jails.close()
if (engine !== workshop.engine) await workshop.jails.close()
