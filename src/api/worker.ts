import * as z from 'zod';
import { Conditions } from './conditions.ts';
import {
  ConnectionRef,
  duration,
  immutable,
  neverObserved,
  observedGeneration,
  secretKeyRef,
  secretRef,
  taskQueueName,
} from './fields.ts';
import { defineResource, type ResourceOf } from './resource.ts';

/** Longest name of a Worker, so that label values and pod names made from it stay legal. */
export const MAX_WORKER_NAME = 52;

export const Scaling = z
  .object({
    mode: z
      .enum(['Backlog', 'External', 'Fixed'])
      .default('Backlog')
      .describe(
        'Who decides the number of replicas: the operator from the task queue, somebody else through /scale, or `replicas`.',
      ),
    min: z.int32().min(0).max(10000).default(0).describe('Replicas kept while nothing waits and nothing runs.'),
    max: z.int32().min(1).max(10000).default(1).describe('Replicas never exceeded, whatever waits.'),
    tasksPerReplica: z.int32().min(1).max(10000).default(1).describe('Concurrent tasks one pod serves: its slots.'),
    targetLatency: duration('Age of the oldest waiting task that the pool aims to stay under.').default('30s'),
    scaleDownDelay: duration('Replicas go when nothing higher was needed for this long.').default('5m'),
    maxStepUp: z.int32().min(1).max(10000).default(4).describe('Replicas added at once, at most.'),
    fallbackReplicas: z
      .int32()
      .min(0)
      .max(10000)
      .optional()
      .describe(
        'Replicas while Temporal cannot be reached, within `min` and `max`; unless given, the present number is kept. Nobody can tell then which pods work: to get there they are drained one at a time, to 0 as well.',
      ),
  })
  .default({
    mode: 'Backlog',
    min: 0,
    max: 1,
    tasksPerReplica: 1,
    targetLatency: '30s',
    scaleDownDelay: '5m',
    maxStepUp: 4,
  })
  .describe('How replicas follow the task queue.')
  .meta({
    'x-kubernetes-validations': [
      { rule: 'self.min <= self.max', message: 'scaling.min must not exceed scaling.max', fieldPath: '.min' },
    ],
  });
export type Scaling = z.output<typeof Scaling>;

const labelMap = (description: string) =>
  z.record(z.string().max(317), z.string().max(63)).describe(description).meta({ maxProperties: 64 });

const Gpu = z
  .object({
    count: z.int32().min(1).max(1024).describe('GPUs of one pod.'),
    resource: z.string().min(1).max(317).default('nvidia.com/gpu').describe('Extended resource that counts them.'),
    nodeSelector: labelMap('Labels that the node must carry; added to those of the template.').optional(),
    tolerations: z
      .array(z.looseObject({}).describe('A toleration, as in a pod.'))
      .max(64)
      .optional()
      .describe('Tolerations added to those of the template.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
  })
  .describe('GPUs of each pod, merged into the template.');

const Credentials = z
  .object({
    apiKeySecretRef: secretKeyRef(
      'API key that the pods present; with one they use TLS, unless the connection says that it is off.',
    ).optional(),
    clientCertSecretRef: secretRef('A Secret of type kubernetes.io/tls that the pods present.').optional(),
  })
  .describe(
    "Credentials of the pods, where they differ from the operator's. Needed when the Secret of the connection lives in another namespace.",
  );

const Container = z
  .looseObject({
    name: z
      .string()
      .min(1)
      .max(63)
      .describe('Name; the container `worker`, else the first, gets the environment of the worker contract.'),
  })
  .describe('A container, as in a pod.');

const PodSpec = z
  .looseObject({
    containers: z
      .array(Container)
      .min(1)
      .max(100)
      .describe('Containers, as in a pod.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
    hostNetwork: z.boolean().optional().describe('Refused: the host name must be that of the pod.'),
    hostname: z.string().max(63).optional().describe('Refused: the host name must be that of the pod.'),
    setHostnameAsFQDN: z.boolean().optional().describe('Refused: the host name must be that of the pod.'),
  })
  .describe('Pod spec; the API server validates it when the Deployment is written.')
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '(!has(self.hostNetwork) || !self.hostNetwork) && !has(self.hostname) && !has(self.setHostnameAsFQDN)',
        message:
          'hostNetwork, hostname and setHostnameAsFQDN are refused: a pod is known to Temporal by its host name, which must be that of the pod',
        reason: 'FieldValueForbidden',
      },
    ],
  });

const Template = z
  .object({
    metadata: z
      .object({
        labels: labelMap('Labels of the pods.').optional(),
        annotations: z
          .record(z.string().max(317), z.string().max(262144))
          .describe('Annotations of the pods.')
          .meta({ maxProperties: 256 })
          .optional(),
      })
      .describe('Metadata of the pods.')
      .optional(),
    spec: PodSpec,
  })
  .describe('Pod template, as in a Deployment.');

