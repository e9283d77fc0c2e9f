import * as z from 'zod';
import { Conditions } from './conditions.ts';
import {
  ConnectionRef,
  duration,
  immutable,
  neverObserved,
  objectName,
  observedGeneration,
  taskQueueName,
} from './fields.ts';
import { defineResource, type Column, type ResourceOf } from './resource.ts';

/** Longest workflow ID that Temporal takes, in bytes. */
export const MAX_WORKFLOW_ID_BYTES = 1000;
/** Largest resource the operator starts, as JSON. Above 1.5 MiB the API server itself refuses. */
export const MAX_RESOURCE_BYTES = 1024 * 1024;
/** Largest result that is shown in full, as JSON. */
export const MAX_RESULT_BYTES = 4096;

const anyJson = (description: string) => z.unknown().describe(description);

const ArgsFrom = z
  .object({
    configMapKeyRef: z
      .object({
        name: objectName('Name of the ConfigMap.'),
        key: z
          .string()
          .min(1)
          .max(253)
          .regex(/^[-._a-zA-Z0-9]+$/)
          .describe('Key whose value is JSON.'),
      })
      .describe('One key of a ConfigMap of this namespace.'),
  })
  .describe('Where an argument comes from.');

const Workflow = z
  .object({
    type: z.string().min(1).max(1000).describe("Workflow type, as the user's worker registers it."),
    taskQueue: taskQueueName.describe('Task queue of the workflow; exactly one of taskQueue and workerRef.').optional(),
    workerRef: z
      .object({ name: objectName('Name of the Worker.') })
      .describe(
        'The Worker whose task queue is used, and which is woken before anything waits; exactly one of taskQueue and workerRef.',
      )
      .optional(),
    args: z
      .array(
        anyJson(
          'Any JSON value. Use `kubectl apply --server-side` where members are null: client-side apply drops them.',
        ),
      )
      .max(64)
      .optional()
      .describe('Arguments of the workflow, encoded as json/plain.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    argsFrom: z
      .array(ArgsFrom)
      .max(16)
      .optional()
      .describe('Further arguments, appended. Never from Secrets: arguments are stored in the history.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
  })
  .describe('A workflow that the user wrote, in any Temporal SDK.')
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'has(self.taskQueue) != has(self.workerRef)',
        message: 'exactly one of taskQueue and workerRef must be given',
        reason: 'FieldValueInvalid',
      },
    ],
  });

const Timeouts = z
  .object({
    execution: duration('Longest time for the whole chain of runs, retries and continue-as-new included.').optional(),
    run: duration('Longest time for one run of the chain.').optional(),
    task: duration('Longest time for one workflow task.').default('10s'),
  })
  .describe('Timeouts of the workflow.');

