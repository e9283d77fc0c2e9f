import { OperatorError } from '../../errors.ts';

/** An object of the user's pod template, of which the API server alone knows the schema. */
export type Loose = Readonly<Record<string, unknown>>;

/** No field of a pod lies deeper; what does is refused, so that walking it cannot exhaust the stack. */
const MAX_DEPTH = 64;

/** `value` as an object; an empty one where it is something else, for the API server will say so better than we can. */
export function asObject(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

/** `value` as a list of objects; see `asObject`. */
export function asObjects(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

/**
 * `value` without members that are null: server-side apply would own them as
 * if they had a value. Throws InvalidSpec where it is nested too deeply.
 */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) {
    throw new OperatorError('InvalidSpec', `spec.template: nested more than ${MAX_DEPTH} levels deep`, {
      retry: 'never',
    });
  }
  if (Array.isArray(value)) {
    return value.filter((item) => item !== null).map((item: unknown) => withoutNulls(item, depth + 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  // fromEntries defines members; assigning one called __proto__ would set the prototype.
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member, depth + 1)]));
}
