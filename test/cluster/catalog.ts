/** How a program that is built here from Go modules is made and recognised. */
export interface GoProgram {
  /** The folder under `tools/` whose go.mod pins it. */
  readonly module: 'k8s' | 'kwok' | 'coredns' | 'pause';
  readonly package: string;
  /** Prints the version; what is found elsewhere must print one that fits. */
  readonly versionArgs: readonly string[];
  readonly fits: RegExp;
  /** Building it on two cores with an empty Go cache, after those before it in this list. */
  readonly estimateSeconds: number;
}

const kubernetes = (name: string, estimateSeconds: number): GoProgram => ({
  module: 'k8s',
  package: `k8s.io/kubernetes/cmd/${name}`,
  versionArgs: ['--version'],
  fits: /^Kubernetes v1\.36\./,
  estimateSeconds,
});

/** Everything that is built, in the order in which building costs least. */
export const goPrograms = {
  etcd: {
    module: 'k8s',
    package: 'go.etcd.io/etcd/server/v3',
    versionArgs: ['--version'],
    fits: /^etcd Version: 3\.6\./,
    estimateSeconds: 110,
  },
  'kube-apiserver': kubernetes('kube-apiserver', 300),
  'kube-controller-manager': kubernetes('kube-controller-manager', 60),
  'kube-scheduler': kubernetes('kube-scheduler', 30),
  kwok: {
    module: 'kwok',
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    versionArgs: ['--version'],
    fits: /^kwok version v0\.8\./,
    estimateSeconds: 100,
  },
  kubelet: kubernetes('kubelet', 30),
  'kube-proxy': kubernetes('kube-proxy', 10),
  coredns: {
    module: 'coredns',
    package: '.',
    versionArgs: ['-version'],
    fits: /^CoreDNS-1\.15\./,
    estimateSeconds: 110,
  },
  pause: {
    module: 'pause',
    package: '.',
    versionArgs: [],
    // What another machine calls pause is another program.
    fits: /(?!)/,
    estimateSeconds: 5,
  },
} satisfies Record<string, GoProgram>;

/** A program built from Go modules. */
export type GoProgramName = keyof typeof goPrograms;

/** Every program that the launcher finds or makes; those of Debian packages are looked up on the PATH instead. */
export type ProgramName = GoProgramName | 'temporal' | 'kubectl' | 'helm';

/** Where each program stands. */
export type Programs<Name extends ProgramName = ProgramName> = Readonly<Record<Name, string>>;

const kubernetesVersion = 'v1.36.3';

/** Flags of `go build`. Without the version stamped in, Helm's `kubeVersion` checks refuse the cluster. */
export function buildFlags(module: GoProgram['module']): string[] {
  const stamp = 'k8s.io/component-base/version';
  const stamps = [`-X ${stamp}.gitVersion=${kubernetesVersion}`, `-X ${stamp}.gitMajor=1`, `-X ${stamp}.gitMinor=36`];
  const ldflags = ['-s', '-w', ...(module === 'k8s' ? [...stamps, `-X ${stamp}.gitTreeState=clean`] : [])];
  return ['-p', '2', '-trimpath', '-ldflags', ldflags.join(' ')];
}
