import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The time limit stops a test that hangs; no test is over because the machine is busy.
  test: { include: ['tests/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 }
});
