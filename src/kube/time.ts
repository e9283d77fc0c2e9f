/**
 * A time as the fields of type MicroTime demand it: with six digits of a
 * second, no more and no less, or the API server rejects the object. What is
 * more precise than milliseconds is kept.
 */
export function microTime(time: string | Date): string {
  const text = typeof time === 'string' ? time : time.toISOString();
  return text.replace(/(?:\.(\d+))?Z$/, (_, digits: string = '') => `.${digits.slice(0, 6).padEnd(6, '0')}Z`);
}
