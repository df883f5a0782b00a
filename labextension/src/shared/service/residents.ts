/** The models that are in memory, as the service tells of them. */

import type { BackendState, ResidentModel } from '../../contract';

/** Each model that has a worker, and one whose worker has failed; the model for code first. */
export function residents(state: BackendState): readonly ResidentModel[] {
  const { model, profile, reason, resident } = state;
  if (resident.length > 0 || model === null || state.state === 'stopped') {
    return resident;
  }
  // Told without the list: the one that is named.
  return [
    {
      model,
      profile,
      reason,
      state: state.state,
      roles: [],
      context_window: 0,
      memory_bytes: 0,
      warning: null
    }
  ];
}
