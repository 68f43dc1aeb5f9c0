// zod turns its schemas into code by new Function, where it may. The page's Content Security Policy forbids that, and the browser
// reports even the attempt, so zod is told not to try. Imported for its effect, first, by the page and by every worker.
import { config } from 'zod';

config({ jitless: true });
