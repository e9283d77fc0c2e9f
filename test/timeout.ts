import { jest } from '@jest/globals';

/** Jest takes a timeout for all projects only; each of ours has its own, for tests and hooks alike. */
jest.setTimeout((globalThis as unknown as { readonly testTimeoutMs: number }).testTimeoutMs);
