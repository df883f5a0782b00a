/** What the plugins of this extension offer to each other and to other extensions. */

export * from './channel';
export * from './chat';
export * from './completion';
export * from './panels';
