import proto, { type temporal } from '@temporalio/proto';
import type { CallOptions, Method, RequestOf, ResponseOf } from '../../src/temporal/call.ts';
import type { TemporalClient } from '../../src/temporal/clients.ts';
import { memoOf } from '../../src/temporal/memo.ts';

/** How a Temporal of tests answers: part of a response, or whatever it throws. */
export type Answers = {
  readonly [M in Method]?: (
    request: Omit<RequestOf<M>, 'namespace'>,
    options: CallOptions,
  ) => Partial<ResponseOf<M>> | Promise<Partial<ResponseOf<M>>>;
};

/** A client without a server. Its class has private members, which nothing but the class can have: hence the cast. */
export function aTemporal(answers: Answers, address = 'temporal:7233'): TemporalClient {
  const call = async <M extends Method>(method: M, request: RequestOf<M>, options: CallOptions) => {
    options.signal?.throwIfAborted();
    const answer = answers[method];
    if (!answer) throw new Error(`The test says nothing of ${method}`);
    return answer(request, options);
  };
  return { address, namespace: 'default', identity: 'test', call } as unknown as TemporalClient;
}

/** What a call throws whose server answered with that status. */
export function grpcError(code: number, details: string, metadata?: Readonly<Record<string, readonly Uint8Array[]>>) {
  const get = (key: string) => metadata?.[key] ?? [];
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: { get } });
}

/** The metadata of an error to which the server attached a detail. */
export function withDetail(name: string, value: Uint8Array = new Uint8Array()) {
  const detail = { type_url: `type.googleapis.com/temporal.api.errordetails.v1.${name}`, value };
  return { 'grpc-status-details-bin': [proto.google.rpc.Status.encode({ details: [detail] }).finish()] };
}

/** A 64-bit integer as responses carry it. */
export const long = (value: number) => proto.google.protobuf.Timestamp.fromObject({ seconds: value }).seconds;

/** A time as responses carry it. */
export const timestamp = (ms: number) => ({ seconds: long(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 });

/** What a list of runs says of one of ours. */
export interface ListedRun {
  readonly workflowID: string;
  readonly runID?: string;
  /** As Temporal numbers it; by default completed where it has closed, else running. */
  readonly status?: number;
  readonly startMs: number;
  readonly closeMs?: number;
  readonly uid?: string;
}

/** One row of a list of runs. */
export function listed(run: ListedRun): temporal.api.workflow.v1.WorkflowExecutionInfo {
  const { workflowID, runID = `run-of-${workflowID}`, startMs, closeMs, uid } = run;
  return proto.temporal.api.workflow.v1.WorkflowExecutionInfo.fromObject({
    execution: { workflowId: workflowID, runId: runID },
    status: run.status ?? (closeMs === undefined ? 1 : 2),
    startTime: timestamp(startMs),
    ...(closeMs !== undefined && { closeTime: timestamp(closeMs) }),
    ...(uid !== undefined && { memo: memoOf({ 'aiworkflow.dev/uid': uid }) }),
    taskQueue: 'queue',
  });
}
