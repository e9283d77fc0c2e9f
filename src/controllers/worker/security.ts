import { asObject, asObjects, type Loose } from './loose.ts';

/** The pod spec with what the restricted pod security standard asks for, where the user has not said otherwise. */
export function withSecurity(podSpec: Loose): Loose {
  const automount = podSpec['automountServiceAccountToken'] ?? false;
  if (asObject(podSpec['os'])['name'] === 'windows') return { ...podSpec, automountServiceAccountToken: automount };
  const initContainers = asObjects(podSpec['initContainers']).map(restricted);
  return {
    ...podSpec,
    automountServiceAccountToken: automount,
    securityContext: restrictedPod(asObject(podSpec['securityContext'])),
    containers: asObjects(podSpec['containers']).map(restricted),
    ...(initContainers.length > 0 && { initContainers }),
  };
}

function restrictedPod(context: Loose): Loose {
  return {
    seccompProfile: { type: 'RuntimeDefault' },
    // Both together are a contradiction that the kubelet answers by never starting the container.
    ...(context['runAsUser'] !== 0 && { runAsNonRoot: true }),
    ...context,
  };
}

function restricted(container: Loose): Loose {
  const context = asObject(container['securityContext']);
  const capabilities = asObject(context['capabilities']);
  // Whoever asks for root in one container means it, although the pod says otherwise.
  const asRoot = context['runAsUser'] === 0 ? { runAsNonRoot: false } : {};
  const limits = context['privileged'] === true ? {} : { allowPrivilegeEscalation: false };
  return {
    ...container,
    securityContext: { ...asRoot, ...limits, ...context, capabilities: { drop: ['ALL'], ...capabilities } },
  };
}