const Retry = z
  .object({
    maximumAttempts: z.int32().min(0).max(1000000).default(0).describe('Attempts in all; 0 means without limit.'),
    initialInterval: duration('Pause before the second attempt.').default('1s'),
    backoffCoefficient: z
      .string()
      .max(16)
      .regex(/^[1-9][0-9]{0,3}(\.[0-9]{1,6})?$/, 'must be a decimal number of at least 1')
      .default('2')
      .describe('Factor by which the pause grows, as a decimal string of at least 1.'),
    maximumInterval: duration('Longest pause; 100 times initialInterval unless given.').optional(),
    nonRetryableErrorTypes: z
      .array(z.string().min(1).max(1000).describe('An error type.'))
      .max(64)
      .optional()
      .describe('Error types that end the run at once.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
  })
  .describe('How a failed run is tried again, as a whole.');

/** The fields that may change while a run lives; all others decide what runs. */
const fixedFields = [
  'connectionRef',
  'workflow',
  'workflowID',
  'idConflictPolicy',
  'idReusePolicy',
  'timeouts',
  'retry',
];

export const AIWorkflowSpec = z
  .object({
    connectionRef: ConnectionRef.optional(),
    workflow: Workflow,
    workflowID: z
      .string()
      .min(1)
      .max(MAX_WORKFLOW_ID_BYTES)
      // Temporal's visibility queries cannot name such an ID, and one NUL in a query makes it fail for all other runs.
      .regex(/^[^\p{Cc}"'\\]+$/u, 'must not hold quotes, backslashes or control characters')
      .optional()
      .describe(
        'Workflow ID, without quotes, backslashes and control characters; `<clusterName>/<namespace>/<name>` unless given.',
      ),
    idConflictPolicy: z
      .enum(['Fail', 'UseExisting'])
      .default('Fail')
      .describe('What to do when the workflow ID has a live run that is not ours: refuse, or attach to it.'),
    idReusePolicy: z
      .enum(['AllowDuplicate', 'AllowDuplicateFailedOnly', 'RejectDuplicate'])
      .default('AllowDuplicate')
      .describe(
        'What to do when the workflow ID has a closed run that is not ours: run again, run again if it failed, or take over its outcome.',
      ),
    timeouts: Timeouts.optional(),
    retry: Retry.optional(),
    deletionPolicy: z
      .enum(['Cancel', 'Terminate', 'Abandon'])
      .default('Cancel')
      .describe('What deleting the resource does to its live run.'),
    deletionTimeout: duration(
      'How long a run may clean up after its resource is deleted, before it is terminated; at most 24h.',
    )
      .default('60s')
      .meta({
        'x-kubernetes-validations': [
          { rule: "duration(self) <= duration('24h')", message: 'deletionTimeout must be at most 24h' },
        ],
      }),
    readyWhen: z
      .enum(['Started', 'Succeeded'])
      .default('Started')
      .describe('When Ready is True: once the run is durably started, or once it has succeeded.'),
  })
  .describe('What runs. Only deletionPolicy, deletionTimeout and readyWhen may change.')
  .meta({ 'x-kubernetes-validations': fixedFields.map(immutable) });
export type AIWorkflowSpec = z.output<typeof AIWorkflowSpec>;

const text = (max: number, description: string) => z.string().max(max).optional().describe(description);

const Cause = z
  .object({
    type: text(256, 'Type of the error.'),
    message: text(1024, 'Message of the error.'),
  })
  .describe('One link of the chain.');

const Failure = z
  .object({
    kind: text(
      32,
      'What went wrong, in one word: Application, Timeout, Canceled, Terminated, Server, ChildWorkflow, Nexus.',
    ),
    type: text(256, 'Type of the innermost error, as the SDK named it.'),
    message: text(1024, 'Message of the innermost error.'),
    activity: text(1000, 'Type of the activity that failed.'),
    attempts: z.int32().min(0).optional().describe('Attempts that were made of it.'),
    cause: z
      .array(Cause)
      .max(5)
      .optional()
      .describe('The chain of errors, outermost first.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
  })
  .describe('Where and why the run failed.');
export type Failure = z.output<typeof Failure>;

const Temporal = z
  .object({
    connectionRef: z
      .object({
        kind: text(64, 'Kind of the connection.'),
        name: text(253, 'Name of the connection.'),
      })
      .optional()
      .describe('The connection that the run was started through; it is followed through no other.'),
    clusterID: text(128, 'Temporal cluster that the run belongs to.'),
    namespaceID: text(128, 'Identity of the Temporal namespace that the run belongs to.'),
    namespace: text(255, 'Temporal namespace that the run belongs to.'),
    workflowID: text(1000, 'Workflow ID.'),
    runID: text(64, 'Run ID of the latest run of the chain that the operator knows.'),
    firstRunID: text(64, 'Run ID of the first run of the chain: its identity.'),
    url: text(4096, "The run's page in the Temporal UI."),
  })
  .describe('Identity of the run on Temporal.');

const AIWorkflowStatus = z
  .object({
    observedGeneration,
    phase: text(
      32,
      'Pending, Running, Succeeded, Failed, Canceled, Terminated, TimedOut or Lost; for people, conditions are the API.',
    ),
    startTime: z.iso.datetime().optional().describe('When the run was started.'),
    completionTime: z.iso.datetime().optional().describe('When the run ended.'),
    duration: text(32, 'How long it took; written once, at the end.'),
    temporal: Temporal.optional(),
    result: anyJson('What the run returned, up to 4 KiB as JSON.').optional(),
    resultTruncated: z
      .boolean()
      .optional()
      .describe('True where `result` is a string that holds the beginning of a larger JSON text.'),
    failure: Failure.optional(),
    conditions: Conditions.optional(),
  })
  .default(neverObserved)
  .describe('What the operator last observed.');
export type AIWorkflowStatus = z.output<typeof AIWorkflowStatus>;

const condition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

const columns: readonly Column[] = [
  { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where the run is.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  {
    name: 'Ready',
    type: 'string',
    jsonPath: condition('Ready', 'status'),
    description: 'Whether it is ready.',
    priority: 1,
  },
  { name: 'Reason', type: 'string', jsonPath: condition('Ready', 'reason'), description: 'Why.', priority: 1 },
  {
    name: 'Workflow-ID',
    type: 'string',
    jsonPath: '.status.temporal.workflowID',
    description: 'Workflow ID.',
    priority: 1,
  },
  { name: 'Duration', type: 'string', jsonPath: '.status.duration', description: 'How long it took.', priority: 1 },
  {
    name: 'Message',
    type: 'string',
    jsonPath: condition('Ready', 'message'),
    description: 'In a sentence.',
    priority: 1,
  },
];

export const AIWorkflow = defineResource({
  kind: 'AIWorkflow',
  plural: 'aiworkflows',
  shortNames: ['aiwf'],
  scope: 'Namespaced',
  categories: ['ai-workflow', 'all'],
  description: 'One durable run of an AI workflow on Temporal.',
  columns,
  spec: AIWorkflowSpec,
  status: AIWorkflowStatus,
});
export type AIWorkflow = ResourceOf<typeof AIWorkflow>;
