/**
 * Reasons are public API: alerts and scripts match on them. Add freely, rename
 * only with a new API version. One list, so that a condition, an Event and an
 * error can never disagree about a spelling. The text is the reference page's.
 */
export const reasons = {
  // Of every kind
  Reconciled: 'Everything the spec asks for is in place.',
  Progressing: 'The operator is on its way to what the spec asks for.',
  InvalidSpec: 'The spec contradicts itself in a way the CRD schema cannot express; the message gives the path.',
  TooLarge:
    'The resource is larger than the operator accepts, or its arguments than Temporal takes; the message gives size and limit.',
  InternalError: 'A defect in this operator. Please report it with the operator log.',
  // Kubernetes
  KubernetesUnavailable: 'The API server did not answer a call; it is tried again.',
  KubernetesForbidden: 'The API server denied the operator a call; the message names the missing permission.',
  KubernetesRejected: 'The API server rejected what the operator wrote; the message says why.',
  Conflict: 'Somebody else changed the object in between; the operator starts over.',
  NotFound: 'What was asked for does not exist; of a run: Temporal no longer knows it, and its outcome is unknown.',
  LeadershipLost: 'Another instance of the operator leads now; this one writes nothing any more.',
  AlreadyExists: 'An object of that name exists already.',
  // References
  ConnectionNotFound: 'The connectionRef names a connection that does not exist.',
  ConnectionNotReady: 'The connection exists, but cannot be used yet; its own conditions say why.',
  ConnectionMismatch: 'connectionRef and the connection of the workerRef differ.',
  NamespaceNotAllowed: 'The ClusterTemporalConnection does not allow this namespace.',
  NotAllowed: 'The connection limits task queues or workflow types, and this one is not among them.',
  WorkerNotFound: 'The workerRef names a Worker that does not exist.',
  ConfigMapNotFound: 'An argsFrom entry names a ConfigMap or key that does not exist.',
  InvalidArgument: 'A ConfigMap named by argsFrom does not hold JSON.',
  SecretNotFound: 'A Secret reference names a Secret or key that does not exist.',
  SecretForbidden: 'The operator may not read the named Secret; the message holds the command that allows it.',
  SecretInvalid: 'A Secret holds something that cannot be used as the credential it should be.',
  // Temporal
  TemporalUnavailable: 'Temporal did not answer; nothing was changed and it is tried again.',
  TemporalUnauthenticated: 'Temporal refused the credentials of the connection.',
  TemporalForbidden: 'Temporal denied the credentials of the connection what was asked.',
  TemporalRejected: 'Temporal rejected the request; the message says why.',
  TemporalNamespaceNotFound: 'The Temporal namespace of the connection does not exist.',
  WrongCluster: 'The connection points at another Temporal cluster or namespace than the one the run was started on.',
  Connected: 'Temporal answers and the credentials are good.',
  // Runs
  Starting: 'The run is about to be started.',
  Started: 'The run is durably started on Temporal.',
  Running: 'The run is active.',
  Succeeded: 'The run completed.',
  Failed: 'The run failed; `status.failure` says where and why.',
  Attached: 'The resource follows a run that existed before it.',
  Canceled: 'The run was canceled.',
  Terminated: 'The run was terminated.',
  TimedOut: 'The run exceeded one of its timeouts.',
  WorkflowIDTaken: 'The workflow ID belongs to a run that is not ours, and the ID policies forbid using it.',
  WorkflowIDForbidden: 'This workflow ID may not be used from this namespace.',
  Deleting: 'The resource is being deleted and its run is being brought to an end.',
  DeletionTimedOut: 'The run did not end in time after its resource was deleted; the resource is released.',
  // Workers
  NameTaken: 'A Deployment of that name exists and belongs to somebody else.',
  TemplateRejected: 'The API server rejected the pod template; the message says why.',
  RollingOut: 'Pods of the present template are being brought up.',
  PodsNotReady: 'Fewer pods are ready than the spec asks for.',
  ProgressDeadlineExceeded: 'The Deployment made no progress within its deadline.',
  QuotaExceeded: 'The cluster refused to create a pod; the message repeats its words.',
  Scaled: 'The number of replicas was changed; the message says why.',
  ScalingActive: 'Replicas follow the task queue.',
  ScalingInactive: 'Replicas do not follow the task queue; the message says why.',
  AtMaximum: 'More replicas are needed than `scaling.max` allows.',
  WithinLimits: 'The number of replicas needed lies within the limits.',
  Unschedulable: 'A pod cannot be scheduled; the message repeats the scheduler.',
  SlotsDiffer: 'The pods report another number of slots than `scaling.tasksPerReplica`.',
  NoDrain: 'A pod kept polling after it was told to stop; use a worker kit or handle SIGTERM.',
  SlowHeartbeat: 'The pods report no heartbeat, or too rarely, to know which of them are idle; use a worker kit.',
  // Housekeeping
  FinalizerAdded: 'The finalizer that guards a live run was set.',
  FinalizerRemoved: 'The finalizer was removed; deletion may go on.',
  DeploymentCreated: 'The Deployment of a Worker was created.',
  DeploymentUpdated: 'The Deployment of a Worker was brought to the present template.',
  CancelRequested: 'The run was asked to cancel.',
} as const;

/** One word for why something is as it is; every condition, Event and error uses one of these. */
export type Reason = keyof typeof reasons;
