/**
 * Whether two values are the same JSON, whatever the order of members; one that
 * is undefined counts as absent. Does not recurse: a user's result may be
 * nested as deep as it likes.
 */
export function isSameJson(one: unknown, other: unknown): boolean {
  const open: (readonly [unknown, unknown])[] = [[one, other]];
  for (let pair = open.pop(); pair; pair = open.pop()) {
    const inner = membersIfAlike(...pair);
    if (!inner) return false;
    for (const members of inner) open.push(members);
  }
  return true;
}

/** What is left to compare of two values that are alike so far; undefined when they are not. */
function membersIfAlike(one: unknown, other: unknown): readonly (readonly [unknown, unknown])[] | undefined {
  if (Object.is(one, other)) return [];
  if (!isContainer(one) || !isContainer(other) || Array.isArray(one) !== Array.isArray(other)) return undefined;
  const names = definedNames(one);
  if (names.length !== definedNames(other).length || !names.every((name) => Object.hasOwn(other, name))) {
    return undefined;
  }
  return names.map((name) => [one[name], other[name]]);
}

function definedNames(container: Readonly<Record<string, unknown>>): readonly string[] {
  // In an array every place counts, also one that holds nothing.
  if (Array.isArray(container)) return Object.keys(container);
  return Object.keys(container).filter((name) => container[name] !== undefined);
}

const isContainer = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
