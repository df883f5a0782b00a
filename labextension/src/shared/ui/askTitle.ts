/** Asks a person for a title. */

import { FIELDS } from '../../contract';
import type { Translate } from '../text/translate';
import { askText } from './askText';

/** What was written; empty where the person thought better of it. */
export async function askTitle(heading: string, title: string, trans: Translate): Promise<string> {
  const { value } = await askText({
    title: heading,
    label: trans.__('Title'),
    text: title,
    okLabel: trans.__('Save')
  });
  return value?.trim().slice(0, FIELDS.TitleSetRequest.title.maxLength) ?? '';
}
