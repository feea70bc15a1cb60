/** The environment variable of a configuration path: `http.maxBodyBytes` is `MCPWORKS_HTTP_MAX_BODY_BYTES`. */
export function envNameOf(path: readonly string[]): string {
  const snake = path.map((part) => part.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase())
  return ['MCPWORKS', ...snake].join('_')
}
