// The few parts of Bun that the runner uses. Bun is no development dependency: only its program is installed.
declare module 'bun:ffi' {
  export function dlopen(
    library: string,
    symbols: { readonly [name: string]: { readonly args: readonly string[]; readonly returns: string } },
  ): { readonly symbols: { readonly [name: string]: (...values: (bigint | number)[]) => bigint | number } }
  export function ptr(memory: Uint8Array | BigUint64Array): number
}

/** Not there on Node. */
declare const Bun:
  | {
      plugin(plugin: {
        name: string
        setup(build: { module(name: string, load: () => { exports: object; loader: 'object' }): void }): void
      }): void
    }
  | undefined
