/** What a system-call filter answers, as tests write it. */
export function nameOfAnswer(value: number): string {
  if (value === 0x7fff0000) return 'allow'
  if (value === 0x80000000) return 'kill'
  const names = new Map([
    [0, 'done'],
    [1, 'EPERM'],
    [13, 'EACCES'],
    [22, 'EINVAL'],
    [38, 'ENOSYS'],
    [95, 'ENOTSUP'],
  ])
  return names.get(value & 0xffff) ?? String(value)
}

/** Runs classic BPF as the kernel does, over `struct seccomp_data`. */
export function runBpf(
  program: Uint8Array,
  number: number,
  args: readonly bigint[] = [],
  auditArch = 0xc000003e,
): string {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number, 0)
  data.writeUInt32LE(auditArch, 4)
  args.forEach((value, index) => data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + index * 8))
  const code = Buffer.from(program.buffer, program.byteOffset, program.byteLength)
  let accumulator = 0
  let at = 0
  for (;;) {
    const [op, jt, jf, k] = [
      code.readUInt16LE(at * 8),
      code.readUInt8(at * 8 + 2),
      code.readUInt8(at * 8 + 3),
      code.readUInt32LE(at * 8 + 4),
    ]
    at += 1
    if (op === 0x06) return nameOfAnswer(k)
    if (op === 0x20) accumulator = data.readUInt32LE(k)
    else if (op === 0x54) accumulator = (accumulator & k) >>> 0
    else if (op === 0x05) at += k
    else if (op === 0x15) at += accumulator === k ? jt : jf
    else if (op === 0x25) at += accumulator > k ? jt : jf
    else if (op === 0x35) at += accumulator >= k ? jt : jf
    else if (op === 0x45) at += (accumulator & k) === 0 ? jf : jt
    else throw new Error(`unknown instruction ${String(op)}`)
  }
}
