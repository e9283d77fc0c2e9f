import { accessSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { load } from 'js-yaml';

/**
 * The configuration to use: the file, if one is given; else the ServiceAccount
 * of the pod this runs in; else what kubectl would use. Throws when it cannot be read.
 */
export function loadKubeConfig(file = '', root = ''): KubeConfig {
  const config = new KubeConfig();
  if (file !== '') {
    config.loadFromFile(file);
    followTokenFiles(config, file);
  } else if (isReadable(`${root}/var/run/secrets/kubernetes.io/serviceaccount/token`)) config.loadFromCluster(root);
  else config.loadFromDefault();
  return config;
}

function isReadable(file: string): boolean {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
}

interface RawConfig {
  readonly users?: readonly { readonly name: string; readonly user?: { readonly tokenFile?: string } | null }[];
}

/** client-node overlooks `tokenFile`; what it knows by another name it reads again and again, as it should. */
function followTokenFiles(config: KubeConfig, file: string): void {
  const { users = [] } = load(readFileSync(file, 'utf8')) as RawConfig;
  const named = new Map(users.map(({ name, user }) => [name, user?.tokenFile]));
  config.users = config.getUsers().map((user): User => {
    const tokenFile = named.get(user.name);
    if (tokenFile === undefined) return user;
    // Relative to the file that names it. It goes before a `token` beside it, as with kubectl.
    const authProvider = { name: 'tokenFile', config: { tokenFile: resolve(dirname(file), tokenFile) } };
    const { token: _, ...rest } = user;
    return { ...rest, authProvider };
  });
}
