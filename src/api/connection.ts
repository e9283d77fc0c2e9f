import * as z from 'zod';
import { Conditions } from './conditions.ts';
import {
  duration,
  immutable,
  neverObserved,
  objectName,
  observedGeneration,
  secretKeyRef,
  secretRef,
} from './fields.ts';
import { defineResource, type Column, type ResourceOf } from './resource.ts';

const Tls = z
  .object({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether to speak TLS. True where `tls` or `apiKeySecretRef` is given.'),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Name to expect in the certificate of the server, where it differs from the address.'),
    caSecretRef: secretKeyRef('PEM certificates to trust instead of the public ones.').optional(),
    clientCertSecretRef: secretRef(
      'A Secret of type kubernetes.io/tls with the certificate and key to present (mTLS).',
    ).optional(),
  })
  .describe('TLS to the Temporal frontend.');

const limit = (description: string) =>
  z
    .array(z.string().min(1).max(1000).describe('A name; a trailing * matches any rest.'))
    .max(64)
    .default([])
    .describe(description)
    .meta({ 'x-kubernetes-list-type': 'set' });

const Allowed = z
  .object({
    taskQueues: limit('Task queues that may be used; empty allows all.'),
    workflowTypes: limit('Workflow types that may be started; empty allows all.'),
  })
  .describe('Limits on what may be started through this connection, enforced before the start.');

const common = {
  address: z
    .string()
    .min(3)
    .max(300)
    .regex(/^[^\s/@]+:[0-9]{1,5}$/, 'must be host:port')
    .describe('host:port of the Temporal frontend.'),
  namespace: z.string().min(1).max(255).default('default').describe('Temporal namespace; immutable.'),
  tls: Tls.optional(),
  apiKeySecretRef: secretKeyRef('API key to present, e.g. of Temporal Cloud.').optional(),
  uiUrl: z
    .string()
    .max(1000)
    .regex(/^https?:\/\//)
    .optional()
    .describe('Base URL of the Temporal UI, for links in status.'),
  allowed: Allowed.optional(),
};

const fixed = {
  'x-kubernetes-validations': [immutable('namespace')],
};

const Selector = z
  .object({
    matchLabels: z
      .record(z.string().max(317), z.string().max(63))
      .describe('Labels that the namespace must carry, with these values.')
      .meta({ maxProperties: 64 }),
  })
  .describe('Namespaces by label.');

const AllowedNamespaces = z
  .object({
    names: z
      .array(objectName('Name of a namespace.'))
      .max(1000)
      .default([])
      .describe('Namespaces by name.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
    selector: Selector.optional(),
  })
  .describe('Namespaces whose resources may use this connection; none unless given.');

const Status = z
  .object({
    observedGeneration,
    serverVersion: z.string().max(128).optional().describe('Version of the Temporal server.'),
    clusterID: z.string().max(128).optional().describe('Identity of the Temporal cluster; runs are pinned to it.'),
    capabilities: z
      .array(z.string().max(64).describe('A capability.'))
      .max(32)
      .optional()
      .describe('What the server and the Temporal namespace can do beyond the basics.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
    retention: duration('How long Temporal keeps closed runs.').optional(),
    conditions: Conditions.optional(),
  })
  .default(neverObserved)
  .describe('What the operator last observed.');

const columns: readonly Column[] = [
  { name: 'Address', type: 'string', jsonPath: '.spec.address', description: 'host:port of the frontend.' },
  { name: 'Temporal-Namespace', type: 'string', jsonPath: '.spec.namespace', description: 'Temporal namespace.' },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
    description: 'Whether it can be used.',
  },
  { name: 'Server', type: 'string', jsonPath: '.status.serverVersion', description: 'Server version.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  {
    name: 'Reason',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
    description: 'Why.',
    priority: 1,
  },
  {
    name: 'Message',
    type: 'string',
    jsonPath: '.status.conditions[?(@.type=="Ready")].message',
    description: 'In a sentence.',
    priority: 1,
  },
];

export const TemporalConnection = defineResource({
  kind: 'TemporalConnection',
  plural: 'temporalconnections',
  shortNames: ['tconn'],
  scope: 'Namespaced',
  categories: ['ai-workflow'],
  description:
    'Where a Temporal is and how to talk to it, for the resources of one namespace. Its Secrets are of the same namespace.',
  columns,
  spec: z.object(common).describe('Where and how.').meta(fixed),
  status: Status,
});
export type TemporalConnection = ResourceOf<typeof TemporalConnection>;

export const ClusterTemporalConnection = defineResource({
  kind: 'ClusterTemporalConnection',
  plural: 'clustertemporalconnections',
  shortNames: ['ctconn'],
  scope: 'Cluster',
  categories: ['ai-workflow'],
  description:
    "Where a Temporal is and how to talk to it, for the namespaces it allows. Its Secrets are of the operator's namespace.",
  columns,
  spec: z
    .object({ ...common, allowedNamespaces: AllowedNamespaces.optional() })
    .describe('Where and how.')
    .meta(fixed),
  status: Status,
});
export type ClusterTemporalConnection = ResourceOf<typeof ClusterTemporalConnection>;

/** Either kind of connection; the cluster-scoped one has no metadata.namespace. */
export type Connection = TemporalConnection | ClusterTemporalConnection;
