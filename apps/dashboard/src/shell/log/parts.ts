/** A piece of a sentence: text, or something that the page can name and link to. */
export type Part =
  | string
  | { readonly is: 'actor' }
  | { readonly is: 'node'; readonly id: string; readonly name?: string | undefined }
  | { readonly is: 'network'; readonly name: string }
  | { readonly is: 'key'; readonly id: string; readonly name?: string | undefined }
  | { readonly is: 'code'; readonly text: string };

/** Details come from many versions of the control plane: each is looked at before it is believed. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
export const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap((item) => textOf(item) ?? []) : [];
