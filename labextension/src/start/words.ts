/** The words of the start page. */

import type { Translate } from '../shared/text/translate';
import { size } from '../shared/text/units';
import { type StartModel, type Step, STEPS } from './steps';

export function stepTitle(step: Step, trans: Translate): string {
  switch (step) {
    case 'about':
      return trans.__('Where it runs');
    case 'choose':
      return trans.__('Choose for this machine');
    case 'licence':
      return trans.__('Licence');
    case 'download':
      return trans.__('Download');
    case 'warm':
      return trans.__('Warm up');
    case 'try':
      return trans.__('Try it');
  }
}

/** What came of a step that is done, in a few words. */
export function stepSummary(step: Step, start: StartModel, trans: Translate): string {
  const { profile, view, models } = start;
  if (!view || STEPS.indexOf(step) >= STEPS.indexOf(start.step)) {
    return '';
  }
  const license = models.licenseOf(view.info);
  switch (step) {
    case 'choose':
      return profile?.model === view.info.id
        ? trans.__('%1: %2', profile.name, view.info.name)
        : view.info.name;
    case 'licence':
      return license ? trans.__('%1, accepted', license.name) : '';
    case 'download':
      return view.info.state === 'ready'
        ? trans.__('%1, digest verified', size(view.info.size_bytes))
        : '';
    case 'warm': {
      const loaded = models.loadOf(view.info.id);
      return loaded ? trans.__('loaded in %1 s', (loaded.load_ms / 1000).toFixed(1)) : '';
    }
    default:
      return '';
  }
}

/** A piece of code whose end nobody needs to explain: what is to come is one short line. */
export const EXAMPLE =
  'def celsius(fahrenheit):\n    """Convert degrees Fahrenheit to Celsius."""\n    return ';
