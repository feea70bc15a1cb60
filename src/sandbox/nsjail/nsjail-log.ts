const keptBytes = 16_384

/**
 * What one nsjail says on its log. The descriptor is closed before the program in the jail is executed, so that only
 * nsjail writes here. Its lines begin with a letter for their weight: D, I, W, E, F.
 */
export class NsjailLog {
  #text = ''

  take(part: string): void {
    this.#text = (this.#text + part).slice(-keptBytes)
  }

  /** How the first process ended: its exit code, 128 and the number of a signal; `null` where nothing was said of it. */
  exitCode(): number | null {
    const exited = /^\[I\]\S* pid=\d+ \([^\n]*\) exited with status: (\d+),/m.exec(this.#text)?.[1]
    if (exited !== undefined) return Number(exited)
    const signal = /^\[I\]\S* pid=\d+ \([^\n]*\) terminated with signal: [^\n]*\((\d+)\),/m.exec(this.#text)?.[1]
    return signal === undefined ? null : 128 + Number(signal)
  }

  /**
   * Why no jail was made: the warnings and errors, without time and place in nsjail's source. Empty where there is no
   * error: of a jail that was made there are only warnings.
   */
  complaints(): string {
    if (!/^\[[EF]\]/m.test(this.#text)) return ''
    return withoutPlaces(
      this.#text
        .split('\n')
        .filter((line) => /^\[[WEF]\]/.test(line))
        .join('\n'),
    )
  }
}

/** Lines of nsjail without their time and their place in its source, whose form changed from release to release. */
export function withoutPlaces(text: string): string {
  return text.replace(/^(?:\[[^\]\n]*\])+ (?:[^\n]*?\):\d+ )?/gm, '')
}
