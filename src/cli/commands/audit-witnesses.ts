import { InvalidArgumentError } from 'commander'
import type { WitnessDemand } from '../../audit/index.ts'
import { CliError } from '../cli-error.ts'
import { exitCode } from '../exit-code.ts'
import { printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { readEvidence } from '../evidence-files.ts'

/** Options of `audit verify`. */
export interface VerifyCommandOptions extends WitnessOptions {
  readonly publicKey?: string
  readonly checkpoint: readonly string[]
  readonly keptCheckpoints: readonly string[]
  readonly bundle?: string
}

interface WitnessOptions {
  readonly witness: readonly string[]
  readonly quorum?: number
}

/** `--witness`. */
export const witnessOption: [string, string, string[]] = [
  '--witness <file...>',
  'key lines of witnesses, as they were given to you: checkpoints must be cosigned by them',
  [],
]

/** `--quorum`. */
export const quorumOption: [string, string, (text: string) => number] = [
  '--quorum <number>',
  'how many of the witnesses must have cosigned (default: all of them)',
  (text) => {
    if (!/^[1-9][0-9]?$/.test(text)) throw new InvalidArgumentError('write a number from 1 to 99')
    return Number(text)
  },
]

/** Whose cosignatures are demanded. @throws CliError for a file without a witness's key line, or a quorum of nobody */
export async function demandOf({ witness, quorum }: WitnessOptions): Promise<WitnessDemand> {
  const { parseWitnessKey } = await import('../../audit/index.ts')
  const witnesses = witness.map((path) => {
    const key = parseWitnessKey(readEvidence(path))
    if (key !== null) return key
    throw new CliError(exitCode.usage, `${path} holds no key line of a witness.`, 'It is one line: name+id+key')
  })
  const demanded = quorum ?? witnesses.length
  if (demanded <= witnesses.length) return { witnesses, quorum: demanded }
  throw new CliError(
    exitCode.usage,
    `A quorum of ${demanded} needs as many witnesses: ${witnesses.length} are named.`,
    'Name each with --witness FILE',
  )
}

/** The checkpoints that were kept elsewhere. */
export async function keptNotes(
  options: Pick<VerifyCommandOptions, 'checkpoint' | 'keptCheckpoints'>,
): Promise<string[]> {
  const { readKeptCheckpoints } = await import('../../audit/index.ts')
  return [
    ...options.checkpoint.map(readEvidence),
    ...options.keptCheckpoints.flatMap((path) => readKeptCheckpoints(readEvidence(path))),
  ]
}

/**
 * The checkpoints that were kept elsewhere. Where witnesses are named, enough of them must have cosigned one: all that
 * comes before it in its tree is then what they saw too.
 * @throws CliError where none is cosigned as demanded
 */
export async function keptEvidence(options: VerifyCommandOptions, terminal: Terminal): Promise<string[]> {
  const { countWitnesses } = await import('../../audit/index.ts')
  const kept = await keptNotes(options)
  const { witnesses, quorum } = await demandOf(options)
  if (quorum === 0) return kept
  const witnessed = kept.filter((note) => countWitnesses(note, witnesses) >= quorum)
  if (witnessed.length === 0)
    throw new CliError(
      exitCode.failed,
      `NOT WITNESSED: of ${kept.length} checkpoints that were kept, none is cosigned by ${quorum} of the named witnesses.`,
      'Name one that is: --checkpoint FILE (mcpworks audit checkpoint -o FILE writes one)',
    )
  for (const note of witnessed) {
    const [origin, size] = note.split('\n')
    terminal.note(
      `cosigned by ${countWitnesses(note, witnesses)} witnesses: ${printableLine(`${size} records of ${origin}`)}`,
    )
  }
  return kept
}
