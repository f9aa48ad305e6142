import { messageOf, WarrenProblem } from './client.js';

/** What was refused, by field of a form, and what belongs to none of them. */
export interface FormErrors<Field extends string> {
  readonly fields: { readonly [name in Field]?: string };
  readonly rest: unknown;
}

/** Codes that are about one field, by the name that most forms have for it. */
const CODES: Readonly<Record<string, string>> = {
  'name-taken': 'name',
  'endpoint-missing': 'endpoint',
  'address-taken': 'addresses',
  'reservation-exists': 'prefix',
};

/**
 * Sorts a refusal to the fields of a form: by the paths that the control plane names (`body.settings.dns.0`), else by its
 * code, else by a message that begins with a field (`dns must be …`).
 *
 * @param otherwise the field that a bad request is about when it names none.
 */
export function formErrors<Field extends string>(
  error: unknown,
  names: readonly Field[],
  otherwise?: Field,
): FormErrors<Field> {
  if (!error) return { fields: {}, rest: undefined };
  if (!(error instanceof WarrenProblem)) return { fields: {}, rest: error };
  const fields: { [name in Field]?: string } = {};
  const rest: string[] = [];
  for (const { path, message } of error.errors) {
    const parts = path.split('.');
    const field = names.find((name) => parts.includes(name));
    if (field === undefined) rest.push(`${path}: ${message}`);
    else fields[field] = [fields[field], inPlace(parts, field, message)].filter(Boolean).join('; ');
  }
  if (error.errors.length > 0) return { fields, rest: rest.length > 0 ? new Error(rest.join('; ')) : undefined };
  const field =
    names.find((name) => name === CODES[error.code]) ??
    names.find((name) => error.message.startsWith(`${name} must be`)) ??
    (error.code === 'bad-request' ? otherwise : undefined);
  if (field === undefined) return { fields, rest: error };
  // At its field its name says nothing.
  fields[field] = messageOf(error).replace(new RegExp(`^${field} (?=must be)`), '');
  return { fields, rest: undefined };
}

/** Which of several lines it is. */
function inPlace(parts: readonly string[], field: string, message: string): string {
  const index = Number(parts[parts.indexOf(field) + 1]);
  return Number.isInteger(index) ? `line ${index + 1}: ${message}` : message;
}
