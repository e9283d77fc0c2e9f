import type { Api } from './api.ts';
import { ContainerRun } from './podrunner-container.ts';
import type { ContainerSurroundings } from './podrunner-container.ts';
import type { Pod } from './podrunner-types.ts';
import { isReady, now, podStatus } from './podrunner-status.ts';
import { removePod, StatusWriter } from './podrunner-writer.ts';

/** One pod that is run: its containers, its status, its end. */
export class PodRun {
  readonly nodeName: string | undefined;
  /** Resolves once all its containers have ended for good. */
  readonly ended: Promise<void>;
  private readonly api: Api;
  private readonly pod: Pod;
  private readonly podIP: string;
  private readonly containers: readonly ContainerRun[];
  private readonly writer: StatusWriter;
  private readonly startTime: string;
  private wasReady = false;
  private readySince: string;
  private stopping: Promise<void> | undefined;

  constructor(api: Api, pod: Pod, podIP: string, around: ContainerSurroundings) {
    this.api = api;
    this.pod = { ...pod, status: { ...pod.status, podIP } };
    this.podIP = podIP;
    this.nodeName = pod.spec.nodeName;
    this.writer = new StatusWriter(api, pod);
    this.startTime = this.readySince = now();
    const report = () => void this.report();
    this.containers = pod.spec.containers.map((one) => new ContainerRun(this.pod, one, around, report));
    this.ended = Promise.all(this.containers.map((container) => container.run())).then(() => undefined);
  }

  /**
   * Ends the pod as a kubelet does: SIGTERM, SIGKILL when the grace is over, and only then its object is removed.
   * A second call can but shorten the grace.
   */
  stop(graceSeconds: number): Promise<void> {
    setTimeout(() => this.kill(), graceSeconds * 1_000).unref();

    return (this.stopping ??= this.endAndRemove());
  }

  /** Ends its processes at once; of the object nothing is left to tell. */
  kill(): void {
    for (const container of this.containers) container.kill();
  }

  private async endAndRemove(): Promise<void> {
    for (const container of this.containers) container.stop();
    await this.ended;
    await this.report();
    await removePod(this.api, this.pod);
  }

  private report(): Promise<void> {
    const views = this.containers.map(({ view }) => view);
    if (isReady(views) !== this.wasReady) {
      this.wasReady = !this.wasReady;
      this.readySince = now();
    }
    const { startTime, readySince } = this;
    return this.writer.write(podStatus(this.podIP, views, { startTime, readySince }));
  }
}
