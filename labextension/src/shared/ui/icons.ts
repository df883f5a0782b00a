import { LabIcon } from '@jupyterlab/ui-components';

import logoSvg from '../../../style/icons/localcoder.svg';

export const logoIcon = new LabIcon({ name: 'jupyter-localcoder:logo', svgstr: logoSvg });
