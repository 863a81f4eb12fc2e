// All English of the pages, by subject. A translation is another file of this shape.

import { account } from './account';
import { admin } from './admin';
import { home } from './home';
import { pack, packageSettings as settings } from './package';
import { publish } from './publish';
import { common, error, shell, trouble } from './shell';
import { start } from './start';
import { stats } from './stats';

export const t = { account, admin, common, error, home, pack, publish, settings, shell, start, stats, trouble };
