import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Whether that file exists and this user may run it. */
export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Where the PATH has that program, or a full path if it is one; undefined if nowhere. The sbin folders count, which a plain user's PATH may lack. */
export async function onPath(name: string): Promise<string | undefined> {
  if (name.startsWith('/')) return (await isExecutable(name)) ? name : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    const file = join(folder, name);
    if (folder !== '' && (await isExecutable(file))) return file;
  }
  return undefined;
}
