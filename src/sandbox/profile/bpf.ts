/** One instruction of classic BPF (linux/filter.h `struct sock_filter`). */
export interface BpfInstruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

/** A straight piece of program. Execution enters at the first instruction and may leave by falling off the end. */
export type BpfProgram = readonly BpfInstruction[]

/** Instruction codes that a seccomp filter uses (linux/bpf_common.h). */
export const bpfCode = {
  /** Load a 32-bit word of `struct seccomp_data` into the accumulator. */
  load: 0x20,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreaterOrEqual: 0x35,
  jumpSet: 0x45,
  and: 0x54,
  return: 0x06,
} as const

const maxInstructions = 4096

/** One instruction without a jump. */
export function instruction(code: number, k: number): BpfInstruction {
  return { code, jt: 0, jf: 0, k: k >>> 0 }
}

/**
 * A two-way branch on the accumulator. Both arms must end by leaving (a return or a jump); the compiler's conditional
 * jumps reach only 255 instructions, so a long first arm is stepped over by an unconditional one.
 */
export function branch(code: number, k: number, whenTrue: BpfProgram, whenFalse: BpfProgram): BpfProgram {
  if (whenFalse.length <= 255) return [{ code, jt: whenFalse.length, jf: 0, k: k >>> 0 }, ...whenFalse, ...whenTrue]
  return [{ code, jt: 0, jf: 1, k: k >>> 0 }, instruction(bpfCode.jump, whenFalse.length), ...whenFalse, ...whenTrue]
}

/** The program as an array of `struct sock_filter`, 8 bytes each, little-endian. @throws RangeError beyond the kernel's 4096 instructions */
export function assemble(program: BpfProgram): Uint8Array {
  if (program.length > maxInstructions)
    throw new RangeError(`a filter of ${program.length} instructions is over ${maxInstructions}`)
  const view = new DataView(new ArrayBuffer(program.length * 8))
  program.forEach((one, index) => {
    view.setUint16(index * 8, one.code, true)
    view.setUint8(index * 8 + 2, one.jt)
    view.setUint8(index * 8 + 3, one.jf)
    view.setUint32(index * 8 + 4, one.k, true)
  })
  return new Uint8Array(view.buffer)
}
