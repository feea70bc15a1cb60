/** Names of the readers of the log, by which their positions are kept. */
export const readerNames = {
  exporter: (name: string): string => `export ${name}`,
  channel: (name: string): string => `notify ${name}`,
}