export const WorkerSpec = z
  .object({
    connectionRef: ConnectionRef.optional(),
    credentials: Credentials.optional(),
    taskQueue: taskQueueName.describe('Temporal task queue that the pods poll; immutable.'),
    gpu: Gpu.optional(),
    scaling: Scaling,
    replicas: z
      .int32()
      .min(0)
      .max(10000)
      .default(1)
      .describe('Replicas in the modes Fixed and External; what /scale reads and writes.'),
    shutdownGracePeriod: duration('How long a pod that is told to stop may go on with what it works on.').default('5m'),
    template: Template,
  })
  .describe('A pool of identical pods that serve one task queue.')
  .meta({
    'x-kubernetes-validations': [
      immutable('taskQueue'),
      {
        rule: "self.scaling.mode != 'Backlog' || oldSelf.scaling.mode != 'Backlog' || self.replicas == oldSelf.replicas",
        message:
          'in scaling.mode Backlog the operator decides the replicas; set scaling.min or scaling.max, or change the mode to External or Fixed',
        fieldPath: '.replicas',
        reason: 'FieldValueForbidden',
      },
    ],
  });
export type WorkerSpec = z.output<typeof WorkerSpec>;

const count = (description: string) => z.int32().min(0).optional().describe(description);

const Backlog = z
  .object({
    total: count('Tasks that wait.'),
    activities: count('Activity tasks that wait.'),
    workflows: count('Workflow tasks that wait.'),
    ageSeconds: count('Age of the oldest waiting task, in seconds.'),
    addedPerMinute: count('Tasks added per minute.'),
    dispatchedPerMinute: count('Tasks dispatched per minute.'),
  })
  .describe('What waits on the task queue.');

const Gpus = z
  .object({
    perPod: count('GPUs of one pod.'),
    requested: count('GPUs that the present replicas ask for.'),
    pending: count('GPUs that pods wait for.'),
  })
  .describe('GPUs of the pool.');

const WorkerStatus = z
  .object({
    observedGeneration,
    replicas: count('Pods that exist.'),
    readyReplicas: count('Pods that are ready.'),
    updatedReplicas: count('Pods of the present template.'),
    desiredReplicas: count('Replicas that the operator last asked for.'),
    selector: z.string().max(1024).optional().describe('Label selector of the pods, for /scale.'),
    ready: z.string().max(32).optional().describe('Ready pods of desired ones, for people.'),
    backlog: Backlog.optional(),
    busySlots: count('Slots that work right now.'),
    totalSlots: count('Slots that the pods report.'),
    pollers: count('Pods that poll the queue.'),
    gpus: Gpus.optional(),
    lastScaleTime: z.iso.datetime().optional().describe('When the operator last changed the replicas.'),
    scaleReason: z.string().max(1024).optional().describe('Why the replicas are what they are.'),
    conditions: Conditions.optional(),
  })
  .default(neverObserved)
  .describe('What the operator last observed.');
export type WorkerStatus = z.output<typeof WorkerStatus>;

export const Worker = defineResource({
  kind: 'Worker',
  plural: 'workers',
  scope: 'Namespaced',
  categories: ['ai-workflow', 'all'],
  description: 'A pool of pods that poll one Temporal task queue, as many as the work needs, none when there is none.',
  columns: [
    { name: 'Queue', type: 'string', jsonPath: '.spec.taskQueue', description: 'Task queue.' },
    { name: 'Ready', type: 'string', jsonPath: '.status.ready', description: 'Ready pods of desired ones.' },
    { name: 'Backlog', type: 'integer', jsonPath: '.status.backlog.total', description: 'Tasks that wait.' },
    { name: 'Busy', type: 'integer', jsonPath: '.status.busySlots', description: 'Slots that work.' },
    { name: 'GPUs', type: 'integer', jsonPath: '.status.gpus.requested', description: 'GPUs asked for.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
    {
      name: 'Desired',
      type: 'integer',
      jsonPath: '.status.desiredReplicas',
      description: 'Replicas wanted.',
      priority: 1,
    },
    {
      name: 'Oldest',
      type: 'integer',
      jsonPath: '.status.backlog.ageSeconds',
      description: 'Age of the oldest waiting task in seconds.',
      priority: 1,
    },
    { name: 'Reason', type: 'string', jsonPath: '.status.scaleReason', description: 'Why so many.', priority: 1 },
  ],
  spec: WorkerSpec,
  status: WorkerStatus,
  rules: [
    {
      rule: `self.metadata.name.size() <= ${MAX_WORKER_NAME}`,
      message: `metadata.name must have at most ${MAX_WORKER_NAME} characters, so that the names and labels of the pods stay legal`,
    },
  ],
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
});
export type Worker = ResourceOf<typeof Worker>;
