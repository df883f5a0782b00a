import { readdirSync } from 'node:fs';

/** The imports from one feature into another that are allowed, each for a reason. */
const ALLOWED = {
  start: [
    // The start page leads through the same models as their tab: it shows parts of it, over the same state.
    '^src/models/(index|token)\\.ts$'
  ],
  chat: [
    // Code of a chat replaces a cell as a command does: shown beside the cell, accepted by the hunk. Loaded late.
    '^src/commands/change\\.tsx$',
    // "What has the model read?" is asked of a chat and of a completion. Loaded late.
    '^src/inspector/dialog\\.tsx$'
  ],
  completion: ['^src/inspector/dialog\\.tsx$']
};

const FEATURE = '^src/(?!shared/)[^/]+/';
const features = readdirSync(`${import.meta.dirname}/src`, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && entry.name !== 'shared')
  .map(entry => entry.name);

export default {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'What two modules need of each other belongs in a third.',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'shared-knows-no-feature',
      comment:
        'shared/ is below all features: what it needs of one belongs in shared/, or is given to it.',
      severity: 'error',
      from: { path: '^src/shared/' },
      to: { path: FEATURE }
    },
    {
      name: 'index-on-top',
      comment: 'src/index.ts puts the plugins together, and nothing imports it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/index\\.ts$' }
    },
    ...features.map(feature => ({
      name: `${feature}-keeps-to-itself`,
      comment:
        'A feature does not import another one. What both need belongs in shared/; an exception needs a reason.',
      severity: 'error',
      from: { path: `^src/${feature}/` },
      to: { path: FEATURE, pathNot: [`^src/${feature}/`, ...(ALLOWED[feature] ?? [])] }
    }))
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // With the imports that are types alone: they tie modules together for a reader all the same.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' }
  }
};
