import type { Api } from '../../cluster/api.ts';

/** Secrets of a namespace whose values the operator is given, and must show to nobody but Temporal. */
export class Secrets {
  private readonly api: Api;
  private readonly values = new Set<string>();

  constructor(api: Api) {
    this.api = api;
  }

  /** Creates or replaces a Secret. One with a certificate is of the type that a connection asks for. */
  async put(namespace: string, name: string, values: Readonly<Record<string, string>>): Promise<void> {
    for (const value of Object.values(values)) this.values.add(value);
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    await this.api.call(`${path}?fieldManager=test&force=true`, {
      method: 'PATCH',
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: encoded(values) },
    });
  }

  /** The values, in every form and part, that the text holds. */
  shownIn(text: string): string[] {
    return [...this.values].filter((value) => traces(value).some((trace) => text.includes(trace)));
  }
}

const encoded = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));

/** A value as it is, as JSON holds it, in base64, and each line of it that is long enough to tell something. */
function traces(value: string): string[] {
  const base64 = Buffer.from(value).toString('base64');
  const lines = value.split('\n').filter((line) => line.length >= 16 && !line.startsWith('-----'));
  return [value, JSON.stringify(value).slice(1, -1), base64, ...lines].filter((trace) => trace.length >= 8);
}
