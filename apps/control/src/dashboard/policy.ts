/**
 * What the page may load: its own files and nothing else. WebAssembly is for libsodium; styles that libraries add while the
 * page runs carry the nonce of this answer; images may be drawn by the page itself.
 *
 * @param nonce base64; absent for files, of which only workers look at it
 */
export function contentSecurityPolicy(nonce?: string): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `style-src 'self'${nonce === undefined ? '' : ` 'nonce-${nonce}'`}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}
