/** Something that lies at a place, with what names exactly this content to the place. */
export interface PublishedFile {
  readonly bytes: Uint8Array
  readonly version: string
}

/**
 * A place where files are published: a directory, an object store. Whatever is believed of it is compared. Paths are
 * segments of letters, digits, `.` and `-`. Rejects with PublishFailure where the place does not answer or refuses.
 */
export interface PublishTarget {
  /** For people. */
  readonly name: string
  /** `null` where nothing is there. Larger than `maxBytes` counts as something else: its first bytes, or a failure. */
  read(path: string, maxBytes: number): Promise<PublishedFile | null>
  /** Writes what is not there. `there`: something is, and stays. */
  create(path: string, bytes: Uint8Array, mediaType: string): Promise<'created' | 'there'>
  /** Writes in place of exactly what was read, or of nothing. `changed`: something else is there, and stays. */
  replace(path: string, bytes: Uint8Array, mediaType: string, version: string | null): Promise<'replaced' | 'changed'>
}

/** A place cannot be written or read at the moment. The message is a sentence without a secret. */
export class PublishFailure extends Error {
  override readonly name = 'PublishFailure'
}
