import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that a test can close and open again, as a network would. */
export interface CuttableWay {
  /** Where the way begins, host and port. */
  readonly address: string;
  /** Closes it: connections break, and new ones are hung up on. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Opens a way of plain TCP to `target`, host and port. */
export async function cuttableWayTo(target: string): Promise<CuttableWay> {
  const [host = '', port = ''] = target.split(':');
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    if (isCut) return void socket.destroy();
    const onward = connect({ host, port: Number(port) });
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => (open.delete(end), other.destroy()));
      end.pipe(other);
    }
  });
  const breakAll = () => {
    for (const socket of open) socket.destroy();
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      breakAll();
    },
    mend: () => void (isCut = false),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      breakAll();
      await closed;
    },
  };
}
